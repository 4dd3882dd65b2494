//! Passing a request through the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use quorate_core::api::{Failure, Request, Response};
use quorate_core::node::{ClientId, Input};
use tokio::sync::{mpsc, oneshot};

use crate::run::{Ask, Mailbox, Part, ReplyTo};

/// Hands requests to the loop.
#[derive(Clone)]
pub(crate) struct Asker {
    mailbox: Mailbox,
    ids: Arc<AtomicU64>,
}

/// An answer that comes in parts. The fields are dropped in their order: when the node hears that
/// the client is gone, the channel is closed.
pub(crate) struct Answering {
    parts: mpsc::Receiver<Part>,
    last: bool,
    waiting: Waiting,
}

impl Answering {
    /// The next part; none when the last was given, or the loop has cut the client off.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Response>> {
        let part = self.parts.poll_recv(cx);
        match &part {
            Poll::Ready(None) => self.waiting.answered(),
            Poll::Ready(Some(part)) => self.last = part.last,
            Poll::Pending => {}
        }
        part.map(|part| part.map(|part| part.response))
    }

    /// Whether the answer has ended without its last part.
    pub(crate) const fn is_cut_off(&self) -> bool {
        !self.last
    }
}

/// Tells the node that a client is gone, unless its answer has come before.
struct Waiting {
    id: ClientId,
    control: mpsc::UnboundedSender<Input>,
    answered: bool,
}

impl Waiting {
    const fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.control.send(Input::Gone { id: self.id });
        }
    }
}

impl Asker {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, ids: Arc::new(AtomicU64::new(1)) }
    }

    /// Asks for an answer in one piece.
    pub(crate) async fn once(&self, request: Request) -> Response {
        let mut waiting = self.waiting();
        // Declared after the guard, thus dropped before it: whoever hears that the client is gone
        // finds the channel closed.
        let (sender, receiver) = oneshot::channel();
        let ask = Ask { id: waiting.id, request, reply: ReplyTo::Once(sender) };
        if self.mailbox.clients.send(ask).await.is_err() {
            return Response::Failed(Failure::Stopping);
        }
        let response = receiver.await.unwrap_or(Response::Failed(Failure::Stopping));
        waiting.answered();
        response
    }

    /// Asks for an answer in parts, of which `capacity` may wait for the reader.
    pub(crate) async fn parts(&self, request: Request, capacity: usize) -> Answering {
        let waiting = self.waiting();
        let (sender, parts) = mpsc::channel(capacity);
        let ask = Ask { id: waiting.id, request, reply: ReplyTo::Parts(sender) };
        // A loop that has ended drops the sender, which ends the answer.
        let _ = self.mailbox.clients.send(ask).await;
        Answering { parts, last: false, waiting }
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            id: ClientId(self.ids.fetch_add(1, Ordering::Relaxed)),
            control: self.mailbox.control.clone(),
            answered: false,
        }
    }
}
