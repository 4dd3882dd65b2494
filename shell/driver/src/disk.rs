//! The executor of disk operations: their order, the merging of syncs, the poison of failures.
//!
//! It is the same over every disk. What a disk can do by itself is [`Files`]: the real file system
//! in the daemon, a faulty one in the simulator.

mod poison;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use quorate_core::disk::{DirEntry, DiskError, DiskErrorKind, Done, FileId, Found, Op, Ticket};

use poison::Poison;

/// The primitive operations of a file system. Paths are relative to the data directory.
pub trait Files {
    /// An open file.
    type File;

    /// Makes the data directory and takes its lock.
    fn lock(&mut self) -> Result<(), DiskError>;
    /// Makes a directory and its parents.
    fn make_dir(&mut self, path: &str) -> Result<(), DiskError>;
    /// The entries of a directory, sorted by name; none if it is absent.
    fn list(&mut self, path: &str) -> Result<Vec<DirEntry>, DiskError>;
    /// The content of a file.
    fn read(&mut self, path: &str) -> Result<Bytes, DiskError>;
    /// Makes a file that must not exist.
    fn create(&mut self, path: &str) -> Result<Self::File, DiskError>;
    /// Opens a file that exists.
    fn open(&mut self, path: &str) -> Result<Self::File, DiskError>;
    /// Makes a file at least `len` bytes long.
    fn preallocate(&mut self, file: &mut Self::File, len: u64) -> Result<(), DiskError>;
    /// Writes all of `bytes` at `at`.
    fn write(&mut self, file: &mut Self::File, at: u64, bytes: &[u8]) -> Result<(), DiskError>;
    /// Cuts a file.
    fn truncate(&mut self, file: &mut Self::File, len: u64) -> Result<(), DiskError>;
    /// Makes what was written durable.
    fn sync(&mut self, file: &mut Self::File) -> Result<(), DiskError>;
    /// Renames a file, replacing the target.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;
    /// Removes a file; fine if it is absent.
    fn remove(&mut self, path: &str) -> Result<(), DiskError>;
    /// Makes the entries of a directory durable.
    fn sync_dir(&mut self, path: &str) -> Result<(), DiskError>;
}

/// Carries out operations on `F`.
#[derive(Debug)]
pub struct Executor<F: Files> {
    files: F,
    open: BTreeMap<FileId, F::File>,
    poison: Poison,
    queue: VecDeque<Op>,
    waiting: Option<(FileId, Vec<Ticket>)>,
}

/// What an [`Executor`] does next.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// The sync of a file, for all that wait for it.
    Sync,
    /// An operation. A sync that comes up here is only put down: more may join it.
    Op(&'a Op),
}

impl<F: Files> Executor<F> {
    /// An executor with no file open.
    pub const fn new(files: F) -> Self {
        Self {
            files,
            open: BTreeMap::new(),
            poison: Poison::new(),
            queue: VecDeque::new(),
            waiting: None,
        }
    }

    /// Carries out `ops` in order and hands the end of each that has a ticket to `report`.
    ///
    /// A sync waits while only writes and further syncs of the same file follow, and one sync then
    /// answers all. So a caller that takes all operations that are ready gets one fdatasync for all
    /// the proposals among them (group commit).
    pub fn run(&mut self, ops: impl IntoIterator<Item = Op>, report: &mut impl FnMut(Done)) {
        for op in ops {
            self.queue.push_back(op);
            while !self.queue.is_empty() {
                self.advance(report);
            }
        }
        while self.next().is_some() {
            self.advance(report);
        }
    }

    /// Puts `ops` behind those that wait, for a caller that goes on [step by step](Self::advance).
    pub fn push(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.queue.extend(ops);
    }

    /// What comes next; nothing if all is done.
    pub fn next(&self) -> Option<Step<'_>> {
        let op = self.queue.front();
        match (&self.waiting, op) {
            (Some((file, _)), op) if !op.is_some_and(|op| joins(op, *file)) => Some(Step::Sync),
            (_, op) => op.map(Step::Op),
        }
    }

    /// Does what comes next.
    pub fn advance(&mut self, report: &mut impl FnMut(Done)) {
        match self.next() {
            Some(Step::Sync) => self.sync(report),
            Some(Step::Op(_)) => {
                if let Some(op) = self.queue.pop_front() {
                    self.carry_out(op, report);
                }
            }
            None => {}
        }
    }

    fn carry_out(&mut self, op: Op, report: &mut impl FnMut(Done)) {
        match op {
            Op::Sync { file, ticket } => {
                self.waiting.get_or_insert_with(|| (file, Vec::new())).1.push(ticket);
            }
            Op::Create { file, path } => {
                let made = self.files.create(&path);
                self.opened(file, made);
            }
            Op::Open { file, path } => {
                let opened = self.files.open(&path);
                self.opened(file, opened);
            }
            Op::Write { file, at, bytes } => {
                self.on_file(file, |files, handle| files.write(handle, at, &bytes));
            }
            Op::Truncate { file, len } => {
                self.on_file(file, |files, handle| files.truncate(handle, len));
            }
            Op::Preallocate { file, len, ticket } => {
                let result = self.preallocate(file, len);
                report(Done { ticket, result: result.map(|()| Found::Nothing) });
            }
            Op::Close { file } => {
                self.open.remove(&file);
                self.poison.forget_file(file);
            }
            other => self.on_path(other, report),
        }
    }

    fn on_path(&mut self, op: Op, report: &mut impl FnMut(Done)) {
        match op {
            Op::Lock { ticket } => {
                let result = self.files.lock().map(|()| Found::Nothing);
                report(Done { ticket, result });
            }
            Op::List { path, ticket } => {
                let result = self.poison.take_path(&path);
                let result = result.and_then(|()| self.files.list(&path)).map(Found::Entries);
                report(Done { ticket, result });
            }
            Op::Read { path, ticket } => {
                let result = self.poison.take_path(&path);
                let result = result.and_then(|()| self.files.read(&path)).map(Found::Bytes);
                report(Done { ticket, result });
            }
            Op::SyncDir { path, ticket } => {
                let result = self.poison.take_path(&path);
                let result = result.and_then(|()| self.files.sync_dir(&path));
                report(Done { ticket, result: result.map(|()| Found::Nothing) });
            }
            Op::MakeDir { path } => {
                let result = self.files.make_dir(&path);
                self.poison.note_path(&[&path], result);
            }
            Op::Rename { from, to } => {
                let result = self.files.rename(&from, &to);
                self.poison.note_path(&[&from, &to], result);
            }
            Op::Remove { path } => {
                let result = self.files.remove(&path);
                self.poison.note_path(&[&path], result);
            }
            // `carry_out` has dealt with the operations on open files.
            _ => {}
        }
    }

    fn opened(&mut self, file: FileId, result: Result<F::File, DiskError>) {
        match result {
            Ok(handle) => {
                self.open.insert(file, handle);
            }
            Err(error) => self.poison.note_file(file, error),
        }
    }

    /// An operation without a ticket. It is left out if an earlier one on the file has failed:
    /// what it would write could make no sense any more.
    fn on_file(
        &mut self,
        file: FileId,
        operate: impl FnOnce(&mut F, &mut F::File) -> Result<(), DiskError>,
    ) {
        if self.poison.of_file(file).is_some() {
            return;
        }
        let result = match self.open.get_mut(&file) {
            Some(handle) => operate(&mut self.files, handle),
            None => Err(not_open(file)),
        };
        if let Err(error) = result {
            self.poison.note_file(file, error);
        }
    }

    fn preallocate(&mut self, file: FileId, len: u64) -> Result<(), DiskError> {
        if let Some(error) = self.poison.of_file(file) {
            return Err(error.clone());
        }
        let Some(handle) = self.open.get_mut(&file) else { return Err(not_open(file)) };
        let result = self.files.preallocate(handle, len);
        match &result {
            Err(error) if error.kind != DiskErrorKind::NoSpace => {
                self.poison.note_file(file, error.clone());
            }
            _ => {}
        }
        result
    }

    /// Carries out the sync that waits, if there is one, and answers everybody who asked for it. A
    /// file whose sync has failed stays poisoned: its pages may have been dropped, so that a second
    /// sync would succeed and mean nothing.
    fn sync(&mut self, report: &mut impl FnMut(Done)) {
        let Some((file, tickets)) = self.waiting.take() else { return };
        self.on_file(file, |files, handle| files.sync(handle));
        let result = match self.poison.of_file(file) {
            Some(error) => Err(error.clone()),
            None => Ok(Found::Nothing),
        };
        for ticket in tickets {
            report(Done { ticket, result: result.clone() });
        }
    }
}

/// Whether an operation may come between the sync of `waiting` and its end.
const fn joins(op: &Op, waiting: FileId) -> bool {
    matches!(op, Op::Write { file, .. } | Op::Sync { file, .. } if file.0 == waiting.0)
}

fn not_open(file: FileId) -> DiskError {
    DiskError {
        kind: DiskErrorKind::Other,
        message: format!("operation on file {}, which is not open", file.0),
    }
}
