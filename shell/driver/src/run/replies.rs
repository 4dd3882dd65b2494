//! Clients that wait for an answer.
//!
//! One write may concern ten thousand watchers. They are told some at a time, so that who writes and
//! who leads is not held up by the many who watch.

use std::collections::{BTreeMap, VecDeque};

use quorate_core::api::Response;
use quorate_core::node::{ClientId, Input};
use tokio::sync::{mpsc, oneshot};

/// How many parts are passed on in one turn of the loop; the others wait for the next turns.
const TURN: usize = 1024;
/// How many parts may wait. Beyond that each that comes has another one passed on at once.
const LATE: usize = 65_536;

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
    /// Parts that wait for a later turn, in the order in which they are passed on.
    late: VecDeque<(ClientId, Part)>,
    /// How many parts may still be passed on in this turn.
    left: usize,
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

    /// A turn of the loop begins. What is late is passed on first; the node is told of readers that
    /// are cut off.
    pub(super) fn begin_turn(&mut self, news: &mut Vec<Input>) {
        self.left = TURN;
        while self.left > 0
            && let Some((id, part)) = self.late.pop_front()
        {
            self.left -= 1;
            news.extend(self.hand_over(id, part));
        }
    }

    /// Whether parts wait for the next turn.
    pub(super) fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Passes on all that is late: no turn follows.
    pub(super) fn flush(&mut self) {
        while let Some((id, part)) = self.late.pop_front() {
            // Nobody is left to be told of a reader that is cut off.
            let _ = self.hand_over(id, part);
        }
    }

    /// Passes on a part, now or in a later turn. A reader that has fallen too far behind is cut off,
    /// which the node is then told.
    pub(super) fn pass(&mut self, id: ClientId, response: Response, last: bool) -> Option<Input> {
        let part = Part { response, last };
        if matches!(self.waiting.get(&id)?, ReplyTo::Once(_)) {
            return self.hand_over(id, part);
        }
        if self.left > 0 && self.late.is_empty() {
            self.left -= 1;
            return self.hand_over(id, part);
        }
        self.late.push_back((id, part));
        if self.late.len() <= LATE {
            return None;
        }
        let (id, part) = self.late.pop_front()?;
        self.hand_over(id, part)
    }

    fn hand_over(&mut self, id: ClientId, part: Part) -> Option<Input> {
        if part.last {
            match self.waiting.remove(&id)? {
                // A client that is gone by now misses nothing.
                ReplyTo::Once(sender) => drop(sender.send(part.response)),
                ReplyTo::Parts(sender) => drop(sender.try_send(part)),
            }
            return None;
        }
        match self.waiting.get(&id)? {
            ReplyTo::Parts(sender) if sender.try_send(part).is_ok() => None,
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
        let mut replies = begun();
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

    fn begun() -> Replies {
        let mut replies = Replies::default();
        replies.begin_turn(&mut Vec::new());
        replies
    }

    /// Watchers that wait, each with room for some parts.
    fn watchers(replies: &mut Replies, count: usize) -> Vec<mpsc::Receiver<Part>> {
        let watcher = |number: usize| {
            let (sender, receiver) = mpsc::channel(4);
            assert!(replies.admit(ClientId(number as u64), ReplyTo::Parts(sender)));
            receiver
        };
        (2..count + 2).map(watcher).collect()
    }

    #[test]
    fn an_answer_overtakes_what_the_many_are_told() {
        let mut replies = begun();
        let mut readers = watchers(&mut replies, TURN + 10);
        let (sender, mut writer) = oneshot::channel();
        assert!(replies.admit(ID, ReplyTo::Once(sender)));
        for number in 2..readers.len() + 2 {
            assert!(replies.pass(ClientId(number as u64), failed(), false).is_none());
        }
        assert!(replies.pass(ID, failed(), true).is_none());
        assert!(writer.try_recv().is_ok(), "the answer does not wait");
        let mut told = |replies: &Replies| {
            let told = readers.iter_mut().filter_map(|reader| reader.try_recv().ok()).count();
            (told, replies.has_late())
        };
        assert_eq!(told(&replies), (TURN, true));
        let mut news = Vec::new();
        replies.begin_turn(&mut news);
        assert_eq!(told(&replies), (10, false));
        assert!(news.is_empty());
    }

    #[test]
    fn parts_keep_their_order_over_turns() {
        let mut replies = Replies::default();
        let mut reader = watchers(&mut replies, 1).remove(0);
        let (id, ended) = (ClientId(2), Response::WatchEnded);
        assert!(replies.pass(id, failed(), false).is_none(), "no turn has begun");
        replies.left = 5;
        assert!(replies.pass(id, ended.clone(), true).is_none());
        assert!(reader.try_recv().is_err(), "the second does not overtake the first");
        replies.flush();
        assert_eq!(reader.try_recv().unwrap().response, failed());
        assert_eq!(reader.try_recv().unwrap().response, ended);
        assert!(!replies.forget(id));
    }

    #[test]
    fn what_is_late_is_bounded() {
        let mut replies = Replies::default();
        let mut reader = watchers(&mut replies, 1).remove(0);
        for _ in 0..=LATE {
            assert!(replies.pass(ClientId(2), failed(), false).is_none());
        }
        assert_eq!(replies.late.len(), LATE);
        assert!(reader.try_recv().is_ok());
        // Nothing waits for a client that is gone.
        assert!(replies.forget(ClientId(2)));
        assert!(replies.pass(ClientId(2), failed(), false).is_none());
        assert_eq!(replies.late.len(), LATE);
    }
}
