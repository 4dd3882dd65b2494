//! What can lie on the heap.

use quorate_core::disk::Op;
use quorate_core::http::Call;
use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::{CallId, Input, LinkEvent};
use quorate_core::raft::{Body, Message};

use crate::digest::Digest;
use crate::place::{Doom, Later};
use crate::workload::{Asked, Outcome};

/// A process of a host: the host, and the how many-eth start it is. Events that are meant for one
/// process do not reach the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) host: usize,
    pub(super) boot: u32,
}

/// A peer, and the host at which it is listed. Two members may be listed at one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct To {
    pub(super) peer: MemberId,
    pub(super) host: usize,
}

/// Something that is going to happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A deadline of the node may have come.
    Deadline(Process),
    /// The batch of inputs ends.
    BatchEnd(Process),
    /// A message reaches a host; it was sent at the time `sent`.
    Deliver { from: Process, to: usize, sent: u64, message: Message, said: Box<Said> },
    /// The first operations in the queue of a disk end.
    DiskEnd(Process),
    /// An answer from outside reaches the node: anything but messages and disk operations.
    Input(Process, Box<Input>),
    /// News of a connection.
    Link { process: Process, to: To, event: LinkEvent },
    /// A first attempt to connect to a peer.
    Connect { process: Process, to: To },
    /// A call of a node reaches the server that it is for.
    Call { from: Process, to: Option<usize>, call: CallId, request: Box<Call> },
    /// A client asks.
    Act(usize),
    /// A client's request reaches a host.
    Arrive { client: usize, turn: u64, host: usize, asked: Box<Asked> },
    /// An answer, or the certainty that none will come, reaches a client.
    Ended { client: usize, turn: u64, outcome: Box<Outcome> },
    /// An event of a watch reaches a client.
    Watched { client: usize, turn: u64, event: Box<quorate_core::store::Event> },
    /// A client waits no longer.
    GiveUp { client: usize, turn: u64 },
    /// A process ends in the middle of a sync.
    Doom(Process, Doom),
    /// A host starts again.
    Start(Process),
    /// A process goes on after a pause.
    Resume(Process),
    /// A graceful stop has taken too long.
    StopDeadline(Process),
    /// Something that the plan has caused.
    Later(Later),
    /// The faults end.
    Calm,
    /// Look whether the healthy quorum has settled.
    Settled,
}

impl Event {
    /// Adds the event to the digest of the run.
    pub(super) fn trace(&self, digest: &mut Digest) {
        match self {
            Self::Deadline(p) => words(digest, 1, p.host),
            Self::BatchEnd(p) => words(digest, 2, p.host),
            Self::Deliver { from, to, message, .. } => {
                words(digest, 3, from.host * 64 + to);
                digest.add(message.term);
                digest.add(body_number(&message.body));
            }
            Self::DiskEnd(p) => words(digest, 4, p.host),
            Self::Input(p, _) => words(digest, 5, p.host),
            Self::Link { process, to, event } => {
                words(digest, 6, process.host * 64 + to.host);
                digest.add(*event as u64);
            }
            Self::Connect { process, to } => words(digest, 7, process.host * 64 + to.host),
            Self::Call { from, .. } => words(digest, 8, from.host),
            Self::Act(client) => words(digest, 9, *client),
            Self::Arrive { client, host, .. } => words(digest, 10, client * 64 + host),
            Self::Ended { client, outcome, .. } => {
                words(digest, 11, *client);
                if let Outcome::Answered { stamp, .. } = &**outcome {
                    digest.add(stamp.store_index);
                }
            }
            Self::Watched { client, event, .. } => {
                words(digest, 12, *client);
                digest.add(event.index);
            }
            Self::GiveUp { client, .. } => words(digest, 13, *client),
            Self::Later(later) => {
                let (kind, whom) = later.numbers();
                words(digest, kind, whom);
            }
            Self::Start(p) => words(digest, 16, p.host),
            Self::Resume(p) => words(digest, 17, p.host),
            Self::StopDeadline(p) => words(digest, 18, p.host),
            Self::Calm => words(digest, 20, 0),
            Self::Settled => words(digest, 21, 0),
            Self::Doom(process, _) => words(digest, 22, process.host),
        }
    }
}

fn words(digest: &mut Digest, kind: u64, who: usize) {
    digest.add(kind << 32 | who as u64);
}

/// What tells messages of a term apart, as one number.
const fn body_number(body: &Body) -> u64 {
    match body {
        Body::Propose { entries } => entries.len() as u64,
        Body::Append { prev, entries, commit } => {
            (1 << 60) + (prev.index << 40) + ((entries.len() as u64) << 24) + *commit
        }
        Body::Appended { index } => (2 << 60) + *index,
        Body::AppendRejected { index, .. } => (3 << 60) + *index,
        Body::Vote { pre, last, .. } => (4 << 60) + (last.index << 1) + *pre as u64,
        Body::VoteResponse { pre, granted } => (5 << 60) + ((*pre as u64) << 1) + *granted as u64,
        Body::Snapshot(snapshot) => (6 << 60) + snapshot.last.index,
        Body::Heartbeat { commit, .. } => (7 << 60) + *commit,
        Body::HeartbeatResponse { .. } => 8 << 60,
        Body::TransferLeader => 9 << 60,
        Body::TimeoutNow => 10 << 60,
        Body::ReadIndex { .. } => 11 << 60,
        Body::ReadIndexResponse { index, .. } => (12 << 60) + *index,
        Body::Held { index } => (13 << 60) + *index,
    }
}

/// The operation of a disk's queue and when it ends.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) end: u64,
    pub(super) op: Op,
}
