//! A batch: runs over a range of seeds without gaps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was run: the same for all batches of one run of the runner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The commit, where it is known.
    pub commit: Option<String>,
    /// Whether the files differed from the commit.
    pub dirty: bool,
    /// Options that were changed by hand, as NAME=VALUE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// The world in which it ran.
    pub world: String,
}

/// One line of the results file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// What was run.
    #[serde(flatten)]
    pub origin: Origin,
    /// The first seed.
    pub first: u64,
    /// How many seeds, in order.
    pub seeds: u64,
    /// Simulated time of all runs together, in milliseconds.
    pub simulated_ms: u64,
    /// The seeds that broke a promise.
    pub violations: Vec<u64>,
    /// Milliseconds on the wall since the batch before, or since the start.
    pub wall_ms: u64,
}

/// Runs that have ended but are not written down yet. Threads end out of order, so a run may have
/// to wait for those before it.
#[derive(Debug)]
pub struct Finished {
    origin: Origin,
    /// The first seed that is neither written down nor known to be skipped.
    next: u64,
    ended: BTreeMap<u64, Ended>,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    simulated_ms: u64,
    violation: bool,
}

impl Finished {
    /// Nothing has ended; the first seed is `first`.
    pub const fn new(origin: Origin, first: u64) -> Self {
        Self { origin, next: first, ended: BTreeMap::new() }
    }

    /// A run has ended.
    pub fn add(&mut self, seed: u64, simulated_ms: u64, violation: bool) {
        self.ended.insert(seed, Ended { simulated_ms, violation });
    }

    /// The runs from the last batch up to the first seed that still runs.
    pub fn take(&mut self, wall_ms: u64) -> Option<Batch> {
        let mut batch = Batch {
            origin: self.origin.clone(),
            first: self.next,
            seeds: 0,
            simulated_ms: 0,
            violations: Vec::new(),
            wall_ms,
        };
        while let Some(ended) = self.ended.remove(&self.next) {
            batch.seeds += 1;
            batch.simulated_ms += ended.simulated_ms;
            batch.violations.extend(ended.violation.then_some(self.next));
            self.next += 1;
        }
        (batch.seeds > 0).then_some(batch)
    }

    /// Everything that has ended, also behind seeds that were never run.
    pub fn take_all(&mut self, wall_ms: u64) -> Vec<Batch> {
        let mut wall_ms = wall_ms;
        let mut batches = Vec::new();
        loop {
            batches.extend(self.take(std::mem::take(&mut wall_ms)));
            match self.ended.first_key_value() {
                Some((seed, _)) => self.next = *seed,
                None => return batches,
            }
        }
    }
}
