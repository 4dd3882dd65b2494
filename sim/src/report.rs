//! What came of a run, in whichever world.

use std::any::Any;

use crate::oracle::{Kind, Violation};
use crate::record::{Recorded, Recorder};
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

impl Report {
    /// A run in which somebody panicked; what was recorded until then is kept.
    pub(crate) fn of_panic(
        scenario: &Scenario,
        recorder: &Recorder,
        panic: &(dyn Any + Send),
    ) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let words = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let violation = Violation {
            kind: Kind::Crash,
            oracle: "no_panic",
            node: None,
            index: None,
            detail: words.to_owned(),
        };
        let recording = recorder.take();
        let time = recording.last().map_or(0, |last| last.time);
        Self {
            scenario: scenario.clone(),
            stats: Stats::default(),
            digest: 0,
            violation: Some((time, violation)),
            recording,
        }
    }
}
