//! A log, its disk, and what has to be found again.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{OWNER, entry, replay};
use crate::disk::double::{Dice, Disk};
use crate::disk::{Done, Script, Ticket};
use crate::error::Refusal;
use crate::id::MemberId;
use crate::raft::{Entry, LogId};
use crate::wal::{self, Batch, Event, HardState, KEPT_MARKS, Mark, Recovered, Wal};

pub(super) const SEGMENT: u64 = wal::MIN_SEGMENT_BYTES;

/// The log as a list of entries and no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) hard_state: HardState,
    pub(super) base: LogId,
    pub(super) entries: Vec<Entry>,
    pub(super) marks: Vec<LogId>,
}

impl Model {
    pub(super) fn last(&self) -> LogId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    fn append(&mut self, batch: &Batch<'_>) {
        if let Some(mark) = batch.mark {
            if let Mark::Installed(id) = mark {
                (self.base, self.entries, self.marks) = (id, Vec::new(), Vec::new());
            }
            self.marks.push(mark.id());
            let dropped = self.marks.len().saturating_sub(KEPT_MARKS);
            self.marks.drain(..dropped);
        }
        for entry in batch.entries {
            self.entries.retain(|old| old.index < entry.index);
            self.entries.push(entry.clone());
        }
        self.hard_state = batch.hard_state.unwrap_or(self.hard_state);
    }

    /// Whether a recovered log is this one, apart from entries that may be gone.
    pub(super) fn is(&self, found: &Recovered, kept_from: u64) -> bool {
        let from = found.base.index;
        let rest = self.entries.iter().filter(|entry| entry.index > from);
        self.hard_state == found.hard_state
            && self.marks == found.marks
            && rest.eq(&found.entries)
            && (self.base.index..=self.last().index).contains(&from)
            && (from == self.base.index || from < kept_from)
    }
}

pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) script: Script,
    pub(super) wal: Wal,
    pub(super) dice: Dice,
    /// The log after each batch that was appended.
    pub(super) history: Vec<Model>,
    /// How many of them are known to be durable.
    pub(super) durable: usize,
    pub(super) dones: VecDeque<Done>,
    pub(super) room_changes: usize,
    tickets: Vec<(Ticket, usize)>,
    kept_from: u64,
    /// How many batches were found at the last start.
    found: usize,
    /// Whether the log has failed.
    pub(super) faulty: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut script = Script::default();
        let (owner, start) = (OWNER, HardState::default());
        let wal = Wal::create(owner, seed, SEGMENT, start, LogId::default(), &mut script);
        let mut disk = Disk::default();
        disk.take(&mut script);
        Self {
            disk,
            script,
            wal,
            dice: Dice(seed | 1),
            history: vec![Model::default()],
            durable: 0,
            dones: VecDeque::new(),
            room_changes: 0,
            tickets: Vec::new(),
            kept_from: 0,
            found: 0,
            faulty: false,
        }
    }

    pub(super) fn now(&self) -> &Model {
        self.history.last().unwrap()
    }

    pub(super) fn append(&mut self, batch: &Batch<'_>) {
        let mut model = self.now().clone();
        model.append(batch);
        self.history.push(model);
        let ticket = self.wal.append(batch, &mut self.script);
        self.tickets.push((ticket, self.history.len() - 1));
        self.disk.take(&mut self.script);
    }

    /// Appends entries, some of which may replace the tail behind the newest snapshot.
    pub(super) fn append_entries(&mut self, count: usize, size: usize, back: u64) {
        let now = self.now();
        let floor = now.marks.last().map_or(0, |mark| mark.index).max(now.base.index);
        let first = now.last().index.saturating_sub(back).max(floor) + 1;
        let term = now.hard_state.term.max(now.last().term) + u64::from(first <= now.last().index);
        let data: Vec<u8> = (0..size).map(|_| self.dice.below(256) as u8).collect();
        let entries: Vec<Entry> =
            (0..count as u64).map(|n| entry(term.max(1), first + n, &data)).collect();
        let commit = self.now().hard_state.commit;
        let hard_state = Some(HardState { term, vote: None, commit });
        self.append(&Batch { hard_state, entries: &entries, mark: None });
    }

    pub(super) fn append_vote(&mut self) {
        let HardState { term, commit, .. } = self.now().hard_state;
        let commit = commit + 1 + self.dice.below(1000) as u64;
        let vote = Some(MemberId(self.dice.below(3) as u64)).filter(|vote| vote.0 > 0);
        let hard_state = Some(HardState { term: term + 1, vote, commit });
        self.append(&Batch { hard_state, ..Batch::default() });
    }

    /// Marks the newest entry as saved, or a snapshot beyond the log as installed.
    pub(super) fn append_mark(&mut self, install: bool) {
        let LogId { term, index } = self.now().last();
        let mark = if install {
            Mark::Installed(LogId { term: term + 1, index: index + 5 })
        } else if self.now().entries.is_empty()
            || self.now().marks.last() == Some(&self.now().last())
        {
            return;
        } else {
            Mark::Saved(LogId { term, index })
        };
        self.append(&Batch { mark: Some(mark), ..Batch::default() });
    }

    /// Releases everything before the newest snapshot, durable or not.
    pub(super) fn release(&mut self) {
        let index = self.now().marks.last().map_or(0, |mark| mark.index);
        self.kept_from = self.kept_from.max(index + 1);
        self.wal.release(index + 1, &mut self.script);
        self.disk.take(&mut self.script);
    }

    pub(super) fn is_batch(&self, ticket: Ticket) -> bool {
        self.tickets.iter().any(|(known, _)| *known == ticket)
    }

    pub(super) fn carry_out(&mut self) {
        let merge = self.dice.below(2) == 0;
        self.dones.extend(self.disk.step(merge));
    }

    /// Delivers one answer, not always the oldest.
    pub(super) fn deliver(&mut self) {
        let at = self.dice.below(3).min(self.dones.len().saturating_sub(1));
        if let Some(done) = self.dones.remove(at) {
            let event = self.wal.handle(&done, &mut self.script);
            self.disk.take(&mut self.script);
            match event {
                Event::Durable(ticket) => {
                    let known = self.tickets.iter().find(|(known, _)| *known == ticket);
                    let (_, count) = known.expect("a ticket of a batch");
                    assert!(*count > self.durable, "durable in the order of appending");
                    self.durable = *count;
                }
                Event::RoomChanged => self.room_changes += 1,
                Event::Progress => {}
                Event::Fault(_) => self.faulty = true,
                Event::Unrelated => panic!("{event:?}"),
            }
        }
    }

    /// Lets everything happen that can.
    pub(super) fn settle(&mut self) {
        while self.disk.is_busy() || !self.dones.is_empty() {
            self.carry_out();
            self.deliver();
        }
        // What was found is durable by now, though nobody has a ticket for it.
        if !self.faulty {
            self.durable = self.durable.max(self.found);
        }
    }

    pub(super) fn files(&self) -> Vec<(String, Bytes)> {
        let path = |name: &str| format!("{}/{name}", wal::DIR);
        let listing = self.disk.list(wal::DIR);
        listing.iter().map(|e| (e.name.clone(), self.disk.read(&path(&e.name)))).collect()
    }

    pub(super) fn found(&self) -> Result<Option<Recovered>, Refusal> {
        replay(&self.files())
    }

    /// Ends a process whose log has failed, some time later, and starts another.
    pub(super) fn revive(&mut self) {
        if self.faulty {
            (0..self.dice.below(8)).for_each(|_| self.carry_out());
            if self.dice.below(2) == 0 {
                self.disk.kill();
            } else {
                self.disk.crash(&mut self.dice);
            }
            self.restart();
        }
    }

    /// Starts again from what is on the disk, and checks that nothing is missing.
    pub(super) fn restart(&mut self) {
        self.script = Script::default();
        self.faulty = false;
        (self.dones, self.tickets) = (VecDeque::new(), Vec::new());
        let entropy = self.dice.below(usize::MAX >> 33) as u64;
        let found = self.found().expect("a crash is no reason to refuse");
        if let Some(found) = found {
            let fits = |n: &usize| self.history[*n].is(&found, self.kept_from);
            let count = (self.durable..self.history.len()).rev().find(fits);
            let count = count.unwrap_or_else(|| {
                panic!("{found:?} is nothing of {:?}", &self.history[self.durable..])
            });
            self.history.truncate(count + 1);
            assert_eq!(found.owner, OWNER);
            self.wal = found.into_wal(entropy, SEGMENT, &mut self.script);
        } else {
            assert_eq!(self.durable, 0, "the log is gone");
            self.history.truncate(1);
            let (start, base) = (HardState::default(), LogId::default());
            self.wal = Wal::create(OWNER, entropy, SEGMENT, start, base, &mut self.script);
        }
        self.found = self.history.len() - 1;
        self.disk.take(&mut self.script);
    }
}
