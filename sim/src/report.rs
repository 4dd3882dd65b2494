//! What came of a run, in whichever world.

use std::any::Any;

use crate::oracle::{Kind, Violation};
use crate::record::Recorded;
use crate::scenario::Scenario;
use crate::stats::Stats;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it was made of.
    pub scenario: Scenario,
    /// What happened, counted.
    pub stats: Stats,
    /// The digest of all events.
    pub digest: u64,
    /// The first broken promise, and the simulated time in nanoseconds.
    pub violation: Option<(u64, Violation)>,
    /// What happened, in order, if that was asked for.
    pub recording: Vec<Recorded>,
}

/// What a member says as it panics, as a broken promise.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Violation {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let words = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
    let (kind, oracle, detail) = (Kind::Crash, "no_panic", words.to_owned());
    Violation { kind, oracle, node: None, index: None, detail }
}
