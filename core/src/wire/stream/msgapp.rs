//! The stream of appends (etcd's codec "msgappv2").
//!
//! Both ends remember where the last append ended, so that one which continues it in the same
//! term needs no head: kind 1. Any append can be sent whole: kind 2. Kind 0 is a sign of life.

use alloc::vec::Vec;
use core::mem;

use bytes::{BufMut as _, BytesMut};

use super::FRAME_MAX;
use super::input::Input;
use super::message::put_frame;
use crate::id::MemberId;
use crate::raft::{Body, Entry, LogId, Message};
use crate::wire::error::WireError;
use crate::wire::message::{Received, decode_message, encode_message};
use crate::wire::state::{check_entries, decode_entry, encode_entry};

const LINK_HEARTBEAT: u8 = 0;
const CONTINUED: u8 = 1;
const WHOLE: u8 = 2;

/// Where a whole append leaves both ends.
fn end_of(term: u64, prev: LogId, entries: &[Entry]) -> LogId {
    LogId { term, index: entries.last().map_or(prev.index, |last| last.index) }
}

/// Writes the stream.
#[derive(Clone, Debug, Default)]
pub struct MsgAppStreamEncoder {
    /// The term of the last append, and the index of the last entry sent.
    end: LogId,
}

impl MsgAppStreamEncoder {
    /// An encoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an append.
    ///
    /// # Panics
    /// If the message is another.
    pub fn encode(&mut self, message: &Message, out: &mut BytesMut) {
        let Body::Append { prev, entries, commit } = &message.body else {
            panic!("only appends go over the stream of appends");
        };
        if *prev == self.end && prev.term == message.term {
            out.put_u8(CONTINUED);
            out.put_u64(entries.len() as u64);
            for entry in entries {
                put_frame(&encode_entry(entry), out);
            }
            out.put_u64(*commit);
        } else {
            out.put_u8(WHOLE);
            put_frame(&encode_message(message), out);
        }
        self.end = end_of(message.term, *prev, entries);
    }

    /// Appends a sign of life; etcd drops a connection without a byte for five seconds.
    pub fn link_heartbeat(&self, out: &mut BytesMut) {
        out.put_u8(LINK_HEARTBEAT);
    }
}

/// Reads the stream.
#[derive(Debug)]
pub struct MsgAppStreamDecoder {
    local: MemberId,
    peer: MemberId,
    input: Input,
    /// The term of the last append, and the index of the last entry received.
    end: LogId,
    /// A frame of kind 1 of which only a part has arrived.
    partial: Option<Partial>,
    /// The most bytes that the entries of one frame may take.
    pub(super) entries_max: u64,
    failed: Option<WireError>,
}

#[derive(Debug, Default)]
struct Partial {
    missing: u64,
    entries: Vec<Entry>,
    /// Bytes that the entries took.
    size: u64,
}

impl MsgAppStreamDecoder {
    /// A decoder at the start of the stream that `local` has dialled to `peer`.
    pub fn new(local: MemberId, peer: MemberId) -> Self {
        Self {
            local,
            peer,
            input: Input::default(),
            end: LogId::default(),
            partial: None,
            entries_max: FRAME_MAX,
            failed: None,
        }
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.input.push(bytes);
        }
    }

    /// The next append, if all of it has arrived.
    ///
    /// # Errors
    /// The stream is broken; nothing more will come.
    pub fn decode(&mut self) -> Result<Option<Received>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.decode_frame();
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.partial = None;
            self.input.clear();
        }
        result
    }

    fn decode_frame(&mut self) -> Result<Option<Received>, WireError> {
        if self.partial.is_some() {
            return self.decode_continued();
        }
        match self.input.peek_u8() {
            None => Ok(None),
            Some(LINK_HEARTBEAT) => {
                self.input.skip(1);
                Ok(Some(Received::LinkHeartbeat))
            }
            Some(CONTINUED) => {
                let Some(missing) = self.input.peek_u64(1) else { return Ok(None) };
                self.input.skip(9);
                self.partial = Some(Partial { missing, ..Partial::default() });
                self.decode_continued()
            }
            Some(WHOLE) => self.decode_whole(),
            Some(other) => Err(WireError::UnknownFrame(other)),
        }
    }

    fn decode_whole(&mut self) -> Result<Option<Received>, WireError> {
        let Some(frame) = self.input.take_frame(1)? else { return Ok(None) };
        let received = decode_message(frame)?;
        let Received::Message(Message { term, body: Body::Append { prev, entries, .. }, .. }) =
            &received
        else {
            return Err(WireError::Misplaced);
        };
        self.end = end_of(*term, *prev, entries);
        Ok(Some(received))
    }

    fn decode_continued(&mut self) -> Result<Option<Received>, WireError> {
        let Some(partial) = &mut self.partial else { return Ok(None) };
        while partial.missing > 0 {
            let Some(frame) = self.input.take_frame(0)? else { return Ok(None) };
            partial.size += 8 + frame.len() as u64;
            if partial.size > self.entries_max {
                return Err(WireError::TooLarge(partial.size));
            }
            partial.entries.push(decode_entry(frame)?);
            partial.missing -= 1;
        }
        let Some(commit) = self.input.peek_u64(0) else { return Ok(None) };
        self.input.skip(8);
        let entries = mem::take(&mut partial.entries);
        self.partial = None;
        let (prev, term) = (self.end, self.end.term);
        if term == 0 {
            return Err(WireError::NoTerm);
        }
        check_entries(prev, &entries, term)?;
        self.end = end_of(term, prev, &entries);
        let body = Body::Append { prev, entries, commit };
        Ok(Some(Received::Message(Message { from: self.peer, to: self.local, term, body })))
    }
}
