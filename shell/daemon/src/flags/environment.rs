//! The environment twins of the flags.

use std::ffi::OsString;

use quorate_core::config::{Flag, Given, Scope, Source, flags, variable};

use super::{Parsed, text};

/// Takes the values of flags that were not given from the environment, as far as `taken` has them.
/// What is ignored there is noticed once.
pub(super) fn fill(
    parsed: &mut Parsed,
    taken: impl Fn(&str) -> bool,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) {
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, _)| name.starts_with("ETCD_"))
        .collect();
    variables.sort();
    let mut unknown = Vec::new();
    for (name, value) in variables {
        let Some(flag) = flag_of(&name) else {
            unknown.push(name);
            continue;
        };
        // What another command reads is no mistake, and an empty variable says nothing.
        if !taken(flag.name) || value.is_empty() {
            continue;
        }
        if parsed.settings.given(flag.name).is_some() {
            let flag = flag.name;
            parsed.notices.push(format!("{name} is ignored: the flag -{flag} is given"));
        } else {
            parsed.settings.set(flag.name, Given { text: value, source: Source::Environment });
        }
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        parsed.notices.push(format!("unknown variables in the environment: {names}"));
    }
}

fn flag_of(name: &str) -> Option<&'static Flag> {
    flags::all().find(|flag| flag.scope != Scope::Program && variable(flag.name) == name)
}
