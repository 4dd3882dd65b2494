//! The environment twins of the flags.

use alloc::string::String;
use alloc::vec::Vec;

use super::settings::{Given, Settings, Source, variable};
use super::{Flag, Scope, flags};

/// What of the environment was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotTaken {
    /// The flags that were given, and so win over their variables.
    pub shadowed: Vec<&'static str>,
    /// The variables `ETCD_…` that stand for no flag.
    pub unknown: Vec<String>,
}

impl Settings {
    /// Takes the values of flags that were not given from the variables of an environment, as far
    /// as `taken` has them: what another command reads is no mistake. An empty variable says
    /// nothing.
    pub fn take_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        taken: impl Fn(&str) -> bool,
    ) -> NotTaken {
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with("ETCD_"));
        let mut variables: Vec<(String, String)> = ours.collect();
        variables.sort();
        let mut not_taken = NotTaken::default();
        for (name, text) in variables {
            match flag_of(&name) {
                None => not_taken.unknown.push(name),
                Some(flag) if !taken(flag.name) || text.is_empty() => {}
                Some(flag) if self.given(flag.name).is_some() => not_taken.shadowed.push(flag.name),
                Some(flag) => self.set(flag.name, Given { text, source: Source::Environment }),
            }
        }
        not_taken
    }
}

fn flag_of(name: &str) -> Option<&'static Flag> {
    flags::all().find(|flag| flag.scope != Scope::Program && variable(flag.name) == name)
}
