//! Reading a data directory of etcd: which files, in which order, and what they come to.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::log::EtcdLog;
use super::{Imported, refusals, snap};
use crate::disk::DirEntry;
use crate::error::Refusal;
use crate::id::MemberId;
use crate::raft::{Entry, EntryKind, LogId, Snapshot};
use crate::wire::conf_change::ConfChange;
use crate::wire::request::Request;

/// Where a release keeps its files, relative to the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The segments of the log.
    pub wal: &'static str,
    /// The snapshots.
    pub snap: &'static str,
}

/// The layouts, the newest first: since 2.0.1 below `member`, before at the top.
pub const LAYOUTS: [Layout; 2] =
    [Layout { wal: "member/wal", snap: "member/snap" }, Layout { wal: "wal", snap: "snap" }];

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Among the segments.
    Wal,
    /// Among the snapshots.
    Snap,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub folder: Folder,
    /// Its name there.
    pub name: String,
    /// Its length in bytes, as it was listed.
    pub len: u64,
}

/// A data directory being read: it says which file is next, and is fed its content.
#[derive(Debug)]
pub struct Source {
    segments: VecDeque<File>,
    snapshots: VecDeque<(LogId, File)>,
    log: EtcdLog,
    snapshot: Option<Snapshot>,
    unreadable: Vec<String>,
}

impl Source {
    /// A data directory whose segments and snapshots are listed.
    ///
    /// # Errors
    /// There is no segment, or one is missing.
    pub fn new(wal: &[DirEntry], snap: &[DirEntry]) -> Result<Self, Refusal> {
        let mut numbered: Vec<((u64, u64), File)> = files(wal, Folder::Wal, ".wal").collect();
        numbered.sort_by_key(|(number, _)| *number);
        if numbered.is_empty() {
            return Err(refusals::no_log());
        }
        for pair in numbered.windows(2) {
            if pair[0].0.0.checked_add(1) != Some(pair[1].0.0) {
                return Err(refusals::gap(&pair[0].1.name, &pair[1].1.name));
            }
        }
        let mut snapshots: Vec<(LogId, File)> = files(snap, Folder::Snap, ".snap")
            .map(|((term, index), file)| (LogId { term, index }, file))
            .collect();
        snapshots.sort_by_key(|(id, _)| core::cmp::Reverse((id.index, id.term)));
        Ok(Self {
            segments: numbered.into_iter().map(|(_, file)| file).collect(),
            snapshots: snapshots.into(),
            log: EtcdLog::default(),
            snapshot: None,
            unreadable: Vec::new(),
        })
    }

    /// What there is to read at most, in bytes.
    pub fn len(&self) -> u64 {
        let snapshots = self.snapshots.iter().map(|(_, file)| file);
        self.segments.iter().chain(snapshots).map(|file| file.len).sum()
    }

    /// Whether there is nothing to read any more.
    pub fn is_empty(&self) -> bool {
        self.next_file().is_none()
    }

    /// The file whose content is to be fed next.
    pub fn next_file(&self) -> Option<&File> {
        let snapshot = self.snapshots.iter().find(|(id, _)| self.counts(*id));
        let wanted = if self.snapshot.is_none() { snapshot.map(|(_, file)| file) } else { None };
        self.segments.front().or(wanted)
    }

    /// Takes the content of [`next_file`](Self::next_file).
    ///
    /// # Errors
    /// The log is damaged. A snapshot that is damaged is passed over for an older one.
    pub fn feed(&mut self, bytes: &Bytes) -> Result<(), Refusal> {
        if let Some(segment) = self.segments.pop_front() {
            return self.log.take(&segment.name, bytes, self.segments.is_empty());
        }
        while let Some((id, file)) = self.snapshots.pop_front() {
            if !self.counts(id) {
                continue;
            }
            match snap::read(bytes) {
                Some(snapshot) if snapshot.last == id => self.snapshot = Some(snapshot),
                _ => self.unreadable.push(file.name),
            }
            break;
        }
        Ok(())
    }

    /// Whether a snapshot is one that the log knows, of entries that were committed.
    fn counts(&self, id: LogId) -> bool {
        self.log.saved.contains(&id) && id.index <= self.log.hard_state.commit
    }

    /// What was read.
    ///
    /// # Errors
    /// Log and snapshots do not fit together, or hold what cannot be carried out here.
    pub fn finish(self) -> Result<Imported, Refusal> {
        let Self { log, snapshot, unreadable, .. } = self;
        let EtcdLog { owner, hard_state, mut entries, cut, .. } = log;
        let owner = owner.ok_or_else(refusals::no_owner)?;
        let base = snapshot.as_ref().map(|snapshot| snapshot.last).unwrap_or_default();
        entries.retain(|entry| entry.index > base.index);
        if let Some(first) = entries.first().filter(|first| first.index != base.index + 1) {
            return Err(refusals::hole(base.index, first.index, &unreadable));
        }
        let last = entries.last().map_or(base.index, |entry| entry.index);
        if hard_state.commit > last {
            return Err(refusals::short(hard_state.commit, last));
        }
        entries.iter().try_for_each(can_be_carried_out)?;
        Ok(Imported { owner, hard_state, snapshot, entries, cut })
    }
}

fn can_be_carried_out(entry: &Entry) -> Result<(), Refusal> {
    let read = match entry.kind {
        EntryKind::Normal if entry.data.is_empty() => return Ok(()),
        EntryKind::Normal => {
            Request::decode(entry.data.clone()).map(|_| ()).map_err(|e| alloc::format!("{e}"))
        }
        EntryKind::ConfChange => match ConfChange::decode(entry.data.clone()) {
            Ok(change) if change.node == MemberId(0) => Err("it changes nobody".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(alloc::format!("{error}")),
        },
    };
    read.map_err(|cause| refusals::foreign(entry.index, &cause))
}

/// The files of one kind, with the two numbers in their names.
fn files<'a>(
    listing: &'a [DirEntry],
    folder: Folder,
    extension: &'static str,
) -> impl Iterator<Item = ((u64, u64), File)> + 'a {
    listing.iter().filter(|entry| !entry.is_dir).filter_map(move |entry| {
        let (first, second) = entry.name.strip_suffix(extension)?.split_once('-')?;
        let number = |hex: &str| u64::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 16);
        let file = File { folder, name: entry.name.clone(), len: entry.len };
        Some(((number(first)?, number(second)?), file))
    })
}
