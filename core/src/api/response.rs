//! What the node answers, typed.

use alloc::boxed::Box;
use alloc::string::String;

use super::progress::Progress;
use crate::member::Member;
use crate::member::change::Refused;
use crate::store;

/// The indexes that the v2 API gives with an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// `X-Etcd-Index`
    pub store_index: u64,
    /// `X-Raft-Index`: the highest index known to be committed.
    pub raft_index: u64,
    /// `X-Raft-Term`: the term of the last applied entry.
    pub raft_term: u64,
}

/// An answer, or a part of one, to a [`Request`](super::request::Request).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// To [`Request::Keys`](super::request::Request::Keys).
    Keys {
        /// The event, or the store's refusal.
        result: Result<store::Event, store::Error>,
        /// When it was answered.
        stamp: Stamp,
    },
    /// The watch has begun: the head of the answer is to be sent now.
    Watching {
        /// The indexes when it began.
        stamp: Stamp,
    },
    /// An event of a watch.
    Event(store::Event),
    /// The watch could not begin (error 401).
    WatchRefused(store::Error),
    /// The watch ends without a further event: the watcher was too slow, or the server stops.
    WatchEnded,
    /// To [`Request::Members`](super::request::Request::Members): the member, if one was added.
    Members(Result<Option<Member>, MembersFailure>),
    /// To [`Request::Progress`](super::request::Request::Progress): nothing if this member does not
    /// lead.
    Progress(Option<Box<Progress>>),
    /// To [`Request::Confirm`](super::request::Request::Confirm).
    Confirmed(Confirmed),
    /// The request could not be carried through the log.
    Failed(Failure),
}

/// Who confirms what a member says of the membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// A quorum.
    Quorum,
    /// Nobody: there are members of etcd, among which the rule of etcd holds.
    Mixed,
}

/// Why the membership was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembersFailure {
    /// A member has the ID already.
    #[error("membership: ID exists")]
    IdExists,
    /// Another member has one of the peer URLs.
    #[error("membership: peerURL exists")]
    UrlExists,
    /// There is no such member.
    #[error("membership: ID not found")]
    NotFound,
    /// The member was removed.
    #[error("membership: ID removed")]
    Removed,
    /// Too few members have started for a cluster of that size (`-strict-reconfig-check`).
    #[error("etcdserver: re-configuration failed due to not enough started members")]
    NotEnoughStarted,
    /// As many members as possible are catching up already.
    #[error("membership: too many learner members in cluster")]
    TooManyLearners,
}

impl From<&Refused> for MembersFailure {
    fn from(refused: &Refused) -> Self {
        match refused {
            Refused::Removed => Self::Removed,
            Refused::IdExists => Self::IdExists,
            Refused::UrlExists => Self::UrlExists,
            Refused::TooManyLearners => Self::TooManyLearners,
            // The others are of promotions, and of changes that no member of Quorate proposes.
            Refused::NotFound | Refused::NotLearner | Refused::Malformed(_) => Self::NotFound,
        }
    }
}

/// Why a request could not be carried through the log. For keys all are error 300 of the v2 API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer within the request timeout. It may still be carried out.
    TimedOut,
    /// As [`Failure::TimedOut`]; the leader changed around the time of the request.
    TimedOutLeaderFailure,
    /// As [`Failure::TimedOut`]; the leader, or as leader a quorum, could not be reached.
    TimedOutConnectionLost,
    /// Too many requests wait already. It will not be carried out.
    TooManyRequests,
    /// The disk of this member is full. It will not be carried out.
    NoSpace,
    /// The server stops. The request may have been carried out.
    Stopping,
    /// The entry met a request that the state machine does not know.
    UnknownMethod(String),
}

/// What clients are told.
pub(crate) const fn failure_text(failure: &Failure) -> &'static str {
    match failure {
        Failure::TimedOut => "etcdserver: request timed out",
        Failure::TimedOutLeaderFailure => {
            "etcdserver: request timed out, possibly due to previous leader failure"
        }
        Failure::TimedOutConnectionLost => {
            "etcdserver: request timed out, possibly due to connection lost"
        }
        Failure::TooManyRequests => "etcdserver: too many requests",
        Failure::NoSpace => "etcdserver: no space, the disk of this member is full",
        Failure::Stopping => "etcdserver: server stopped",
        Failure::UnknownMethod(_) => "etcdserver: unknown method",
    }
}
