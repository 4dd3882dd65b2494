//! The log in memory: everything since the last compaction.
//!
//! Three marks move through it, each behind the one before: the last entry, the last one handed to
//! the disk, and the last one known to be durable.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::entry::{Entry, LogId};

/// The entries after `base`, and how far they have come on their way to the disk.
#[derive(Clone, Debug, Hash)]
pub struct Log {
    /// The last entry that was compacted away, or that a snapshot stands for.
    base: LogId,
    entries: VecDeque<Entry>,
    /// Up to here the entries were handed out by [`Log::take_unwritten`].
    handed: u64,
    /// Bytes of data of the entries after `handed`.
    unwritten: usize,
    /// Up to here the entries are durable.
    durable: u64,
    /// Counts the times that entries were cut off. An entry that was written, cut and written
    /// again looks the same each time, but only the last time counts.
    epoch: u64,
}

/// What became of entries offered by a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The log agrees with the leader's up to this index.
    Taken(u64),
    /// The entry before those offered is not there.
    Gap,
    /// The entries contradict a committed one, which no correct leader can do.
    Contradiction(u64),
}

/// Names a write of entries: what is known to be durable once it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Written {
    epoch: u64,
    last: u64,
}

impl Log {
    /// A log that holds `entries`, all durable, behind `base`.
    ///
    /// # Panics
    /// If the entries do not follow `base` without a gap.
    pub fn new(base: LogId, entries: impl IntoIterator<Item = Entry>) -> Self {
        let entries: VecDeque<Entry> = entries.into_iter().collect();
        for (i, entry) in (1..).zip(&entries) {
            assert_eq!(entry.index, base.index + i, "the entries follow the base");
        }
        let last = base.index + entries.len() as u64;
        Self { base, entries, handed: last, unwritten: 0, durable: last, epoch: 0 }
    }

    /// The last entry that is not in the log any more.
    pub const fn base(&self) -> LogId {
        self.base
    }

    /// The last entry, or the base if there is none.
    pub fn last(&self) -> LogId {
        self.entries.back().map_or(self.base, Entry::id)
    }

    /// The index up to which all is durable.
    pub const fn durable(&self) -> u64 {
        self.durable
    }

    /// The term of the entry at `index`; absent where it is compacted or not there yet.
    pub fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.get(index).map(|e| e.term)
    }

    /// The entry at `index`.
    pub fn get(&self, index: u64) -> Option<&Entry> {
        let offset = index.checked_sub(self.base.index + 1)?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// Entries from `from` on, at most up to `to` and at most about `bytes` of data, but at least
    /// one if there is one.
    pub fn slice(&self, from: u64, to: u64, bytes: usize) -> Vec<Entry> {
        let Some(first) = from.checked_sub(self.base.index + 1) else { return Vec::new() };
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(self.entries.len());
        let most = usize::try_from((to + 1).saturating_sub(from)).unwrap_or(usize::MAX);
        let mut size = 0_usize;
        let fits = |entry: &&Entry| {
            let only = size == 0;
            // What etcd's encoding adds to the data of an entry, roughly.
            size = size.saturating_add(entry.data.len() + 24);
            only || size <= bytes
        };
        let count = self.entries.range(first..).take(most).take_while(fits).count();
        self.entries.range(first..first + count).cloned().collect()
    }

    /// Appends at the end, as a leader does.
    ///
    /// # Panics
    /// If the entry does not follow the last one, or its term goes back.
    pub fn push(&mut self, entry: Entry) {
        let last = self.last();
        assert_eq!(entry.index, last.index + 1, "an entry follows the last one");
        assert!(entry.term >= last.term, "terms never go back");
        self.unwritten += entry.data.len();
        self.entries.push_back(entry);
    }

    /// Takes entries that a leader offers: drops what differs, from the first difference on, and
    /// appends the rest.
    pub fn offer(&mut self, prev: LogId, entries: Vec<Entry>, commit: u64) -> Offer {
        if self.term_at(prev.index) != Some(prev.term) {
            return Offer::Gap;
        }
        let mut last = prev.index;
        for entry in entries {
            if entry.index != last + 1 {
                return Offer::Contradiction(entry.index);
            }
            last = entry.index;
            match self.term_at(entry.index) {
                Some(term) if term == entry.term => continue,
                Some(_) if entry.index <= commit => return Offer::Contradiction(entry.index),
                Some(_) => self.cut(entry.index),
                None => {}
            }
            if entry.term < self.last().term {
                return Offer::Contradiction(entry.index);
            }
            self.push(entry);
        }
        if planted!(TruncateOnOldAppend) && last < self.last().index {
            self.cut(last + 1);
        }
        Offer::Taken(last)
    }

    /// Drops the entries from `index` on.
    fn cut(&mut self, index: u64) {
        assert!(index > self.base.index, "what is compacted cannot be cut");
        let unwritten = index.max(self.handed + 1)..=self.last().index;
        let bytes: usize = unwritten.filter_map(|i| self.get(i)).map(|e| e.data.len()).sum();
        self.unwritten -= bytes;
        self.entries.truncate(usize::try_from(index - self.base.index - 1).unwrap_or(usize::MAX));
        self.handed = self.handed.min(index - 1);
        self.durable = self.durable.min(index - 1);
        self.epoch += 1;
    }

    /// The last position at or before `index` whose term is not above `term`: where a log whose
    /// entry at `index` has that term may still agree with this one.
    pub fn agreement(&self, index: u64, term: u64) -> LogId {
        let mut at = index.min(self.last().index);
        while let Some(here) = self.term_at(at) {
            if here <= term || at == 0 {
                return LogId { term: here, index: at };
            }
            at -= 1;
        }
        // Compacted: no more is known than where the log begins.
        LogId { term: 0, index: at }
    }

    /// How many entries were not handed out yet, and the bytes of their data.
    pub fn unwritten(&self) -> (usize, usize) {
        let count = usize::try_from(self.last().index - self.handed).unwrap_or(usize::MAX);
        (count, self.unwritten)
    }

    /// The entries that were not handed out yet, if any, and the name of their write.
    pub fn take_unwritten(&mut self) -> Option<(Vec<Entry>, Written)> {
        let last = self.last().index;
        if self.handed == last {
            return None;
        }
        let entries = self.slice(self.handed + 1, last, usize::MAX);
        self.handed = last;
        self.unwritten = 0;
        Some((entries, Written { epoch: self.epoch, last }))
    }

    /// A write has become durable. Says whether that moved [`Log::durable`].
    pub fn written(&mut self, write: Written) -> bool {
        // Whatever was cut since is written again, under a later name.
        let moved = write.epoch == self.epoch && write.last > self.durable;
        if moved {
            assert!(write.last <= self.handed, "only what was handed out becomes durable");
            self.durable = write.last;
        }
        moved
    }

    /// Forgets the entries up to `index`.
    ///
    /// # Panics
    /// If `index` is beyond what is durable.
    pub fn compact(&mut self, index: u64) {
        assert!(index <= self.durable, "only durable entries are compacted");
        if let Some(term) = self.term_at(index).filter(|_| index > self.base.index) {
            let count = usize::try_from(index - self.base.index).unwrap_or(usize::MAX);
            self.entries.drain(..count);
            self.base = LogId { term, index };
        }
    }

    /// Replaces the whole log by a snapshot that stands for everything up to `base`.
    pub fn reset(&mut self, base: LogId) {
        *self = Self { epoch: self.epoch + 1, ..Self::new(base, []) };
    }
}
