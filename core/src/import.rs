//! Taking over the data directory of a stopped etcd 2.x or 3.4 member.
//!
//! The way out of etcd that needs no running cluster: what the member had acknowledged, its log, its
//! v2 store and who it is, becomes a data directory of Quorate with the same IDs and the same
//! indexes. Nothing of etcd's is written to.
//!
//! ```text
//!   segments ─▶ frames ─▶ log ──┐
//!                               ├─▶ source ─▶ Imported ─▶ a directory, or compare
//!   snapshots ─▶ snap ──────────┘
//! ```

mod castagnoli;
mod compare;
mod frames;
mod log;
mod refusals;
mod snap;
mod source;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use crate::directory::Content;
use crate::raft::{Entry, Snapshot};
use crate::wal::{HardState, Owner};

pub use compare::{Compared, compare};
pub use log::Cut;
pub use source::{File, Folder, LAYOUTS, Layout, Source};

/// A member as its data directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Who it is.
    pub owner: Owner,
    /// Its term, its vote and what it knew to be committed.
    pub hard_state: HardState,
    /// The newest snapshot that can be relied on; nothing if the log reaches back to its first
    /// entry.
    pub snapshot: Option<Snapshot>,
    /// The log behind the snapshot.
    pub entries: Vec<Entry>,
    /// The end of the log that a crash had left unfinished, and that is not taken over.
    pub cut: Option<Cut>,
}

impl Imported {
    /// The index of the last entry.
    pub fn last_index(&self) -> u64 {
        let snapshot = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index);
        self.entries.last().map_or(snapshot, |entry| entry.index)
    }
}

impl From<Imported> for Content {
    fn from(imported: Imported) -> Self {
        let Imported { owner, hard_state, snapshot, entries, cut: _ } = imported;
        Self { owner, hard_state, snapshot, entries }
    }
}
