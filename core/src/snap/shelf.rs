//! Which snapshot files there are, and which may go.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{DIR, path};
use crate::disk::{DirEntry, Op, Script};
use crate::raft::LogId;
use crate::wal::{KEPT_MARKS, name};

/// A snapshot file, going by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The entry up to which it stands.
    pub id: LogId,
    /// The file, relative to the data directory.
    pub path: Arc<str>,
}

/// The snapshot files among the entries of [`DIR`], newest first.
pub fn candidates(listing: &[DirEntry]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = listing
        .iter()
        .filter(|entry| !entry.is_dir)
        .filter_map(|entry| name::parse(&entry.name, "snap"))
        .map(|(term, index)| LogId { term, index })
        .map(|id| Candidate { id, path: path(id, "snap").into() })
        .collect();
    found.sort_by_key(|candidate| core::cmp::Reverse((candidate.id.index, candidate.id.term)));
    found
}

/// The snapshot files that count, and the removal of those that do not any more.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// Oldest first.
    kept: Vec<LogId>,
}

impl Shelf {
    /// Starts from the entries of [`DIR`] and the marks of the log, oldest first. Files without a
    /// mark and temporary files are removed, so nothing may be being saved.
    pub fn new(listing: &[DirEntry], marks: &[LogId], script: &mut Script) -> Self {
        let temporary = listing
            .iter()
            .filter(|entry| !entry.is_dir && name::parse(&entry.name, "tmp").is_some());
        for entry in temporary {
            script.push(Op::Remove { path: format!("{DIR}/{}", entry.name).into() });
        }
        let mut kept = Vec::new();
        for candidate in candidates(listing) {
            if marks.contains(&candidate.id) && kept.len() < KEPT_MARKS {
                kept.insert(0, candidate.id);
            } else {
                script.push(Op::Remove { path: candidate.path });
            }
        }
        Self { kept }
    }

    /// The mark of a snapshot whose file was saved is durable: the oldest ones may go.
    pub fn marked(&mut self, id: LogId, script: &mut Script) {
        self.kept.retain(|kept| *kept != id);
        self.kept.push(id);
        while self.kept.len() > KEPT_MARKS {
            script.push(Op::Remove { path: path(self.kept.remove(0), "snap").into() });
        }
    }

    /// The snapshots that are kept, oldest first.
    pub fn kept(&self) -> &[LogId] {
        &self.kept
    }
}
