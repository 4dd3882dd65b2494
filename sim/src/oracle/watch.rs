//! A watcher is told every event exactly once, in order, or error 401; and never an event that did
//! not happen.
//!
//! Each watch is compared with the true events from the first index that it asked for: what it is
//! told has to be the next of them that concerns it, each time. A watch that ends is no violation;
//! one that leaves an event out, or tells one again, is. Error 401 is right only if the event
//! asked for is not among the last 1000.

use quorate_core::api::WatchRequest;
use quorate_core::store::{Code, Error, Event};

use super::event_history::{Concern, EventHistory, concern};
use super::{Kind, Violation};

const NAME: &str = "watch";

/// How many events members keep for watchers that come late.
const KEPT: u64 = 1000;

/// The watches of all clients.
#[derive(Debug, Default)]
pub struct Watches {
    /// By the number of the client.
    watches: Vec<Option<Watch>>,
}

#[derive(Clone, Debug)]
struct Watch {
    asked: WatchRequest,
    /// The index of the first event that it may be told next; 0 while that is not known, which is
    /// from the question for the next event until the watch has begun.
    next: u64,
    /// The store index of the member when the watch began, once that is known.
    began: Option<u64>,
    /// The index of the last event it was told; 0 before the first.
    told: u64,
}

impl Watches {
    /// A client asks to watch: what it watched before is over.
    pub fn asked(&mut self, client: usize, request: &WatchRequest) {
        if self.watches.len() <= client {
            self.watches.resize(client + 1, None);
        }
        let (asked, next) = (request.clone(), request.since);
        self.watches[client] = Some(Watch { asked, next, began: None, told: 0 });
    }

    /// The client's watch is over.
    pub fn over(&mut self, client: usize) {
        if let Some(watch) = self.watches.get_mut(client) {
            *watch = None;
        }
    }

    /// The watch has begun at a member whose store index was `at`.
    pub fn began(&mut self, client: usize, at: u64) {
        let Some(Some(watch)) = self.watches.get_mut(client) else { return };
        watch.began = Some(at);
        if watch.asked.since == 0 {
            watch.next = watch.next.max(at + 1);
        }
    }

    /// The client is told an event.
    ///
    /// # Errors
    /// If it is not the next one.
    pub fn told(
        &mut self,
        client: usize,
        event: &Event,
        history: &EventHistory,
    ) -> Result<(), Violation> {
        let Some(Some(watch)) = self.watches.get_mut(client) else { return Ok(()) };
        let index = event.node.modified_index;
        let WatchRequest { path, recursive, stream, .. } = &watch.asked;
        if watch.told > 0 && !stream {
            return Err(broken(watch, index, "a second event of a watch for one"));
        }
        if index < watch.next {
            let detail = format!("told index {index} where {} comes next", watch.next);
            return Err(broken(watch, index, &detail));
        }
        let truth = history.event(index);
        if truth.is_none_or(|truth| !same(truth, event)) {
            let detail = format!("told {event:?}, what happened is {truth:?}");
            return Err(broken(watch, index, &detail));
        }
        if concern(event, path, *recursive) == Concern::No {
            return Err(broken(watch, index, &format!("told {event:?}, which is none of its")));
        }
        if let Some(missed) = (watch.next > 0).then(|| watch.first_due(history, index)).flatten() {
            let detail = format!("told index {index}, but not {missed}");
            return Err(broken(watch, missed, &detail));
        }
        (watch.told, watch.next) = (index, index + 1);
        Ok(())
    }

    /// The client is refused the events that it asks for.
    ///
    /// # Errors
    /// If they are kept.
    pub fn refused(&mut self, client: usize, error: &Error) -> Result<(), Violation> {
        let Some(Some(watch)) = self.watches.get_mut(client) else { return Ok(()) };
        let cleared = watch.next > 0 && watch.next + KEPT <= error.index;
        if error.code == Code::EventIndexCleared && cleared {
            return Ok(());
        }
        Err(broken(watch, watch.next, &format!("refused with {error:?}")))
    }

    /// The index of an event that the client should have been told by a member that has come to
    /// the store index `reached`, if there is one.
    pub fn due(&self, client: usize, reached: u64, history: &EventHistory) -> Option<u64> {
        let watch = self.watches.get(client)?.as_ref()?;
        let began = watch.began?;
        // As in etcd, a watch that is told of the past is told of nothing else, though a stream
        // stays open.
        let past = watch.told > 0 && watch.told <= began;
        let ended = past || watch.told > 0 && !watch.asked.stream;
        if ended { None } else { watch.first_due(history, reached + 1) }
    }
}

impl Watch {
    /// The first event before `end` that the watcher must be told next, if there is one.
    fn first_due(&self, history: &EventHistory, end: u64) -> Option<u64> {
        let WatchRequest { path, recursive, .. } = &self.asked;
        (self.next..end).find(|index| {
            let event = history.event(*index);
            event.is_some_and(|event| concern(event, path, *recursive) == Concern::Must)
        })
    }
}

/// Whether a client was told what happened, as far as the answer says it.
fn same(truth: &Event, told: &Event) -> bool {
    let prev = |event: &Event| event.prev.as_ref().map(|p| (p.modified_index, p.value.clone()));
    truth.action == told.action
        && truth.node.path == told.node.path
        && truth.node.value == told.node.value
        && truth.node.dir == told.node.dir
        && truth.node.modified_index == told.node.modified_index
        && truth.node.created_index == told.node.created_index
        && prev(truth) == prev(told)
}

fn broken(watch: &Watch, index: u64, detail: &str) -> Violation {
    let detail = format!("{detail}; {:?}, begun at {:?}", watch.asked, watch.began);
    Violation { kind: Kind::Safety, oracle: NAME, node: None, index: Some(index), detail }
}

#[cfg(test)]
mod tests;
