//! One direction of a connection.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};
use tokio::io::ReadBuf;

use super::SEGMENT_RTO;

/// Bytes that may be written and not yet read.
pub(super) const WINDOW: usize = 64 << 10;
/// The longest retransmission timeout.
const MAX_RTO: u64 = 120_000_000_000;

/// What a segment carries.
#[derive(Debug)]
pub(super) enum Payload {
    /// Bytes.
    Data(Bytes),
    /// Nothing more will come.
    End,
}

#[derive(Debug)]
struct Segment {
    /// When it arrives, if nothing is in its way then.
    due: u64,
    rto: u64,
    payload: Payload,
}

/// Bytes on their way, and those that have arrived.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    flight: VecDeque<Segment>,
    /// Nothing arrives before this.
    last: u64,
    /// Bytes written and not yet read.
    outstanding: usize,
    received: VecDeque<Bytes>,
    /// Whether the writer has finished.
    pub(super) finished: bool,
    /// Whether the reader knows.
    pub(super) ended: bool,
    /// Whether the news that there is room is on its way to the writer.
    pub(super) announced: bool,
}

impl Pipe {
    /// How many bytes may be written now.
    pub(super) const fn room(&self) -> usize {
        WINDOW - self.outstanding
    }

    /// Nothing arrives before `time`.
    pub(super) const fn hold_until(&mut self, time: u64) {
        self.last = time;
    }

    /// Sends a segment that takes until `due`, or until the one before it has arrived. Gives that
    /// time if nothing else is under way.
    pub(super) fn send(&mut self, due: u64, payload: Payload) -> Option<u64> {
        let due = due.max(self.last + 1);
        self.last = due;
        if let Payload::Data(bytes) = &payload {
            self.outstanding += bytes.len();
        }
        self.flight.push_back(Segment { due, rto: SEGMENT_RTO, payload });
        (self.flight.len() == 1).then_some(due)
    }

    /// When the first segment under way arrives.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.flight.front().map(|segment| segment.due)
    }

    /// The first segment under way did not get through: it is sent again.
    pub(super) fn put_off(&mut self, now: u64) {
        if let Some(segment) = self.flight.front_mut() {
            segment.due = now + segment.rto;
            segment.rto = (segment.rto * 2).min(MAX_RTO);
            self.last = self.last.max(segment.due);
        }
    }

    /// Takes the first segment off the wire.
    pub(super) fn take(&mut self) -> Option<Payload> {
        self.flight.pop_front().map(|segment| segment.payload)
    }

    /// The segment reaches the reader.
    pub(super) fn receive(&mut self, payload: Payload) {
        match payload {
            Payload::Data(bytes) => self.received.push_back(bytes),
            Payload::End => self.ended = true,
        }
    }

    /// Bytes that could be read.
    pub(super) fn readable(&self) -> usize {
        self.received.iter().map(Bytes::len).sum()
    }

    /// Reads at most `most` bytes.
    pub(super) fn read(&mut self, buffer: &mut ReadBuf<'_>, most: usize) {
        let mut left = most.min(buffer.remaining());
        while left > 0
            && let Some(first) = self.received.front_mut()
        {
            let count = left.min(first.len());
            buffer.put_slice(&first[..count]);
            first.advance(count);
            left -= count;
            self.outstanding -= count;
            if first.is_empty() {
                self.received.pop_front();
            }
        }
    }

    /// What is under way is lost for good.
    pub(super) fn lose_flight(&mut self) {
        for segment in self.flight.drain(..) {
            if let Payload::Data(bytes) = segment.payload {
                self.outstanding -= bytes.len();
            }
        }
    }
}
