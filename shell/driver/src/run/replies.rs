//! Clients that wait for an answer.

use std::collections::BTreeMap;

use quorate_core::api::Response;
use quorate_core::node::{ClientId, Input};
use tokio::sync::{mpsc, oneshot};

/// Where an answer goes.
pub(crate) enum ReplyTo {
    /// An answer in one piece.
    Once(oneshot::Sender<Response>),
    /// An answer in parts. Its capacity is how far a reader may fall behind.
    Parts(mpsc::Sender<Response>),
}

impl ReplyTo {
    fn is_closed(&self) -> bool {
        match self {
            Self::Once(sender) => sender.is_closed(),
            Self::Parts(sender) => sender.is_closed(),
        }
    }
}

/// The clients whose last part is outstanding.
#[derive(Default)]
pub(super) struct Replies {
    waiting: BTreeMap<ClientId, ReplyTo>,
}

impl Replies {
    /// Notes who waits. False if the client is gone already, and the request is not to be made:
    /// its [`Input::Gone`] may have come before it, on another channel.
    pub(super) fn admit(&mut self, id: ClientId, reply: ReplyTo) -> bool {
        if reply.is_closed() {
            return false;
        }
        self.waiting.insert(id, reply);
        true
    }

    /// Whether the client was still waiting.
    pub(super) fn forget(&mut self, id: ClientId) -> bool {
        self.waiting.remove(&id).is_some()
    }

    /// Passes on a part. A reader that has fallen too far behind is cut off, which the node is
    /// then told.
    pub(super) fn pass(&mut self, id: ClientId, response: Response, last: bool) -> Option<Input> {
        if last {
            match self.waiting.remove(&id)? {
                // A client that is gone by now misses nothing.
                ReplyTo::Once(sender) => drop(sender.send(response)),
                ReplyTo::Parts(sender) => drop(sender.try_send(response)),
            }
            return None;
        }
        match self.waiting.get(&id)? {
            ReplyTo::Parts(sender) if sender.try_send(response).is_ok() => None,
            _ => {
                self.waiting.remove(&id);
                Some(Input::Gone { id })
            }
        }
    }
}
