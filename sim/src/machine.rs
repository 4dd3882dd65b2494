//! What the lockstep world drives: the core's [`Node`](quorate_core::Node), or a toy that has the
//! same inputs and outputs, on which the world and its oracles are tried out.

use std::collections::BTreeSet;

use quorate_core::api::{KeysRequest, Response, Stamp};
use quorate_core::http::{Answer, Call};
use quorate_core::id::MemberId;
use quorate_core::node::Timer;
use quorate_core::raft::{Entry, LogId, Message};
use quorate_core::store::{self, History};
use quorate_core::time::{Instant, Now};
use quorate_core::view::View;
use quorate_core::{Config, Input, Output};

/// What a plain read shows: the event or the store's refusal, and the indexes given with it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What was found.
    pub result: Result<store::Event, store::Error>,
    /// The indexes.
    pub stamp: Stamp,
}

/// What becomes of another member's GET.
#[derive(Clone, Debug)]
pub enum Served {
    /// This is the answer.
    Answer(Answer),
    /// It is answered once the node has answered [`Request::Confirm`](quorate_core::api::Request).
    Confirm,
}

/// Where a member stands in Raft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its term.
    pub term: u64,
    /// For whom it voted in that term, itself or another.
    pub vote: Option<MemberId>,
    /// Whether it leads.
    pub leads: bool,
    /// The index up to which its log is durable, as far as it knows.
    pub durable: u64,
    /// The highest index that it knows to be committed.
    pub commit: u64,
    /// The highest index that it has applied.
    pub applied: u64,
}

/// One member: a pure state machine, the pure functions that a driver calls besides it, and what
/// oracles may look at.
pub trait Machine: Sized {
    /// See [`Node::new`](quorate_core::Node::new).
    fn new(config: Config, seed: [u8; 32], now: Now) -> Self;

    /// See [`Node::handle`](quorate_core::Node::handle).
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>);

    /// See [`Node::deadline`](quorate_core::Node::deadline).
    fn deadline(&self) -> Option<(Instant, Timer)>;

    /// Answers a plain read from what is published; `None` while plain reads are refused.
    fn read(&self, view: Option<&View>, request: &KeysRequest) -> Option<Shown>;

    /// Answers another member's GET from what is published; `None` where nothing is served there.
    fn serve(view: &View, call: &Call) -> Option<Served>;

    /// Answers a GET that a quorum had to confirm, from what is published then.
    fn confirmed(view: &View, answered: &Response) -> Answer;

    /// What the wire makes of a message.
    fn recode(message: Message) -> Message {
        message
    }

    /// Whether there is a log to look at: not while the member starts, and not once it has halted.
    fn has_log(&self) -> bool {
        true
    }

    /// The position before the first entry that the log holds; everything up to it is committed.
    fn base(&self) -> LogId;

    /// The last position of the log, durable or not.
    fn last(&self) -> LogId;

    /// The entry at an index, if the log holds it.
    fn entry(&self, index: u64) -> Option<&Entry>;

    /// Where it stands; absent where there is no log to look at.
    fn standing(&self) -> Option<Standing>;

    /// Who counts for it; absent where it does not say.
    fn voters(&self) -> Option<&BTreeSet<MemberId>>;

    /// The last events of the applied state; absent where there is no log to look at.
    fn history(&self) -> Option<&History>;

    /// A digest of the whole applied state.
    fn store_digest(&self) -> u64;
}
