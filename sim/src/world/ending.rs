//! Why a process may end by itself, or must.

use quorate_core::disk::{DiskErrorKind, Done};
use quorate_core::error::Refusal;
use quorate_core::node::Exit;

use crate::disk::FileSystem;
use crate::oracle::{Kind, Violation};
use crate::stats::Stats;

/// What a process has met that gives it a reason to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reasons {
    /// Its disk was full, or an operation failed.
    excused: bool,
    /// An operation failed, and the node was told.
    must_halt: bool,
    /// It has not decided yet who it is.
    booting: bool,
    /// Its resolver told it something wrong.
    misinformed: bool,
    /// What it found in its directory, if that may be damaged.
    found: Option<Directory>,
}

/// A directory that may be damaged, before anybody used it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory {
    /// The digest of all that is in it.
    digest: u64,
    /// Whether what it holds was damaged.
    rotten: bool,
    /// How many reads have been wrong in it.
    misreads: u64,
}

impl Directory {
    /// What a directory is like, if a start may be refused for that; `rotten` says whether what it
    /// holds was damaged.
    pub(super) fn suspect(files: &FileSystem, rotten: bool) -> Option<Self> {
        let suspect = rotten || files.will_misread();
        let misreads = files.misreads();
        suspect.then(|| Self { digest: files.digest(), rotten, misreads })
    }
}

impl Reasons {
    /// Those of a process that has just begun, on a disk that may be full, and in a directory that
    /// may be damaged.
    pub(super) const fn new(full: bool, found: Option<Directory>) -> Self {
        Self { excused: full, must_halt: false, booting: true, misinformed: false, found }
    }

    /// The disk has become full.
    pub(super) const fn excuse(&mut self) {
        self.excused = true;
    }

    /// Something happened to the directory, which is like that now. It matters as long as the
    /// process has not decided who it is.
    pub(super) fn damaged(&mut self, found: Option<Directory>) {
        if self.booting {
            // What it has misread before is still a reason to refuse.
            let before = self.found.map(|before| before.misreads);
            self.found = found
                .map(|found| Directory { misreads: before.unwrap_or(found.misreads), ..found });
        }
    }

    /// The resolver told the process something wrong.
    pub(super) const fn misinform(&mut self) {
        self.misinformed = true;
    }

    /// The process has decided who it is.
    pub(super) const fn decided(&mut self) {
        self.booting = false;
        self.found = None;
    }

    /// The node is told of the end of an operation.
    pub(super) fn told(&mut self, done: &Done) {
        if let Err(e) = &done.result {
            self.excused |= matches!(e.kind, DiskErrorKind::NoSpace | DiskErrorKind::Other);
            self.must_halt |= e.kind == DiskErrorKind::Other;
        }
    }

    /// Whether the process must end at its next turn.
    pub(super) const fn must_halt(&self) -> bool {
        self.must_halt
    }

    /// Judges how the process on `host` has ended; `asked` says whether it was asked to stop, and
    /// `files` are what it has left.
    ///
    /// # Errors
    /// If it had no reason to end like that.
    pub(super) fn explain(
        &self,
        host: usize,
        exit: &Exit,
        asked: bool,
        files: &FileSystem,
        stats: &mut Stats,
    ) -> Result<(), Violation> {
        let explained = match exit {
            Exit::Stopped { .. } => asked,
            Exit::Refused(_) | Exit::Fault(_) if self.excused => true,
            Exit::Refused(_) if self.misinformed && self.booting => {
                stats.names_refused += 1;
                true
            }
            Exit::Refused(refusal) | Exit::Fault(refusal) => self.found.is_some_and(|found| {
                stats.damage_refused += 1;
                found.is_refused(refusal, files)
            }),
        };
        stats.stopped += u64::from(asked && exit.code() == 0);
        if explained {
            return Ok(());
        }
        let (oracle, detail) = ("explained_exit", format!("{exit:?}"));
        Err(Violation { kind: Kind::Crash, oracle, node: Some(host), index: None, detail })
    }
}

impl Directory {
    /// Whether damage is the reason of a refusal that has words that help, and has changed nothing.
    fn is_refused(self, refusal: &Refusal, files: &FileSystem) -> bool {
        let misled = files.misreads() > self.misreads;
        let helps = !refusal.message.is_empty() && !refusal.hints.is_empty();
        (self.rotten || misled) && helps && files.digest() == self.digest
    }
}
