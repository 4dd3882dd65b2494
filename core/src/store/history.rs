//! The last events of the whole store, for watchers that come late.

use alloc::format;
use alloc::sync::Arc;

use archery::ArcTK;
use rpds::Vector;

use super::error::{Code, Error};
use super::event::{Action, Event};
use super::path;

/// How many events are kept. etcd cannot read a dump that has room for another number.
pub(crate) const CAPACITY: u64 = 1000;

/// The last 1000 events of the store: of all keys, silent refreshes included. Part of the
/// replicated state. Cloning is O(1).
///
/// Each index of the store has one event, so the event of an index is found by arithmetic.
#[derive(Clone)]
pub struct History {
    /// The event of index `i` is in slot `(i - 1) % CAPACITY`, where etcd has it too. Slots come
    /// to be when they are needed.
    ring: Vector<Option<Arc<Event>>, ArcTK>,
    /// Index of the oldest event that is kept; one more than `last` if there is none.
    start: u64,
    /// Index of the latest event, kept or not.
    last: u64,
}

impl History {
    /// The history of a store at index `last` of which no event is known.
    pub(crate) fn after(last: u64) -> Self {
        Self { ring: Vector::new_with_ptr_kind(), start: last + 1, last }
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
        self.ring.get(slot(index))?.as_ref()
    }

    /// All slots that ever held an event, in order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<&Arc<Event>>> {
        let kept = self.start..=self.last;
        self.ring.iter().map(move |slot| slot.as_ref().filter(|event| kept.contains(&event.index)))
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
        if since < self.start {
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
        let slot = slot(event.index);
        while self.ring.len() <= slot {
            self.ring.push_back_mut(None);
        }
        let fits = self.ring.set_mut(slot, Some(event));
        assert!(fits, "the ring has this slot");
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
