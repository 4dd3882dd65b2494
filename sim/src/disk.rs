//! A simulated disk under the operations of [`quorate_core::disk`].
//!
//! What a disk remembers, and what a loss of power leaves of it, is the [`FileSystem`]. This is the
//! executor over it: open files by the names that the core gives them, and failures that wait for
//! the next operation that somebody waits for.
//!
//! The disk knows no time: whoever owns it decides when an operation is carried out.

mod content;
mod crash;
mod file;
pub mod rot;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use quorate_core::disk::{DiskError, DiskErrorKind, Done, FileId, Found, Op, Ticket};

pub use crash::Damage;
pub use system::{FileSystem, Inode};

use crate::chance::Chance;
use system::{error, parent};

/// One data directory, and the files that its process has open.
#[derive(Debug, Default)]
pub struct Disk {
    files: FileSystem,
    open: BTreeMap<FileId, Inode>,
    poisoned: BTreeMap<Inode, DiskError>,
    poisoned_paths: BTreeMap<Arc<str>, DiskError>,
}

/// The ticket of an operation that has one.
pub const fn ticket(op: &Op) -> Option<Ticket> {
    match op {
        Op::Lock { ticket }
        | Op::List { ticket, .. }
        | Op::Read { ticket, .. }
        | Op::Preallocate { ticket, .. }
        | Op::Sync { ticket, .. }
        | Op::SyncDir { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

impl Disk {
    /// See [`FileSystem::set_full`].
    pub const fn set_full(&mut self, full: bool) {
        self.files.set_full(full);
    }

    /// See [`FileSystem::no_space_count`].
    pub const fn no_space_count(&self) -> u64 {
        self.files.no_space_count()
    }

    /// The directory itself, for what happens to it behind the back of its process.
    pub const fn files(&mut self) -> &mut FileSystem {
        &mut self.files
    }

    /// Another directory is found where this one was, by the next process. How full the disk is,
    /// and what was counted, stays.
    pub fn replace(&mut self, files: FileSystem) {
        self.forget_process();
        self.files.replace(files);
    }

    /// See [`FileSystem::is_blank`].
    pub fn is_blank(&self) -> bool {
        self.files.is_blank()
    }

    /// The process ends: see [`FileSystem::kill`].
    pub fn kill(&mut self) {
        self.forget_process();
        self.files.kill();
    }

    /// The power fails: see [`FileSystem::lose_power`].
    pub fn lose_power(&mut self, chance: &mut Chance) -> Damage {
        self.forget_process();
        self.files.lose_power(chance)
    }

    fn forget_process(&mut self) {
        self.open.clear();
        self.poisoned.clear();
        self.poisoned_paths.clear();
    }

    /// Carries out one operation and says what it found, if it carries a ticket.
    pub fn perform(&mut self, op: Op) -> Option<Done> {
        match op {
            Op::Lock { ticket } => {
                let result = self.files.lock().map(|()| Found::Nothing);
                Some(Done { ticket, result })
            }
            Op::MakeDir { path } => {
                self.files.make_dir(&path);
                None
            }
            Op::List { path, ticket } => {
                let result = Ok(Found::Entries(self.files.list(&path)));
                Some(Done { ticket, result })
            }
            Op::Read { path, ticket } => Some(Done { ticket, result: self.read(&path) }),
            Op::Create { file, path } => {
                let made = self.files.create(&path);
                self.opened(file, path, made)
            }
            Op::Open { file, path } => {
                let opened = self.files.open(&path);
                self.opened(file, path, opened)
            }
            Op::Preallocate { file, len, ticket } => {
                let result = self.find(file).and_then(|inode| self.files.preallocate(inode, len));
                Some(Done { ticket, result: result.map(|()| Found::Nothing) })
            }
            Op::Write { file, at, bytes } => {
                self.write(file, at, bytes);
                None
            }
            Op::Truncate { file, len } => {
                if let Ok(inode) = self.find(file) {
                    self.files.truncate(inode, len);
                }
                None
            }
            Op::Sync { file, ticket } => Some(Done { ticket, result: self.sync(file) }),
            Op::Close { file } => {
                if let Some(inode) = self.open.remove(&file) {
                    self.files.close(inode);
                }
                None
            }
            Op::Rename { from, to } => {
                let renamed = self.files.rename(&from, to.clone());
                self.note_path(to, renamed);
                None
            }
            Op::Remove { path } => {
                self.files.remove(path);
                None
            }
            Op::SyncDir { path, ticket } => Some(Done { ticket, result: self.sync_dir(&path) }),
        }
    }

    /// A sync that fails: see [`FileSystem::fail_sync`].
    pub fn fail_sync(&mut self, op: &Op, chance: &mut Chance) -> Option<Done> {
        let file = match op {
            Op::Sync { file, .. } => self.open.get(file),
            _ => None,
        };
        let e = self.files.fail_sync(file.copied(), chance);
        ticket(op).map(|ticket| Done { ticket, result: Err(e) })
    }

    fn find(&self, file: FileId) -> Result<Inode, DiskError> {
        let inode = self.open.get(&file).copied();
        inode.ok_or_else(|| error(DiskErrorKind::NotFound, "the file is not open"))
    }

    fn opened(
        &mut self,
        file: FileId,
        path: Arc<str>,
        result: Result<Inode, DiskError>,
    ) -> Option<Done> {
        match result {
            Ok(inode) => drop(self.open.insert(file, inode)),
            Err(e) => self.note_path(path, Err(e)),
        }
        None
    }

    fn note_path(&mut self, path: Arc<str>, result: Result<(), DiskError>) {
        if let Err(e) = result {
            self.poisoned_paths.insert(path, e);
        }
    }

    fn read(&mut self, path: &str) -> Result<Found, DiskError> {
        match self.poisoned_paths.remove(path) {
            Some(poison) => Err(poison),
            None => self.files.read(path).map(Found::Bytes),
        }
    }

    fn write(&mut self, file: FileId, at: u64, bytes: Bytes) {
        let Ok(inode) = self.find(file) else { return };
        if let Err(e) = self.files.write(inode, at, bytes) {
            self.poisoned.entry(inode).or_insert(e);
        }
    }

    fn sync(&mut self, file: FileId) -> Result<Found, DiskError> {
        let inode = self.find(file)?;
        if let Some(poison) = self.poisoned.remove(&inode) {
            return Err(poison);
        }
        self.files.sync(inode);
        Ok(Found::Nothing)
    }

    fn sync_dir(&mut self, path: &str) -> Result<Found, DiskError> {
        let poisoned = self.poisoned_paths.keys().find(|p| parent(p) == path).cloned();
        if let Some(poison) = poisoned.and_then(|p| self.poisoned_paths.remove(&p)) {
            return Err(poison);
        }
        self.files.sync_dir(path);
        Ok(Found::Nothing)
    }
}

#[cfg(test)]
mod tests;
