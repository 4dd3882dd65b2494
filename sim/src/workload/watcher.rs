//! Watchers: events come in the order of their indexes, and none that lies before the index that
//! was asked for.

use quorate_core::api::{KeysRequest, WatchRequest};
use quorate_core::store::Event;

use super::{Asked, Outcome, Workload, violation};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

const NAME: &str = "watch_order";

/// The watchers of a run.
#[derive(Debug)]
pub(super) struct Watchers {
    /// For each client the lowest index that its next event may have.
    next: Vec<u64>,
}

impl Watchers {
    pub(super) fn new(clients: u64) -> Self {
        Self { next: vec![0; clients as usize] }
    }
}

impl Workload for Watchers {
    fn next(&mut self, client: usize, chance: &mut Chance) -> Asked {
        let since = self.next[client];
        Asked::Watch(WatchRequest {
            path: "/1".to_owned(),
            recursive: true,
            stream: chance.coin(),
            since,
        })
    }

    fn ended(
        &mut self,
        client: usize,
        _called: u64,
        _now: u64,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        if let Outcome::Answered { result: Err(_), .. } = outcome {
            // The history does not reach back so far: from here on.
            self.next[client] = 0;
        }
        Ok(())
    }

    fn event(&mut self, client: usize, event: &Event) -> Result<(), Violation> {
        let index = event.node.modified_index;
        let next = &mut self.next[client];
        if index < *next {
            let detail = format!("an event of index {index} after {next} was asked for");
            return Err(violation(NAME, Some(index), detail));
        }
        *next = index + 1;
        Ok(())
    }

    fn finish(
        &mut self,
        _stats: &mut Stats,
        _read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        Ok(())
    }
}
