//! The segment that is kept ready for the time when the current one is full.

use alloc::format;
use alloc::sync::Arc;

use super::DIR;
use crate::disk::{DiskError, FileId, Op, Script, Ticket};

/// The next segment, before it has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spare {
    /// There is none.
    Absent,
    /// Its space is being reserved.
    Allocating(FileId, Ticket),
    /// Its space is being made durable.
    Syncing(FileId, Ticket),
    /// It can be used.
    Ready(FileId),
    /// There was no space for it.
    Full(DiskError),
}

impl Spare {
    /// The name of the file; a segment gets its own when its header is durable.
    pub(super) fn path() -> Arc<str> {
        format!("{DIR}/spare.tmp").into()
    }

    /// Begins to make a spare of `len` bytes.
    pub(super) fn prepare(len: u64, script: &mut Script) -> Self {
        let (file, ticket) = (script.file(), script.ticket());
        script.push(Op::Remove { path: Self::path() });
        script.push(Op::Create { file, path: Self::path() });
        script.push(Op::Preallocate { file, len, ticket });
        Self::Allocating(file, ticket)
    }

    /// The ticket that is waited for.
    pub(super) const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Allocating(_, ticket) | Self::Syncing(_, ticket) => Some(*ticket),
            Self::Absent | Self::Ready(_) | Self::Full(_) => None,
        }
    }

    /// What was waited for is done.
    pub(super) fn advance(&mut self, script: &mut Script) {
        match *self {
            Self::Allocating(file, _) => {
                let ticket = script.ticket();
                script.push(Op::Sync { file, ticket });
                *self = Self::Syncing(file, ticket);
            }
            Self::Syncing(file, _) => *self = Self::Ready(file),
            Self::Absent | Self::Ready(_) | Self::Full(_) => {}
        }
    }

    /// What was waited for failed for lack of space.
    pub(super) fn give_up(&mut self, error: DiskError, script: &mut Script) {
        if let Self::Allocating(file, _) | Self::Syncing(file, _) = *self {
            script.push(Op::Close { file });
            script.push(Op::Remove { path: Self::path() });
        }
        *self = Self::Full(error);
    }
}
