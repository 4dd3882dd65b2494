//! The stream of all messages but appends: length, message, length, message.

use bytes::{BufMut as _, BytesMut};

use super::input::Input;
use crate::raft::Message;
use crate::wire::error::WireError;
use crate::wire::message::{Received, decode_message, encode_link_heartbeat, encode_message};

/// Writes the stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageStreamEncoder;

impl MessageStreamEncoder {
    /// Appends a message.
    pub fn encode(self, message: &Message, out: &mut BytesMut) {
        put_frame(&encode_message(message), out);
    }

    /// Appends a sign of life; etcd drops a connection without a byte for five seconds.
    pub fn link_heartbeat(self, out: &mut BytesMut) {
        put_frame(&encode_link_heartbeat(), out);
    }
}

pub(super) fn put_frame(bytes: &[u8], out: &mut BytesMut) {
    out.put_u64(bytes.len() as u64);
    out.put_slice(bytes);
}

/// Reads the stream.
#[derive(Debug, Default)]
pub struct MessageStreamDecoder {
    input: Input,
    failed: Option<WireError>,
}

impl MessageStreamDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.input.push(bytes);
        }
    }

    /// The next message, if all of it has arrived.
    ///
    /// # Errors
    /// The stream is broken; nothing more will come.
    pub fn decode(&mut self) -> Result<Option<Received>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = match self.input.take_frame(0) {
            Ok(Some(frame)) => decode_message(frame).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.input.clear();
        }
        result
    }
}
