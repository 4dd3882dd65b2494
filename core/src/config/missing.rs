//! Flags of features that this version does not have.
//!
//! They are known, so that nobody is told that they do not exist, and they are refused, so that
//! nobody believes that they do something.

use alloc::format;

use super::flag::Scope;
use super::flags;
use super::grammar::{self, Grammar};
use super::settings::{Settings, written};
use crate::error::Refusal;

/// Refuses what asks for a missing feature.
pub(super) fn refuse(settings: &Settings) -> Result<(), Refusal> {
    for flag in flags::all() {
        let Scope::Missing { feature, inert } = flag.scope else { continue };
        let Some(given) = settings.given(flag.name) else { continue };
        let asks = match flag.grammar {
            Grammar::Bool => grammar::boolean(&given.text) != Some(false),
            _ => !inert.contains(&given.text.as_str()),
        };
        if asks {
            let place = written(flag.name, given.source);
            return Err(not_supported(feature)
                .hint(format!("{place} is {}", given.text))
                .hint(format!("leave {place} away; nothing was touched")));
        }
    }
    Ok(())
}

/// A feature that this version does not have.
pub fn not_supported(feature: &str) -> Refusal {
    Refusal::new(format!("{feature} is not supported by this version"))
}
