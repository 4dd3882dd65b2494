//! The disk of one member: what is durable, and what is on its way.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use quorate_core::disk::Ticket;
use quorate_core::raft::{Batch, Entry, LogId};
use quorate_core::wal::HardState;

/// Batches become durable one after the other, each as a whole; a crash loses the others.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    /// The durable hard state.
    pub(crate) hard: HardState,
    /// The durable entries.
    pub(crate) entries: Vec<Entry>,
    /// What is on its way.
    writes: VecDeque<Write>,
    /// The last ticket that was handed out.
    last: Ticket,
}

#[derive(Clone, Debug)]
struct Write {
    ticket: Ticket,
    hard: HardState,
    entries: Vec<Entry>,
}

impl Disk {
    /// A disk on which this is durable.
    pub(crate) const fn new(hard: HardState, entries: Vec<Entry>) -> Self {
        Self { hard, entries, writes: VecDeque::new(), last: Ticket(0) }
    }

    /// Begins to write a batch.
    pub(crate) fn write(&mut self, batch: &Batch) -> Ticket {
        self.last.0 += 1;
        let write = Write { ticket: self.last, hard: batch.hard, entries: batch.entries.clone() };
        self.writes.push_back(write);
        self.last
    }

    /// Whether something is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        !self.writes.is_empty()
    }

    /// The oldest batch that is on its way becomes durable.
    pub(crate) fn sync(&mut self) -> Option<Ticket> {
        let Write { ticket, hard, entries } = self.writes.pop_front()?;
        self.hard = hard;
        if let Some(first) = entries.first() {
            self.entries.retain(|entry| entry.index < first.index);
            self.entries.extend(entries);
        }
        Some(ticket)
    }

    /// The power is lost.
    pub(crate) fn crash(&mut self) {
        self.writes.clear();
    }

    /// Whether an entry is durable here.
    pub(crate) fn holds(&self, id: LogId) -> bool {
        self.entries.iter().any(|entry| entry.id() == id)
    }
}

/// How many tickets there were makes no difference.
impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { hard, entries, writes, last: _ } = self;
        (hard, entries, writes.len()).hash(state);
        for Write { ticket: _, hard, entries } in writes {
            (hard, entries).hash(state);
        }
    }
}
