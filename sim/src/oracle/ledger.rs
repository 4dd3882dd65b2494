//! State machine safety: all members commit and apply the same entries in the same order.
//!
//! The ledger is the one sequence of committed entries, as the members' notes reveal it. The other
//! oracles compare with it.

use quorate_core::raft::{Entry, EntryKind, LogId};

use super::Violation;
use super::configurations::Configurations;
use crate::digest::Digest;
use crate::machine::Machine;

const NAME: &str = "state_machine_safety";

/// A committed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its term.
    pub term: u64,
    /// Digest of its kind and data.
    pub digest: u64,
    /// A term in which, or before which, it was committed: that of the last entry which the member
    /// that revealed it knew to be committed. A leader commits only through an entry of its own term.
    pub committed_in: u64,
}

/// The committed entries of a cluster, and how far each member has come.
#[derive(Debug)]
pub struct Ledger {
    entries: Vec<Option<Committed>>,
    configurations: Configurations,
    committed: Vec<u64>,
    applied: Vec<u64>,
    /// The highest index that each member ever applied, in whichever process.
    reached: Vec<u64>,
}

/// The digest of what an entry says.
pub fn entry_digest(entry: &Entry) -> u64 {
    let mut digest = Digest::default();
    digest.add(u64::from(entry.kind == EntryKind::ConfChange));
    digest.add_bytes(&entry.data);
    digest.value()
}

impl Ledger {
    pub(super) fn new(members: usize) -> Self {
        Self {
            entries: Vec::new(),
            configurations: Configurations::default(),
            committed: vec![0; members],
            applied: vec![0; members],
            reached: vec![0; members],
        }
    }

    /// The configurations that the committed entries make.
    pub const fn configurations(&self) -> &Configurations {
        &self.configurations
    }

    /// The last index known to be committed.
    pub const fn last_index(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The committed entry at an index, if any member revealed it.
    pub fn get(&self, index: u64) -> Option<Committed> {
        let at = usize::try_from(index.checked_sub(1)?).ok()?;
        self.entries.get(at).copied().flatten()
    }

    pub(super) fn applied_index(&self, node: usize) -> u64 {
        self.applied[node]
    }

    pub(super) fn reached(&self, node: usize) -> u64 {
        self.reached[node]
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.reached.swap(a, b);
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.started(node);
        self.reached[node] = 0;
    }

    pub(super) fn started(&mut self, node: usize) {
        self.committed[node] = 0;
        self.applied[node] = 0;
    }

    /// A member learned that everything up to `last` is committed.
    ///
    /// # Errors
    /// If its log has another entry there than another member committed.
    pub(super) fn committed<M: Machine>(
        &mut self,
        node: usize,
        last: LogId,
        machine: &M,
    ) -> Result<(), Violation> {
        let from = self.committed[node];
        if last.index < from {
            let detail = format!("the commit index went back from {from}");
            return Err(Violation::safety(NAME, node, detail).at(last.index));
        }
        self.committed[node] = last.index;
        self.compare(node, from, last, last.term, machine)
    }

    /// A member applied everything up to `last`.
    ///
    /// # Errors
    /// If it applied another entry than another member, or one that it did not call committed, or
    /// went back.
    pub(super) fn applied<M: Machine>(
        &mut self,
        node: usize,
        last: LogId,
        machine: &M,
    ) -> Result<(), Violation> {
        let from = self.applied[node];
        if last.index <= from {
            let detail = format!("applied again after {from}");
            return Err(Violation::safety(NAME, node, detail).at(last.index));
        }
        self.applied[node] = last.index;
        self.reached[node] = self.reached[node].max(last.index);
        // What is applied in one go may end before what is committed.
        let commit = machine.standing().and_then(|standing| machine.entry(standing.commit));
        let committed_in = commit.map_or(last.term, |entry| entry.term);
        self.compare(node, from, last, committed_in, machine)
    }

    /// A member took over a snapshot.
    ///
    /// # Errors
    /// If it stands for an entry that is not the committed one.
    pub(super) fn installed(&mut self, node: usize, last: LogId) -> Result<(), Violation> {
        let known = self.get(last.index);
        if known.is_none_or(|k| k.term != last.term) {
            let detail = format!("a snapshot up to term {}, committed is {known:?}", last.term);
            return Err(Violation::safety(NAME, node, detail).at(last.index));
        }
        self.committed[node] = self.committed[node].max(last.index);
        self.applied[node] = self.applied[node].max(last.index);
        self.reached[node] = self.reached[node].max(last.index);
        Ok(())
    }

    fn compare<M: Machine>(
        &mut self,
        node: usize,
        from: u64,
        last: LogId,
        committed_in: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        // What lies at or below the base was compared when it was committed here, or came with a
        // snapshot whose last entry is compared instead.
        for index in from.max(machine.base().index) + 1..=last.index {
            let Some(entry) = machine.entry(index) else {
                let detail = "committed or applied, but not in the log".to_owned();
                return Err(Violation::safety(NAME, node, detail).at(index));
            };
            let (term, digest) = (entry.term, entry_digest(entry));
            match self.get(index) {
                Some(known) if (known.term, known.digest) != (term, digest) => {
                    let detail = format!("has term {term} ({digest:x}), committed is {known:x?}");
                    return Err(Violation::safety(NAME, node, detail).at(index));
                }
                Some(_) => {}
                None => {
                    self.configurations.committed(entry);
                    self.insert(index, Committed { term, digest, committed_in });
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, index: u64, entry: Committed) {
        let at = index as usize - 1;
        if self.entries.len() <= at {
            self.entries.resize(at + 1, None);
        }
        self.entries[at] = Some(entry);
    }
}
