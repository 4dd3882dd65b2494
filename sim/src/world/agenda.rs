//! What is going to happen, by time and, at one moment, by the order of its making.
//!
//! The runtime's own timers cannot be taken back and fire in random order; these can, and do not.

use std::collections::BTreeMap;
use std::task::Waker;

use super::event::Event;

/// A planned event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    at: u64,
    made: u64,
}

/// All planned events.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BTreeMap<Key, Event>,
    made: u64,
    /// Whoever carries events out, and the time for which it has set its alarm.
    waits: Option<(u64, Waker)>,
}

impl Agenda {
    /// Plans an event.
    pub(super) fn push(&mut self, at: u64, event: Event) -> Key {
        self.made += 1;
        let key = Key { at, made: self.made };
        self.events.insert(key, event);
        if let Some((_, waker)) = self.waits.take_if(|(alarm, _)| at < *alarm) {
            waker.wake();
        }
        key
    }

    /// Takes back an event that has not happened yet.
    pub(super) fn cancel(&mut self, key: Key) {
        self.events.remove(&key);
    }

    /// The event that comes first, if its time has come.
    pub(super) fn pop(&mut self, now: u64) -> Option<Event> {
        let first = self.events.first_entry()?;
        (first.key().at <= now).then(|| first.remove())
    }

    /// When the next event comes, if one is planned. `waker` is woken if one comes in between.
    pub(super) fn wait(&mut self, waker: &Waker) -> Option<u64> {
        let next = self.events.first_key_value().map(|(key, _)| key.at);
        self.waits = Some((next.unwrap_or(u64::MAX), waker.clone()));
        next
    }

    /// Wakes whoever carries events out.
    pub(super) fn wake(&mut self) {
        if let Some((_, waker)) = self.waits.take() {
            waker.wake();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.waits = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_by_order_unless_taken_back() {
        let mut agenda = Agenda::default();
        agenda.push(5, Event::Power(3));
        agenda.push(1, Event::Power(1));
        let key = agenda.push(3, Event::Power(2));
        agenda.push(5, Event::Power(4));
        agenda.cancel(key);
        let mut order = Vec::new();
        assert!(agenda.pop(0).is_none());
        while let Some(event) = agenda.pop(5) {
            let Event::Power(number) = event else { panic!("{event:?}") };
            order.push(number);
        }
        assert_eq!(order, [1, 3, 4]);
    }
}
