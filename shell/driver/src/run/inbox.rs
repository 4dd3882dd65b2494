//! The inputs of a node on their way to the loop.
//!
//! There are three channels, because they must not hold each other up:
//! * *control*: completions, news and the stop. Unbounded as a type, bounded by construction: each
//!   is the single echo of something that was handed out or of a connection that exists. So the
//!   loop can never wait for a task that waits for the loop.
//! * *peers*: messages of Raft. Full means that reading from the peers' connections pauses.
//! * *clients*: requests. Full means that requests wait where they came in, each on a connection
//!   of its own, whose number is limited.

use std::task::Context;

use quorate_core::api;
use quorate_core::member::identity::Said;
use quorate_core::node::{ClientId, Input};
use quorate_core::raft::Message;
use tokio::sync::mpsc;

use super::replies::ReplyTo;

/// What one turn of the loop takes of each kind.
pub(crate) const BATCH: usize = 4096;
const PEER_QUEUE: usize = 4096;
const CLIENT_QUEUE: usize = 4096;

/// A client's request and where its answer goes.
pub(crate) struct Ask {
    pub(crate) id: ClientId,
    pub(crate) request: api::Request,
    pub(crate) reply: ReplyTo,
}

/// The ends that tasks hold.
#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) control: mpsc::UnboundedSender<Input>,
    pub(crate) peers: mpsc::Sender<(Message, Said)>,
    pub(crate) clients: mpsc::Sender<Ask>,
}

/// The ends that the loop holds.
pub(super) struct Inbox {
    control: mpsc::UnboundedReceiver<Input>,
    peers: mpsc::Receiver<(Message, Said)>,
    clients: mpsc::Receiver<Ask>,
}

pub(super) fn channels() -> (Mailbox, Inbox) {
    let (control, controls) = mpsc::unbounded_channel();
    let (peers, messages) = mpsc::channel(PEER_QUEUE);
    let (clients, asks) = mpsc::channel(CLIENT_QUEUE);
    let mailbox = Mailbox { control, peers, clients };
    (mailbox, Inbox { control: controls, peers: messages, clients: asks })
}

/// What was taken in one turn.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) control: Vec<Input>,
    pub(super) peers: Vec<(Message, Said)>,
    pub(super) clients: Vec<Ask>,
}

impl Batch {
    pub(super) const fn is_empty(&self) -> bool {
        self.control.is_empty() && self.peers.is_empty() && self.clients.is_empty()
    }
}

impl Inbox {
    /// Takes all that is ready, of every kind. False if there is nothing; the task is then woken
    /// by whatever comes first.
    pub(super) fn poll_batch(&mut self, cx: &mut Context<'_>, batch: &mut Batch) -> bool {
        // All three are polled, so that all three know whom to wake. A closed channel is ready
        // with nothing, which counts as nothing: the loop holds a sender of each.
        let _ = self.control.poll_recv_many(cx, &mut batch.control, BATCH);
        let _ = self.peers.poll_recv_many(cx, &mut batch.peers, BATCH);
        let _ = self.clients.poll_recv_many(cx, &mut batch.clients, BATCH);
        !batch.is_empty()
    }
}
