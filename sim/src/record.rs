//! The recording of a run: what happened, in order, as typed events.
//!
//! Both worlds push to it, and everything that shows a run reads it: the event log of a replay, and
//! the timeline. Nothing is made, let alone formatted, unless somebody asked for a recording.

mod text;
mod words;

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_core::note::Note;
use quorate_core::raft::{Body, Message};

pub use text::Line;
pub use words::message as message_words;

use crate::plan::Fault;
use crate::workload::{Asked, Outcome};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When, in nanoseconds of simulated time.
    pub time: u64,
    /// To whom.
    pub who: Who,
    /// What.
    pub what: What,
}

/// To whom something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// To the world as a whole.
    World,
    /// To the member with this number.
    Node(usize),
    /// To the client with this number.
    Client(usize),
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A process starts: the how many-eth of its host, from 0.
    Start(u32),
    /// The node ends its process, and why.
    Halt(String),
    /// A process ends by a kill or a loss of power, or has halted.
    End(&'static str),
    /// A process stands still.
    Pause,
    /// It goes on.
    Resume,
    /// A deadline of the node has come.
    Timer(String),
    /// The node is told something, but for messages.
    Input(String),
    /// The node asks for something of the disk.
    Disk(String),
    /// The node asks for something else.
    Output(String),
    /// The node says what happened to it.
    Note(Note),
    /// The node sends a message to the host with this number, if there is one.
    Send {
        /// To which host.
        to: Option<usize>,
        /// The message.
        message: Box<Message>,
    },
    /// A message reaches the node.
    Receive {
        /// From which host.
        from: usize,
        /// When it was sent, in nanoseconds of simulated time.
        sent: u64,
        /// The message.
        message: Box<Message>,
    },
    /// A message that the node sent will not arrive.
    Lost {
        /// To which host it was sent.
        to: usize,
        /// When it was sent, in nanoseconds of simulated time.
        sent: u64,
        /// The message.
        message: Box<Message>,
    },
    /// A client asks the host with this number.
    Ask {
        /// Which host.
        host: usize,
        /// What it asks, in words.
        request: String,
        /// Whether it watches: such a request ends when the client has seen enough.
        watch: bool,
    },
    /// The client knows what came of it, or that it will never know.
    Answer {
        /// Which way it ended.
        end: End,
        /// The answer, in words.
        answer: String,
    },
    /// A fault of the plan strikes.
    Fault(Fault),
    /// The safety phase ends; these members stay healthy.
    Calm(Vec<usize>),
}

/// How a request of a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was answered by what it asked for.
    Done,
    /// It was answered by an error of the store.
    Failed,
    /// It was certainly not carried out.
    Refused,
    /// Nobody will ever tell.
    Unknown,
}

impl What {
    /// A client asks.
    pub fn ask(host: usize, asked: &Asked) -> Self {
        Self::Ask { host, request: words::asked(asked), watch: matches!(asked, Asked::Watch(_)) }
    }

    /// What came of it.
    pub fn answer(outcome: &Outcome) -> Self {
        let (end, answer) = words::outcome(outcome);
        Self::Answer { end, answer }
    }
}

/// The name of what a message says, as in the papers on Raft.
pub const fn message_kind(body: &Body) -> &'static str {
    match body {
        Body::Propose { .. } => "propose",
        Body::Append { .. } => "append",
        Body::Appended { .. } => "appended",
        Body::Held { .. } => "held",
        Body::AppendRejected { .. } => "append rejected",
        Body::Vote { pre: true, .. } => "pre-vote",
        Body::Vote { pre: false, .. } => "vote",
        Body::VoteResponse { pre: true, .. } => "pre-vote response",
        Body::VoteResponse { pre: false, .. } => "vote response",
        Body::Snapshot(_) => "snapshot",
        Body::Heartbeat { .. } => "heartbeat",
        Body::HeartbeatResponse { .. } => "heartbeat response",
        Body::TransferLeader => "transfer leader",
        Body::TimeoutNow => "timeout now",
        Body::ReadIndex { .. } => "read index",
        Body::ReadIndexResponse { .. } => "read index response",
    }
}

/// The beginning of what a value prints.
pub fn brief(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if text.len() > 300 {
        text.truncate(text.floor_char_boundary(300));
        text.push('…');
    }
    text
}

/// Where what happens is pushed. Copies push to the same recording, so that it outlives a world
/// that panics.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Option<Arc<Mutex<Vec<Recorded>>>>);

impl Recorder {
    /// One that records if `on`.
    pub fn new(on: bool) -> Self {
        Self(on.then(Arc::default))
    }

    /// Records what `what` makes, if this records at all.
    pub fn add(&self, time: u64, who: Who, what: impl FnOnce() -> What) {
        if let Some(all) = &self.0 {
            let recorded = Recorded { time, who, what: what() };
            all.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        }
    }

    /// When the member with this number last sent a message like this one, as far as that was
    /// recorded.
    pub fn last_sent(&self, from: usize, like: &Message) -> Option<u64> {
        let all = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = |recorded: &&Recorded| match &recorded.what {
            What::Send { message, .. } => recorded.who == Who::Node(from) && **message == *like,
            _ => false,
        };
        all.iter().rev().find(sent).map(|recorded| recorded.time)
    }

    /// Everything that was recorded.
    pub fn take(&self) -> Vec<Recorded> {
        let lock = |all: &Arc<Mutex<Vec<_>>>| {
            std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.0.as_ref().map(lock).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
