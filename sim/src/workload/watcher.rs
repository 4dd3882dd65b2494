//! Watchers of single keys and of directories, for one event or for many, from the next event on
//! or from one that lies in the past. The oracle of watches judges what they are told.

use quorate_core::api::{KeysRequest, WatchRequest};
use quorate_core::store::Event;

use super::{Asked, Outcome, Workload};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

/// What is watched, and whether recursively.
const WATCHED: [(&str, bool); 7] = [
    ("/1", true),
    ("/1", true),
    ("/1/queue", true),
    ("/1/lease", true),
    ("/1/lease/dir/key", false),
    ("/1/register0", false),
    ("/1/counter", false),
];

/// The watchers of a run.
#[derive(Debug)]
pub(super) struct Watchers {
    clients: Vec<Client>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    watched: usize,
    /// The lowest index that its next event may have; 0 if it asks for whatever comes next.
    next: u64,
}

impl Watchers {
    pub(super) fn new(clients: u64) -> Self {
        Self { clients: vec![Client::default(); clients as usize] }
    }
}

impl Workload for Watchers {
    fn next(&mut self, client: usize, chance: &mut Chance) -> Asked {
        let state = &mut self.clients[client];
        match chance.below(10) {
            0..2 => {
                state.watched = chance.index(WATCHED.len());
                state.next = state.next.saturating_sub(chance.below(50));
            }
            // Further back than the history reaches, before long.
            2 => state.next = state.next.saturating_sub(chance.below(4000)).max(1),
            _ => {}
        }
        let (path, recursive) = WATCHED[state.watched];
        Asked::Watch(WatchRequest {
            path: path.to_owned(),
            recursive,
            stream: chance.coin(),
            since: state.next,
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
            self.clients[client].next = 0;
        }
        Ok(())
    }

    fn event(&mut self, client: usize, event: &Event) -> Result<(), Violation> {
        self.clients[client].next = event.node.modified_index + 1;
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
