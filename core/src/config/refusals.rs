//! Refusals of flags, in the words of etcd.

use alloc::format;

use super::effective::LEGACY;
use super::flag::Flag;
use super::grammar::Grammar;
use super::settings::{Given, Settings, Source, variable, written};
use crate::error::Refusal;

/// Values that do not go together.
pub(super) fn verifying(cause: &str) -> Refusal {
    Refusal::new(format!("error verifying flags, {cause}"))
}

/// A value that is none of its flag. On the command line that is an error of syntax.
pub(super) fn invalid(flag: &Flag, given: &Given, cause: &str) -> Refusal {
    let (name, text) = (flag.name, &given.text);
    let refusal = match (given.source, flag.grammar) {
        (Source::Environment, _) => {
            Refusal::new(format!("invalid value {text:?} for {}: {cause}", variable(name)))
        }
        (Source::Flag, Grammar::Bool) => {
            Refusal::new(format!("invalid boolean value {text:?} for -{name}: {cause}")).of_syntax()
        }
        (Source::Flag, _) => {
            Refusal::new(format!("invalid value {text:?} for flag -{name}: {cause}")).of_syntax()
        }
    };
    refusal.hint(flag.grammar.remedy(name))
}

/// A flag of 0.4 whose users have to say something else.
pub(super) fn gone(flag: &Flag, given: &Given) -> Refusal {
    let name = flag.name;
    let cause = format!("flag \"-{name}\" is no longer supported.");
    let mut refusal = invalid(flag, given, &cause);
    refusal.hints.clear();
    refusal.hint(format!(
        "-initial-cluster has a similar purpose and another meaning: it lists all initial members \
         with names and peer URLs, as -initial-cluster a=http://{},…",
        given.text.split(',').next().filter(|first| first.contains(':')).unwrap_or("HOST:2380")
    ))
}

/// The peer URLs are advertised by a flag of 0.4 and by its successor.
pub(super) fn advertised_twice(settings: &Settings) -> Option<Refusal> {
    both(settings, "initial-advertise-peer-urls", "peer-addr")
}

/// A flag of 0.4 and its successor, where they count at every start.
pub(super) fn set_twice(settings: &Settings) -> Option<Refusal> {
    let rows = LEGACY.iter().filter(|(new, ..)| *new != "initial-advertise-peer-urls");
    rows.map(|(new, old, _)| (*new, *old)).find_map(|(new, old)| both(settings, new, old))
}

fn both(settings: &Settings, new: &str, old: &str) -> Option<Refusal> {
    let (new_given, old_given) = (settings.given(new)?, settings.given(old)?);
    Some(
        verifying(&format!("Set only one of flags -{new} and -{old}."))
            .hint(format!(
                "{} is {}; {} is {}",
                written(new, new_given.source),
                new_given.text,
                written(old, old_given.source),
                old_given.text
            ))
            .hint(format!("-{old} is the old name of 0.4: leave it away")),
    )
}
