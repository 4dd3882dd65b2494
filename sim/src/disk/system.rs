//! A file system that keeps apart what the running process sees and what is durable.
//!
//! A file's data becomes durable with its sync, a directory's entries with theirs, and nothing else
//! makes anything durable. A power loss keeps an arbitrary part of the rest: a prefix, a random
//! subset, everything or nothing, with one of the writes that survive torn at a random byte. That
//! is harsher than any one file system, and what POSIX allows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use quorate_core::disk::{DirEntry, DiskError, DiskErrorKind};

use super::file::{File, Write};
use super::rot::Rot;
use crate::chance::Chance;
use crate::digest::Digest;

/// A file, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inode(u64);

/// One data directory.
#[derive(Debug, Default)]
pub struct FileSystem {
    pub(super) files: BTreeMap<Inode, File>,
    made: u64,
    /// Paths of files as the process sees them.
    pub(super) names: BTreeMap<Arc<str>, Inode>,
    pub(super) durable_names: BTreeMap<Arc<str>, Inode>,
    pub(super) dirs: BTreeSet<Arc<str>>,
    pub(super) durable_dirs: BTreeSet<Arc<str>>,
    /// Changes of directories since they were last synced, in order.
    pub(super) pending: Vec<Change>,
    /// How often each file is open.
    open: BTreeMap<Inode, u32>,
    locked: bool,
    full: bool,
    no_space: u64,
    pub(super) misread: Option<Rot>,
    pub(super) misreads: u64,
}

/// A change of a directory that is not durable yet.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Dir(Arc<str>),
    Link(Arc<str>, Inode),
    Rename(Arc<str>, Arc<str>, Inode),
    Unlink(Arc<str>),
}

pub(super) fn error(kind: DiskErrorKind, message: impl Into<String>) -> DiskError {
    DiskError { kind, message: message.into() }
}

/// The directory that holds `path`; the data directory itself is the empty path.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

impl FileSystem {
    /// Whether no space is left from now on. What is reserved already can still be written.
    pub const fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// How many operations found no space so far.
    pub const fn no_space_count(&self) -> u64 {
        self.no_space
    }

    /// Whether nothing was ever made durable here.
    pub fn is_blank(&self) -> bool {
        self.durable_names.is_empty()
    }

    /// A digest of all that a process would find here.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        for (path, inode) in &self.names {
            digest.add_bytes(path.as_bytes());
            let content = self.files.get(inode).map(File::content).unwrap_or_default();
            digest.add(content.len() as u64);
            digest.add(crc32fast::hash(&content).into());
        }
        digest.value()
    }

    /// A copy of what is durable.
    pub fn durable_copy(&self) -> Self {
        Self {
            files: self.files.iter().map(|(inode, file)| (*inode, file.durable_copy())).collect(),
            made: self.made,
            names: self.durable_names.clone(),
            durable_names: self.durable_names.clone(),
            dirs: self.durable_dirs.clone(),
            durable_dirs: self.durable_dirs.clone(),
            ..Self::default()
        }
    }

    /// Puts `other` in the place of this directory. How full the disk is, and what was counted,
    /// stays.
    pub fn replace(&mut self, other: Self) {
        let (full, no_space, misreads) = (self.full, self.no_space, self.misreads);
        *self = Self { full, no_space, misreads, ..other };
    }

    /// Takes the lock of the data directory.
    ///
    /// # Errors
    /// If it is held already.
    pub fn lock(&mut self) -> Result<(), DiskError> {
        if self.locked {
            return Err(error(DiskErrorKind::Locked, "lock: held by another process"));
        }
        self.locked = true;
        Ok(())
    }

    /// Makes a directory and its parents.
    pub fn make_dir(&mut self, path: &str) {
        let mut end = 0;
        while end < path.len() {
            end = path[end..].find('/').map_or(path.len(), |at| end + at);
            let part: Arc<str> = Arc::from(&path[..end]);
            end += 1;
            if self.dirs.insert(part.clone()) {
                self.pending.push(Change::Dir(part));
            }
        }
    }

    /// The entries of a directory, sorted by name; none if it is absent.
    pub fn list(&self, path: &str) -> Vec<DirEntry> {
        let inside = |name: &str| -> Option<String> {
            (parent(name) == path).then(|| name[path.len()..].trim_start_matches('/').to_owned())
        };
        let mut entries: Vec<DirEntry> = self
            .names
            .iter()
            .filter_map(|(name, inode)| {
                let len = self.files.get(inode).map_or(0, File::len);
                inside(name).map(|name| DirEntry { name, is_dir: false, len })
            })
            .collect();
        let dirs = self.dirs.iter().filter_map(|d| inside(d));
        entries.extend(dirs.map(|name| DirEntry { name, is_dir: true, len: 0 }));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If it is absent.
    pub fn read(&mut self, path: &str) -> Result<Bytes, DiskError> {
        let file = self.names.get(path).and_then(|inode| self.files.get(inode));
        let file = file.ok_or_else(|| error(DiskErrorKind::NotFound, "read: no such file"))?;
        let content = file.content();
        Ok(self.reading(path, content).into())
    }

    /// Makes a file and opens it.
    ///
    /// # Errors
    /// If it exists, or its directory does not.
    pub fn create(&mut self, path: &str) -> Result<Inode, DiskError> {
        let dir = parent(path);
        if !dir.is_empty() && !self.dirs.contains(dir) {
            return Err(error(DiskErrorKind::NotFound, "create: no such directory"));
        }
        if self.names.contains_key(path) {
            return Err(error(DiskErrorKind::Other, "create: file exists"));
        }
        let (path, inode): (Arc<str>, _) = (Arc::from(path), Inode(self.made));
        self.made += 1;
        self.files.insert(inode, File::default());
        self.names.insert(path.clone(), inode);
        self.pending.push(Change::Link(path, inode));
        self.open.insert(inode, 1);
        Ok(inode)
    }

    /// Opens a file.
    ///
    /// # Errors
    /// If it is absent.
    pub fn open(&mut self, path: &str) -> Result<Inode, DiskError> {
        let inode = self.names.get(path).copied();
        let inode = inode.ok_or_else(|| error(DiskErrorKind::NotFound, "open: no such file"))?;
        *self.open.entry(inode).or_default() += 1;
        Ok(inode)
    }

    /// Closes a file that was opened.
    pub fn close(&mut self, inode: Inode) {
        if let Some(times) = self.open.get_mut(&inode) {
            *times -= 1;
            if *times == 0 {
                self.open.remove(&inode);
            }
        }
    }

    /// Makes a file at least `len` bytes long.
    ///
    /// # Errors
    /// If there is no space.
    pub fn preallocate(&mut self, inode: Inode, len: u64) -> Result<(), DiskError> {
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        if len > file.len() {
            if self.full {
                self.no_space += 1;
                let message = "preallocate: no space left on device";
                return Err(error(DiskErrorKind::NoSpace, message));
            }
            file.resize(len);
        }
        Ok(())
    }

    /// Writes at an offset.
    ///
    /// # Errors
    /// If there is no space.
    pub fn write(&mut self, inode: Inode, at: u64, bytes: Bytes) -> Result<(), DiskError> {
        let Some(file) = self.files.get_mut(&inode) else { return Ok(()) };
        if self.full && at + bytes.len() as u64 > file.len() {
            self.no_space += 1;
            return Err(error(DiskErrorKind::NoSpace, "write: no space left on device"));
        }
        file.write(Write { at, bytes });
        Ok(())
    }

    /// Cuts a file, or lengthens it with zeros.
    pub fn truncate(&mut self, inode: Inode, len: u64) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.resize(len);
        }
    }

    /// Makes what was written to a file durable.
    pub fn sync(&mut self, inode: Inode) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.sync();
        }
    }

    /// A sync that fails: what was written since the last one stays visible to the process, and is
    /// never written to the disk any more, except for what a power loss would have kept. Gives the
    /// error.
    pub fn fail_sync(&mut self, inode: Option<Inode>, chance: &mut Chance) -> DiskError {
        if let Some(file) = inode.and_then(|inode| self.files.get_mut(&inode)) {
            file.forget_pending(chance);
        }
        error(DiskErrorKind::Other, "sync: input/output error")
    }

    /// Renames a file, replacing the target.
    ///
    /// # Errors
    /// If it is absent.
    pub fn rename(&mut self, from: &str, to: Arc<str>) -> Result<(), DiskError> {
        let Some(inode) = self.names.remove(from) else {
            return Err(error(DiskErrorKind::NotFound, "rename: no such file"));
        };
        self.names.insert(to.clone(), inode);
        self.pending.push(Change::Rename(Arc::from(from), to, inode));
        Ok(())
    }

    /// Removes a file; fine if it is absent.
    pub fn remove(&mut self, path: Arc<str>) {
        if self.names.remove(&path).is_some() {
            self.pending.push(Change::Unlink(path));
        }
    }

    /// Makes the entries of a directory durable.
    pub fn sync_dir(&mut self, path: &str) {
        for change in std::mem::take(&mut self.pending) {
            let place = match &change {
                Change::Dir(p) | Change::Link(p, _) | Change::Unlink(p) => parent(p),
                Change::Rename(_, to, _) => parent(to),
            };
            if place == path {
                self.make_durable(change);
            } else {
                self.pending.push(change);
            }
        }
        self.collect();
    }

    pub(super) fn make_durable(&mut self, change: Change) {
        match change {
            Change::Dir(path) => {
                self.durable_dirs.insert(path);
            }
            Change::Link(path, inode) => {
                self.durable_names.insert(path, inode);
            }
            Change::Rename(from, to, inode) => {
                if self.durable_names.get(&from) == Some(&inode) {
                    self.durable_names.remove(&from);
                }
                self.durable_names.insert(to, inode);
            }
            Change::Unlink(path) => {
                self.durable_names.remove(&path);
            }
        }
    }

    /// The process ends: its lock is released and its files are closed.
    pub(super) fn end_process(&mut self) {
        self.locked = false;
        self.open.clear();
    }

    /// Drops files that no name and no pending change reaches any more.
    pub(super) fn collect(&mut self) {
        if self.pending.is_empty() {
            let Self { files, names, durable_names, open, .. } = self;
            let used: BTreeSet<Inode> =
                names.values().chain(durable_names.values()).copied().collect();
            files.retain(|inode, _| used.contains(inode) || open.contains_key(inode));
        }
    }
}
