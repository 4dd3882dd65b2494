//! A disk in memory, for tests: it keeps apart what is durable and what a crash can take away.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{DirEntry, DiskError, DiskErrorKind, Done, FileId, Found, Op, Script, Ticket};

/// Chance for a test: numbers that are the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

#[derive(Clone, Debug, Default)]
struct File {
    visible: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Bytes),
    Length(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Length(len) => content.resize(*len, 0),
        }
    }
}

#[derive(Clone, Debug)]
enum Naming {
    Link(Arc<str>, usize),
    Rename(Arc<str>, Arc<str>, usize),
    Unlink(Arc<str>),
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<Arc<str>, usize>) {
        match self {
            Self::Link(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Rename(from, to, file) => {
                names.retain(|path, named| path != from || named != file);
                names.insert(to.clone(), *file);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
        }
    }

    fn is_in(&self, dir: &str) -> bool {
        let (Self::Link(path, _) | Self::Rename(_, path, _) | Self::Unlink(path)) = self;
        parent(path) == dir
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// The disk. Operations wait in the order given until [`step`](Self::step).
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    names: BTreeMap<Arc<str>, usize>,
    durable_names: BTreeMap<Arc<str>, usize>,
    renamings: Vec<Naming>,
    /// The directories that were made, and whether that is durable.
    dirs: BTreeMap<String, bool>,
    open: BTreeMap<FileId, usize>,
    poisoned: BTreeMap<FileId, DiskError>,
    waiting: VecDeque<Op>,
    /// Whether there is no space for more files.
    pub(crate) full: bool,
    /// Whether the next sync fails.
    pub(crate) broken: bool,
}

impl Disk {
    /// Takes the operations of a script.
    pub(crate) fn take(&mut self, script: &mut Script) {
        self.waiting.extend(script.drain());
    }

    /// Whether operations wait.
    pub(crate) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Carries out the next operation, or, if `merge`, puts a sync off until the next sync of the
    /// same file where only writes to it come in between.
    pub(crate) fn step(&mut self, merge: bool) -> Vec<Done> {
        let mut together = Vec::new();
        while merge && let Some(Op::Sync { file, ticket }) = self.waiting.front() {
            let (file, ticket) = (*file, *ticket);
            let writes = |op: &&Op| matches!(op, Op::Write { file: other, .. } if *other == file);
            let count = self.waiting.iter().skip(1).take_while(writes).count();
            let next = self.waiting.get(count + 1);
            if !matches!(next, Some(Op::Sync { file: other, .. }) if *other == file) {
                break;
            }
            together.push(ticket);
            self.waiting.pop_front();
            for _ in 0..count {
                let op = self.waiting.pop_front().unwrap();
                assert!(self.perform(op).is_none(), "writes have no tickets");
            }
        }
        let done = self.waiting.pop_front().and_then(|op| self.perform(op));
        let answers = together.into_iter().map(|ticket| {
            let result = done.clone().unwrap().result;
            Done { ticket, result }
        });
        let mut answers: Vec<Done> = answers.collect();
        answers.extend(done);
        answers
    }

    /// Carries out everything that waits.
    pub(crate) fn finish(&mut self) -> Vec<Done> {
        let mut dones = Vec::new();
        while self.is_busy() {
            dones.extend(self.step(false));
        }
        dones
    }

    fn perform(&mut self, op: Op) -> Option<Done> {
        match op {
            Op::MakeDir { path } => {
                for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
                    self.dirs.entry(path[..at].into()).or_insert(false);
                }
                None
            }
            Op::Create { file, path } => {
                if self.names.contains_key(&path) {
                    let message = format!("{path} exists");
                    let kind = DiskErrorKind::Other;
                    self.poisoned.insert(file, DiskError { kind, message });
                    return None;
                }
                self.files.push(File::default());
                let inode = self.files.len() - 1;
                self.open.insert(file, inode);
                self.names.insert(path.clone(), inode);
                self.renamings.push(Naming::Link(path, inode));
                None
            }
            Op::Open { file, path } => {
                self.open.insert(file, self.names[&path]);
                None
            }
            Op::Write { file, at, bytes } => self.change(file, Change::Write(at as usize, bytes)),
            Op::Truncate { file, len } => self.change(file, Change::Length(len as usize)),
            Op::Preallocate { file, len, ticket } => {
                let kind = DiskErrorKind::NoSpace;
                let full = self.full.then(|| DiskError { kind, message: "full".into() });
                if full.is_none() {
                    self.change(file, Change::Length(len as usize));
                }
                let result = full.map_or(Ok(Found::Nothing), Err);
                Some(self.answer(file, Done { ticket, result }))
            }
            Op::Sync { file, ticket } => Some(self.sync(file, ticket)),
            Op::Close { file } => {
                self.open.remove(&file);
                None
            }
            Op::Rename { from, to } => {
                let inode = self.names.remove(&from).expect("what is renamed exists");
                self.names.insert(to.clone(), inode);
                self.renamings.push(Naming::Rename(from, to, inode));
                None
            }
            Op::Remove { path } => {
                if self.names.remove(&path).is_some() {
                    self.renamings.push(Naming::Unlink(path));
                }
                None
            }
            Op::SyncDir { path, ticket } => {
                let (done, left) = self.renamings.drain(..).partition(|n| n.is_in(&path));
                self.renamings = left;
                let done: Vec<Naming> = done;
                for (dir, durable) in &mut self.dirs {
                    *durable |= parent(dir) == &*path;
                }
                done.iter().for_each(|naming| naming.apply(&mut self.durable_names));
                Some(Done { ticket, result: Ok(Found::Nothing) })
            }
            Op::Lock { ticket } => Some(Done { ticket, result: Ok(Found::Nothing) }),
            Op::List { .. } | Op::Read { .. } => {
                panic!("{op:?} is not for this disk: its content is taken from it directly")
            }
        }
    }

    fn change(&mut self, file: FileId, change: Change) -> Option<Done> {
        if !self.poisoned.contains_key(&file) {
            let inode = &mut self.files[self.open[&file]];
            change.apply(&mut inode.visible);
            inode.pending.push(change);
        }
        None
    }

    fn sync(&mut self, file: FileId, ticket: Ticket) -> Done {
        if self.broken {
            // As Linux does it: what could not be written is not tried again, and reads go on
            // seeing it.
            self.broken = false;
            if let Some(inode) = self.open.get(&file) {
                self.files[*inode].pending.clear();
            }
            let kind = DiskErrorKind::Other;
            self.poisoned.insert(file, DiskError { kind, message: "broken".into() });
        } else if !self.poisoned.contains_key(&file) {
            let inode = &mut self.files[self.open[&file]];
            for change in inode.pending.drain(..) {
                change.apply(&mut inode.durable);
            }
        }
        self.answer(file, Done { ticket, result: Ok(Found::Nothing) })
    }

    fn answer(&self, file: FileId, done: Done) -> Done {
        match self.poisoned.get(&file) {
            Some(error) => Done { ticket: done.ticket, result: Err(error.clone()) },
            None => done,
        }
    }

    /// Power fails: of everything that was not synced, any part may be there.
    pub(crate) fn crash(&mut self, dice: &mut Dice) {
        self.forget();
        let keep_all = dice.below(4);
        for file in &mut self.files {
            for change in core::mem::take(&mut file.pending) {
                let Change::Write(at, bytes) = &change else {
                    if dice.below(2) == 0 {
                        change.apply(&mut file.durable);
                    }
                    continue;
                };
                let piece = [1, 8, 100, 512, 4096, usize::MAX][dice.below(6)];
                for (n, part) in bytes.chunks(piece).enumerate() {
                    if keep_all == 0 || dice.below(3) > 0 {
                        let part = Change::Write(at + n * piece, bytes.slice_ref(part));
                        part.apply(&mut file.durable);
                    }
                }
            }
            file.visible = file.durable.clone();
        }
        for naming in core::mem::take(&mut self.renamings) {
            if dice.below(2) == 0 {
                naming.apply(&mut self.durable_names);
            }
        }
        let made = !self.dirs.is_empty();
        self.dirs.retain(|_, durable| {
            *durable |= dice.below(2) == 0;
            *durable
        });
        let dirs = &self.dirs;
        self.durable_names.retain(|path, _| {
            let above = path.match_indices('/').map(|(at, _)| &path[..at]);
            !made || above.into_iter().all(|dir| dirs.contains_key(dir))
        });
        self.names = self.durable_names.clone();
    }

    /// The process dies; the system lives on, and has in memory what was not synced.
    pub(crate) fn kill(&mut self) {
        self.forget();
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.open.clear();
        self.poisoned.clear();
    }

    /// The entries of a directory.
    pub(crate) fn list(&self, dir: &str) -> Vec<DirEntry> {
        let inside = |path: &str| Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_string());
        let entry = |(path, inode): (&Arc<str>, &usize)| {
            let len = self.files[*inode].visible.len() as u64;
            Some(DirEntry { name: inside(path)?, is_dir: false, len })
        };
        self.names.iter().filter_map(entry).collect()
    }

    /// The content of a file.
    pub(crate) fn read(&self, path: &str) -> Bytes {
        Bytes::copy_from_slice(&self.files[self.names[path]].visible)
    }
}
