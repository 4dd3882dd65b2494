//! The last events of the whole store, for watchers that come late.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::error::{Code, Error};
use super::event::{Action, Event};
use super::path;

/// How many events are kept. etcd cannot read a dump that has room for another number.
pub(crate) const CAPACITY: u64 = 1000;

/// How many events are shared in one piece.
const PIECE: usize = 16;

/// The last 1000 events of the store: of all keys, silent refreshes included. Part of the
/// replicated state. Cloning is O(1).
///
/// Each index of the store has one event, so the event of an index is found by arithmetic.
///
/// Nearly every version of the store is shown to readers, so nearly every event is added to a
/// history that is shared with them. It is kept in pieces, that only the last and short one has to
/// be copied then.
#[derive(Clone)]
pub struct History {
    /// Full pieces, the oldest first; of the first one some events may be too old to count.
    full: Arc<VecDeque<Arc<Vec<Arc<Event>>>>>,
    /// The events behind those.
    tail: Arc<Vec<Arc<Event>>>,
    /// Index of the first event in the first piece.
    first: u64,
    /// Index of the oldest event that is kept; one more than `last` if there is none.
    start: u64,
    /// Index of the latest event, kept or not.
    last: u64,
}

impl History {
    /// The history of a store at index `last` of which no event is known.
    pub(crate) fn after(last: u64) -> Self {
        let (full, tail) = (Arc::default(), Arc::default());
        Self { full, tail, first: last + 1, start: last + 1, last }
    }

    /// Index of the oldest event that is kept; one more than [`last`](Self::last) if none is.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Index of the latest event.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The event of an index, if it is kept.
    pub fn event(&self, index: u64) -> Option<&Arc<Event>> {
        if index < self.start || index > self.last {
            return None;
        }
        let at = usize::try_from(index - self.first).ok()?;
        self.full.get(at / PIECE).unwrap_or(&self.tail).get(at % PIECE)
    }

    /// The events that are kept, in their order.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Arc<Event>> {
        let old = usize::try_from(self.start - self.first).unwrap_or(usize::MAX);
        self.full.iter().chain([&self.tail]).flat_map(|piece| piece.iter()).skip(old)
    }

    /// All slots where etcd has them. The event of index `i` is in slot `(i - 1) % CAPACITY`.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<&Arc<Event>>> {
        // Of the slots up to that of the last event, all have one of this round; those behind it
        // have one of the round before.
        let round = self.last.saturating_sub(1) / CAPACITY * CAPACITY;
        (round + 1..=round + CAPACITY).map(move |index| {
            let before = index.checked_sub(CAPACITY).filter(|_| index > self.last);
            self.event(before.unwrap_or(index))
        })
    }

    /// The first event at or after index `since` that concerns a watch of a clean path; nothing
    /// if there is none yet.
    ///
    /// The rules are those of etcd for its history, and wider than those for live events: hidden
    /// keys count, and the end of a directory concerns every path that begins with its text.
    ///
    /// # Errors
    /// 401 if events at or after `since` are no longer kept.
    pub fn scan(
        &self,
        path: &str,
        recursive: bool,
        since: u64,
    ) -> Result<Option<Arc<Event>>, Error> {
        if since < self.start && !planted!(SkipCleared) {
            return Err(self.cleared(since));
        }
        let since = since + u64::from(planted!(MissFirstEvent));
        let kept = (since..=self.last).filter_map(|index| self.event(index));
        Ok(kept.filter(|event| concerns(event, path, recursive)).map(Arc::clone).next())
    }

    /// The refusal of one who asks for the event of an index that is no longer kept.
    pub(crate) fn cleared(&self, since: u64) -> Error {
        let cause = format!("the requested history has been cleared [{}/{since}]", self.start);
        Error { code: Code::EventIndexCleared, cause, index: self.last }
    }

    /// # Panics
    /// If the event does not follow the last one.
    pub(crate) fn push(&mut self, event: Arc<Event>) {
        assert!(event.index == self.last + 1, "each index has one event");
        self.last = event.index;
        if self.last - self.start >= CAPACITY {
            self.start += 1;
        }
        match Arc::get_mut(&mut self.tail) {
            Some(tail) => tail.push(event),
            None => {
                let mut tail = Vec::with_capacity(PIECE);
                tail.extend_from_slice(&self.tail);
                tail.push(event);
                self.tail = Arc::new(tail);
            }
        }
        if self.tail.len() == PIECE {
            let full = Arc::make_mut(&mut self.full);
            full.push_back(core::mem::take(&mut self.tail));
            if self.start - self.first >= PIECE as u64 {
                full.pop_front();
                self.first += PIECE as u64;
            }
        }
    }
}

/// The slot of the event of an index.
pub(crate) fn slot(index: u64) -> usize {
    usize::try_from(index.wrapping_sub(1) % CAPACITY).unwrap_or(0)
}

fn concerns(event: &Event, path: &str, recursive: bool) -> bool {
    if event.refresh {
        return false;
    }
    let changed = event.node.path.as_str();
    let ended = matches!(event.action, Action::Delete | Action::Expire)
        && event.prev.as_ref().is_some_and(|prev| prev.dir);
    changed == path
        || (recursive && path::is_below(changed, path))
        || (ended && path.starts_with(changed))
}
