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
    Parts(mpsc::Sender<Part>),
}

/// A part of an answer.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) response: Response,
    /// Whether nothing follows.
    pub(crate) last: bool,
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
                ReplyTo::Parts(sender) => drop(sender.try_send(Part { response, last })),
            }
            return None;
        }
        match self.waiting.get(&id)? {
            ReplyTo::Parts(sender) if sender.try_send(Part { response, last }).is_ok() => None,
            _ => {
                self.waiting.remove(&id);
                Some(Input::Gone { id })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::api::Failure;

    use super::*;

    const ID: ClientId = ClientId(1);

    fn failed() -> Response {
        Response::Failed(Failure::Stopping)
    }

    #[test]
    fn a_client_that_is_gone_before_its_request_was_taken_is_left_out() {
        let mut replies = Replies::default();
        let (sender, receiver) = oneshot::channel();
        drop(receiver);
        assert!(!replies.forget(ID), "the news overtook the request");
        assert!(!replies.admit(ID, ReplyTo::Once(sender)));
        let (sender, _) = mpsc::channel(1);
        assert!(!replies.admit(ID, ReplyTo::Parts(sender)));
    }

    #[test]
    fn an_answer_is_given_once_and_to_its_client() {
        let mut replies = Replies::default();
        let (sender, mut receiver) = oneshot::channel();
        assert!(replies.admit(ID, ReplyTo::Once(sender)));
        assert!(replies.pass(ClientId(2), failed(), true).is_none());
        assert!(receiver.try_recv().is_err());
        assert!(replies.pass(ID, failed(), true).is_none());
        assert_eq!(receiver.try_recv().unwrap(), failed());
        assert!(!replies.forget(ID), "it has its answer");
    }

    #[test]
    fn a_reader_that_is_full_is_cut_off_once() {
        let mut replies = Replies::default();
        let (sender, mut receiver) = mpsc::channel(2);
        assert!(replies.admit(ID, ReplyTo::Parts(sender)));
        assert!(replies.pass(ID, failed(), false).is_none());
        assert!(replies.pass(ID, failed(), false).is_none());
        let gone = replies.pass(ID, failed(), false);
        assert!(matches!(gone, Some(Input::Gone { id: ID })));
        assert!(replies.pass(ID, failed(), false).is_none());
        assert!(receiver.try_recv().is_ok() && receiver.try_recv().is_ok());
        assert!(receiver.is_closed());
    }
}
