//! A stream that a peer has attached: the body that this member writes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use quorate_core::id::MemberId;
use quorate_core::node::{Input, LinkEvent};
use quorate_core::raft::Message;
use quorate_core::wire::headers::StreamKind;
use tokio::sync::mpsc;

use super::HEARTBEAT;
use super::codec::Encoder;
use super::links::Ground;
use crate::http::{Broken, Parts};
use crate::platform::Platform;

/// Messages that are encoded together at most.
const BATCH: usize = 2048;
/// A part of the body is closed once it has this many bytes.
const PART_BYTES: usize = 1 << 20;

/// The body of an attached stream: the messages of a queue, and a heartbeat from time to time so
/// that the reader knows that the connection lives.
pub(super) struct StreamBody<P: Platform> {
    ground: Ground<P>,
    peer: MemberId,
    messages: mpsc::Receiver<Message>,
    taken: VecDeque<Message>,
    encoder: Encoder,
    buffer: BytesMut,
    pulse: Pin<Box<P::Sleep>>,
    replaced: bool,
}

impl<P: Platform> StreamBody<P> {
    pub(super) fn new(
        ground: Ground<P>,
        peer: MemberId,
        kind: StreamKind,
        messages: mpsc::Receiver<Message>,
    ) -> Self {
        let pulse = Box::pin(ground.platform.sleep(HEARTBEAT));
        Self {
            ground,
            peer,
            messages,
            taken: VecDeque::new(),
            encoder: Encoder::new(kind),
            buffer: BytesMut::new(),
            pulse,
            replaced: false,
        }
    }

    fn beat(&mut self, cx: &mut Context<'_>) -> bool {
        let mut due = false;
        while self.pulse.as_mut().poll(cx).is_ready() {
            due = true;
            self.pulse = Box::pin(self.ground.platform.sleep(HEARTBEAT));
        }
        due
    }
}

impl<P: Platform> Parts for StreamBody<P> {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.beat(cx) {
            self.encoder.heartbeat(&mut self.buffer);
        }
        if self.taken.is_empty() {
            let mut batch = Vec::from(std::mem::take(&mut self.taken));
            if self.messages.poll_recv_many(cx, &mut batch, BATCH) == Poll::Ready(0) {
                self.replaced = true;
                return Poll::Ready(None);
            }
            self.taken = batch.into();
        }
        while self.buffer.len() < PART_BYTES {
            let Some(message) = self.taken.pop_front() else { break };
            self.encoder.encode(&message, &mut self.buffer);
        }
        if self.buffer.is_empty() {
            Poll::Pending
        } else {
            let part = self.buffer.split().freeze();
            self.ground.shared.counted.metrics.peer_sent(self.peer, part.len());
            Poll::Ready(Some(Ok(part)))
        }
    }
}

impl<P: Platform> Drop for StreamBody<P> {
    /// The connection is lost, and with it whatever was on its way.
    fn drop(&mut self) {
        if !self.replaced {
            let news = Input::Link { peer: self.peer, event: LinkEvent::Unreachable };
            let _ = self.ground.shared.mailbox.control.send(news);
        }
    }
}
