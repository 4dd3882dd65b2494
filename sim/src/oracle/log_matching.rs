//! If two logs hold an entry with the same index and term, they are equal up to there.
//!
//! It is enough to know that an index and term always come with the same data and with the same
//! term before them: the rest follows by induction over the predecessors.

use quorate_core::raft::{Body, Entry, LogId, Message};

use super::Violation;
use super::ledger::entry_digest;
use crate::machine::Machine;

const NAME: &str = "log_matching";

/// What was seen at each index and term.
#[derive(Debug, Default)]
pub struct LogMatching {
    /// By index; nearly always there is one term.
    seen: Vec<Vec<Seen>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    term: u64,
    digest: u64,
    before: u64,
}

impl LogMatching {
    /// A member sent a message.
    ///
    /// # Errors
    /// If it carries or acknowledges an entry that differs from what was seen at its position.
    pub fn sent<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        message: &Message,
    ) -> Result<(), Violation> {
        match &message.body {
            Body::Append { prev, entries, .. } => self.appended(node, *prev, entries),
            Body::Appended { index } | Body::Held { index } => {
                self.acknowledged(node, machine, *index)
            }
            _ => Ok(()),
        }
    }

    fn acknowledged<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        index: u64,
    ) -> Result<(), Violation> {
        let base = machine.base();
        let before = match index.checked_sub(1) {
            Some(before) if before == base.index => Some(base.term),
            Some(before) => machine.entry(before).map(|entry| entry.term),
            None => None,
        };
        match (machine.entry(index), before) {
            (Some(entry), Some(before)) => self.see(node, entry, before),
            _ => Ok(()),
        }
    }

    fn appended(&mut self, node: usize, prev: LogId, entries: &[Entry]) -> Result<(), Violation> {
        let mut before = prev;
        for entry in entries {
            if entry.index != before.index + 1 || entry.term < before.term {
                let detail = format!("term {} is sent behind {before:?}", entry.term);
                return Err(Violation::safety(NAME, node, detail).at(entry.index));
            }
            self.see(node, entry, before.term)?;
            before = entry.id();
        }
        Ok(())
    }

    /// Compares the whole log of a member.
    ///
    /// # Errors
    /// If an entry differs from what was seen at its position.
    pub fn log<M: Machine>(&mut self, node: usize, machine: &M) -> Result<(), Violation> {
        let mut before = machine.base();
        for index in before.index + 1..=machine.last().index {
            let Some(entry) = machine.entry(index) else {
                let detail = "the log has a hole".to_owned();
                return Err(Violation::safety(NAME, node, detail).at(index));
            };
            self.see(node, entry, before.term)?;
            before = entry.id();
        }
        Ok(())
    }

    fn see(&mut self, node: usize, entry: &Entry, before: u64) -> Result<(), Violation> {
        let new = Seen { term: entry.term, digest: entry_digest(entry), before };
        let at = entry.index as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, Vec::new());
        }
        let Some(known) = self.seen[at].iter().find(|known| known.term == entry.term) else {
            self.seen[at].push(new);
            return Ok(());
        };
        if *known == new {
            return Ok(());
        }
        let detail = format!("term {} is {new:x?} here and {known:x?} elsewhere", entry.term);
        Err(Violation::safety(NAME, node, detail).at(entry.index))
    }
}
