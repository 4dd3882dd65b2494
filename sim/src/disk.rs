//! A simulated disk under the operations of [`quorate_core::disk`].
//!
//! It keeps apart what the running process sees and what is durable. A file's data becomes durable
//! with its Sync, a directory's entries with its SyncDir, and nothing else makes anything durable.
//! A power loss keeps an arbitrary part of the rest: a prefix, a random subset, everything or
//! nothing, with one of the writes that survive torn at a random byte. That is harsher than any one
//! file system, and what POSIX allows.
//!
//! The disk knows no time: whoever owns it decides when an operation is carried out.

mod crash;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use quorate_core::disk::{DirEntry, DiskError, DiskErrorKind, Done, FileId, Found, Op, Ticket};

use file::{File, Write};

/// One data directory.
#[derive(Debug, Default)]
pub struct Disk {
    files: BTreeMap<u64, File>,
    next_file: u64,
    /// Paths of files as the process sees them.
    names: BTreeMap<Arc<str>, u64>,
    durable_names: BTreeMap<Arc<str>, u64>,
    dirs: BTreeSet<Arc<str>>,
    durable_dirs: BTreeSet<Arc<str>>,
    /// Changes of directories since they were last synced, in order.
    pending: Vec<Change>,
    open: BTreeMap<FileId, u64>,
    poisoned: BTreeMap<u64, DiskError>,
    poisoned_paths: BTreeMap<Arc<str>, DiskError>,
    locked: bool,
    full: bool,
    no_space: u64,
}

/// A change of a directory that is not durable yet.
#[derive(Clone, Debug)]
enum Change {
    Dir(Arc<str>),
    Link(Arc<str>, u64),
    Rename(Arc<str>, Arc<str>, u64),
    Unlink(Arc<str>),
}

/// What a power loss did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Unsynced writes that are gone.
    pub writes_dropped: u64,
    /// Writes of which a part survived.
    pub writes_torn: u64,
    /// Changes of directories that are gone.
    pub entries_dropped: u64,
}

fn error(kind: DiskErrorKind, message: impl Into<String>) -> DiskError {
    DiskError { kind, message: message.into() }
}

/// The directory that holds `path`; the data directory itself is the empty path.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
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
    /// Whether no space is left from now on. What is reserved already can still be written.
    pub const fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// How many operations found no space so far.
    pub const fn no_space_count(&self) -> u64 {
        self.no_space
    }

    /// Whether anything was ever made durable here.
    pub fn is_blank(&self) -> bool {
        self.durable_names.is_empty()
    }

    /// Carries out one operation and says what it found, if it carries a ticket.
    pub fn perform(&mut self, op: Op) -> Option<Done> {
        match op {
            Op::Lock { ticket } => Some(Done { ticket, result: self.lock() }),
            Op::MakeDir { path } => {
                self.make_dir(&path);
                None
            }
            Op::List { path, ticket } => Some(Done { ticket, result: Ok(self.list(&path)) }),
            Op::Read { path, ticket } => Some(Done { ticket, result: self.read(&path) }),
            Op::Create { file, path } => self.note_path(&path.clone(), |d| d.create(file, path)),
            Op::Open { file, path } => self.note_path(&path.clone(), |d| d.open(file, &path)),
            Op::Preallocate { file, len, ticket } => {
                Some(Done { ticket, result: self.preallocate(file, len) })
            }
            Op::Write { file, at, bytes } => {
                self.write(file, at, bytes);
                None
            }
            Op::Truncate { file, len } => {
                self.with_file(file, |f| f.truncate(len));
                None
            }
            Op::Sync { file, ticket } => Some(Done { ticket, result: self.sync(file) }),
            Op::Close { file } => {
                self.open.remove(&file);
                None
            }
            Op::Rename { from, to } => self.note_path(&to.clone(), |d| d.rename(&from, to)),
            Op::Remove { path } => {
                self.remove(path);
                None
            }
            Op::SyncDir { path, ticket } => Some(Done { ticket, result: self.sync_dir(&path) }),
        }
    }

    /// A sync that fails: what was written since the last one stays visible to the process, and is
    /// never written to the disk any more, except for what a power loss would have kept.
    pub fn fail_sync(&mut self, op: &Op, chance: &mut crate::chance::Chance) -> Option<Done> {
        let message = "sync: input/output error";
        if let Op::Sync { file, .. } = op
            && let Some(f) = self.open.get(file).and_then(|at| self.files.get_mut(at))
        {
            f.forget_pending(chance);
        }
        let result = Err(error(DiskErrorKind::Other, message));
        ticket(op).map(|ticket| Done { ticket, result })
    }

    fn note_path(
        &mut self,
        path: &Arc<str>,
        act: impl FnOnce(&mut Self) -> Result<(), DiskError>,
    ) -> Option<Done> {
        if let Err(e) = act(self) {
            self.poisoned_paths.insert(path.clone(), e);
        }
        None
    }

    fn lock(&mut self) -> Result<Found, DiskError> {
        if self.locked {
            return Err(error(DiskErrorKind::Locked, "lock: held by another process"));
        }
        self.locked = true;
        Ok(Found::Nothing)
    }

    fn make_dir(&mut self, path: &Arc<str>) {
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

    fn list(&self, path: &str) -> Found {
        let inside = |name: &str| -> Option<String> {
            (parent(name) == path).then(|| name[path.len()..].trim_start_matches('/').to_owned())
        };
        let mut entries: Vec<DirEntry> = self
            .names
            .iter()
            .filter_map(|(name, at)| {
                let len = self.files.get(at).map_or(0, File::len);
                inside(name).map(|name| DirEntry { name, is_dir: false, len })
            })
            .collect();
        let dirs = self.dirs.iter().filter_map(|d| inside(d));
        entries.extend(dirs.map(|name| DirEntry { name, is_dir: true, len: 0 }));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Found::Entries(entries)
    }

    fn read(&mut self, path: &str) -> Result<Found, DiskError> {
        if let Some(poison) = self.poisoned_paths.remove(path) {
            return Err(poison);
        }
        let file = self.names.get(path).and_then(|at| self.files.get(at));
        let file = file.ok_or_else(|| error(DiskErrorKind::NotFound, "read: no such file"))?;
        Ok(Found::Bytes(Bytes::copy_from_slice(file.content())))
    }

    fn create(&mut self, file: FileId, path: Arc<str>) -> Result<(), DiskError> {
        let dir = parent(&path);
        if !dir.is_empty() && !self.dirs.contains(dir) {
            return Err(error(DiskErrorKind::NotFound, "create: no such directory"));
        }
        if self.names.contains_key(&path) {
            return Err(error(DiskErrorKind::Other, "create: file exists"));
        }
        let at = self.next_file;
        self.next_file += 1;
        self.files.insert(at, File::default());
        self.names.insert(path.clone(), at);
        self.pending.push(Change::Link(path, at));
        self.open.insert(file, at);
        Ok(())
    }

    fn open(&mut self, file: FileId, path: &str) -> Result<(), DiskError> {
        let at = self.names.get(path).copied();
        let at = at.ok_or_else(|| error(DiskErrorKind::NotFound, "open: no such file"))?;
        self.open.insert(file, at);
        Ok(())
    }

    fn with_file(&mut self, file: FileId, act: impl FnOnce(&mut File)) {
        if let Some(f) = self.open.get(&file).and_then(|at| self.files.get_mut(at)) {
            act(f);
        }
    }

    fn preallocate(&mut self, file: FileId, len: u64) -> Result<Found, DiskError> {
        let full = self.full;
        let f = self.open.get(&file).and_then(|at| self.files.get_mut(at));
        let f = f.ok_or_else(|| error(DiskErrorKind::NotFound, "preallocate: not open"))?;
        if len > f.len() {
            if full {
                self.no_space += 1;
                let message = "preallocate: no space left on device";
                return Err(error(DiskErrorKind::NoSpace, message));
            }
            f.extend(len);
        }
        Ok(Found::Nothing)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: Bytes) {
        let Some(number) = self.open.get(&file).copied() else { return };
        let Some(f) = self.files.get_mut(&number) else { return };
        if self.full && at + bytes.len() as u64 > f.len() {
            self.no_space += 1;
            let e = error(DiskErrorKind::NoSpace, "write: no space left on device");
            self.poisoned.entry(number).or_insert(e);
            return;
        }
        f.write(Write { at, bytes });
    }

    fn sync(&mut self, file: FileId) -> Result<Found, DiskError> {
        let number = self.open.get(&file).copied();
        let number = number.ok_or_else(|| error(DiskErrorKind::NotFound, "sync: not open"))?;
        if let Some(poison) = self.poisoned.remove(&number) {
            return Err(poison);
        }
        if let Some(f) = self.files.get_mut(&number) {
            f.sync();
        }
        Ok(Found::Nothing)
    }

    fn rename(&mut self, from: &str, to: Arc<str>) -> Result<(), DiskError> {
        let Some(at) = self.names.remove(from) else {
            return Err(error(DiskErrorKind::NotFound, "rename: no such file"));
        };
        self.names.insert(to.clone(), at);
        self.pending.push(Change::Rename(Arc::from(from), to, at));
        Ok(())
    }

    fn remove(&mut self, path: Arc<str>) {
        if self.names.remove(&path).is_some() {
            self.pending.push(Change::Unlink(path));
        }
    }

    fn sync_dir(&mut self, path: &str) -> Result<Found, DiskError> {
        let poisoned = self.poisoned_paths.keys().find(|p| parent(p) == path).cloned();
        if let Some(poison) = poisoned.and_then(|p| self.poisoned_paths.remove(&p)) {
            return Err(poison);
        }
        let pending = std::mem::take(&mut self.pending);
        for change in pending {
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
        Ok(Found::Nothing)
    }

    fn make_durable(&mut self, change: Change) {
        match change {
            Change::Dir(path) => {
                self.durable_dirs.insert(path);
            }
            Change::Link(path, at) => {
                self.durable_names.insert(path, at);
            }
            Change::Rename(from, to, at) => {
                if self.durable_names.get(&from) == Some(&at) {
                    self.durable_names.remove(&from);
                }
                self.durable_names.insert(to, at);
            }
            Change::Unlink(path) => {
                self.durable_names.remove(&path);
            }
        }
    }

    /// Drops files that no name and no pending change reaches any more.
    fn collect(&mut self) {
        if self.pending.is_empty() {
            let used: BTreeSet<u64> =
                self.names.values().chain(self.durable_names.values()).copied().collect();
            let open: BTreeSet<u64> = self.open.values().copied().collect();
            self.files.retain(|at, _| used.contains(at) || open.contains(at));
        }
    }
}

#[cfg(test)]
mod tests;
