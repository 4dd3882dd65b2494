//! How far a start has come, and where it leads.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::agreed::Agreed;
use super::discovering::Discovering;
use super::enroll::Enroll;
use super::first_log::FirstLog;
use super::force::Forcing;
use super::forming::Forming;
use super::identity::Identity;
use super::join::{Join, Joined};
use super::list::InitialCluster;
use super::look::Look;
use super::restore::Restore;
use super::settle::Settling;
use super::srv::Srv;
use crate::disk::{Replace, Ticket};
use crate::member::Member;
use crate::time::Instant;
use crate::wal::Owner;

/// How far a start has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Before the first wake.
    Idle,
    Looking(Look),
    /// The list is looked for in DNS.
    Searching(Box<Srv>),
    /// The list is judged, and its URLs are compared by address.
    Settling(Settling),
    /// The cluster that is to be joined is told of this member.
    Enrolling(Box<Enroll>),
    /// The members of a cluster that runs are asked for, and compared with the list.
    Joining(Box<Join>),
    /// A discovery service is asked for the list.
    Discovering(Box<Discovering>),
    Listening(Course),
    Locking(Ticket, Course),
    LookingAgain(Look, Course),
    /// The file is read, if it is there from an earlier attempt.
    ReadingIdentity(Ticket, Course),
    WritingIdentity(Replace, Identity, Course),
    Forming(Agreed, Forming),
    /// By which data directories it has met the others is written down.
    WritingMet(Replace, Agreed),
    /// The members of the cluster that it joins are written down.
    WritingTold(Replace, Identity, Joined),
    Creating(Box<FirstLog>),
    /// It is no member, but a proxy.
    Proxying(InitialCluster),
    Restoring(Box<Restore>),
    /// The log is changed to that of a cluster of this member alone.
    Forcing(Box<Forcing>),
    /// It was refused, or given away as [`Booted`](super::Booted).
    Over,
}

/// What was decided, with what it takes.
#[derive(Debug)]
pub(super) enum Course {
    /// Start from the log.
    Restart,
    /// Form a new cluster of these members.
    Form(Agreed),
    /// Join a cluster that runs.
    Join(Joined),
    /// Be a proxy of the cluster of these members, or of the one that the flags tell.
    Proxy(InitialCluster),
    /// Register with a discovery service, and form a new cluster of all who do.
    Discover(Box<Discovering>),
}

impl Course {
    /// Whether it is known that there are no other members.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self, Self::Form(agreed) if agreed.list().len() == 1)
    }
}

impl Stage {
    /// When it has to be woken.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle => Some(Instant::default()),
            Self::Forming(_, forming) => forming.deadline(),
            Self::Joining(join) => join.deadline(),
            Self::Discovering(discovering) => discovering.deadline(),
            Self::Searching(srv) => srv.deadline(),
            _ => None,
        }
    }

    /// Who this member is, once it tells others.
    pub(super) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Forming(agreed, _) | Self::WritingMet(_, agreed) => Some(agreed.owner()),
            Self::Joining(join) => join.owner(),
            Self::WritingTold(_, _, joined) => Some(joined.owner),
            Self::Creating(first) => Some(first.owner()),
            _ => None,
        }
    }

    /// The members of the list, while the cluster is being formed.
    pub(super) fn members(&self) -> Vec<Member> {
        match self {
            Self::Forming(agreed, _) | Self::WritingMet(_, agreed) => agreed.members(),
            Self::WritingTold(_, _, joined) => joined.members.clone(),
            Self::Creating(first) => first.members().to_vec(),
            _ => Vec::new(),
        }
    }
}
