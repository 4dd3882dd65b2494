//! How a start stands, and what it comes to.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::identity::Identity;
use super::list::InitialCluster;
use crate::error::Refusal;
use crate::member::Member;
use crate::raft::{ConfState, Log, LogId};
use crate::snap::Shelf;
use crate::store::Image;
use crate::wal::{HardState, Owner, Wal};

/// A start that has come to its end.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) owner: Owner,
    pub(crate) identity: Identity,
    /// Whether this start made the log: there is nothing that it could have lost.
    pub(crate) fresh: bool,
    pub(crate) wal: Wal,
    pub(crate) shelf: Shelf,
    pub(crate) hard: HardState,
    pub(crate) log: Log,
    /// The state as of `applied`: that of the snapshot, if there is one.
    pub(crate) snapshot: Option<Restored>,
    /// Whether this member may campaign at once: the cluster is new, and it is the one that was
    /// agreed on to do so.
    pub(crate) campaign: bool,
    /// The members of the cluster that this one joins, as it was told; empty otherwise. What counts
    /// is the log, but that has to come from one of them.
    pub(crate) told: Vec<Member>,
}

/// A snapshot that was read back.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) last: LogId,
    pub(crate) conf: ConfState,
    pub(crate) image: Image,
}

/// How a start stands.
#[derive(Debug)]
pub(crate) enum Progress {
    Pending,
    Done(Box<Booted>),
    /// It becomes a proxy: of the cluster of these members, or of the one that the flags tell.
    Proxy(InitialCluster),
    Refused(Refusal),
}

impl From<()> for Progress {
    fn from((): ()) -> Self {
        Self::Pending
    }
}

impl From<Refusal> for Progress {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
