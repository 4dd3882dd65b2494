//! What the node answers, typed.

use alloc::string::String;

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
    /// The request could not be carried through the log.
    Failed(Failure),
}

/// Why a request could not be carried through the log. All are error 300 of the v2 API.
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
