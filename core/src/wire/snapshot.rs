//! The body of `POST /raft/snapshot`: a length, the message, and behind it a database of etcd 3
//! up to the end.
//!
//! The database belongs to etcd's v3 keyspace: an empty one is sent along, and what comes is read past.
//! The v2 store is inside the message. What is read past is bounded all the same: a body without an
//! end would be one that never gets its answer.

mod database;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::error::WireError;
use super::message::{Received, decode_message, encode_message};
use super::stream::Input;
use crate::raft::{Body, Message};

/// Bytes that the database may have: the most that etcd recommends for its quota
/// (`--quota-backend-bytes`).
const DATABASE_MAX: u64 = 8 << 30;

/// The body of a request that brings a snapshot to a member, of whatever kind it is.
///
/// # Panics
/// If the message is no snapshot.
pub fn encode_snapshot_body(message: &Message) -> Bytes {
    let Body::Snapshot(snapshot) = &message.body else {
        panic!("only snapshots are sent this way");
    };
    let bytes = encode_message(message);
    let database = database::database(snapshot.last.index);
    let mut out = BytesMut::with_capacity(8 + bytes.len() + database.len());
    out.put_u64(bytes.len() as u64);
    out.put_slice(&bytes);
    out.put_slice(&database);
    out.freeze()
}

/// Reads the body as it comes.
#[derive(Debug, Default)]
pub struct SnapshotDecoder {
    input: Input,
    outcome: Option<Result<Message, WireError>>,
    /// Bytes that came behind the message.
    database: u64,
}

impl SnapshotDecoder {
    /// A decoder at the start of a body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that have arrived. What follows the message is thrown away.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.outcome.is_some() {
            self.database = self.database.saturating_add(bytes.len() as u64);
            if self.database > DATABASE_MAX {
                self.outcome = Some(Err(WireError::TooLarge(self.database)));
            }
            return;
        }
        self.input.push(bytes);
        let outcome = match self.input.take_frame(0) {
            Ok(None) => return,
            Ok(Some(frame)) => snapshot_in(frame),
            Err(error) => Err(error),
        };
        self.outcome = Some(outcome);
        self.input.clear();
    }

    /// Whether the body cannot be taken, whatever else comes: the rest of it need not be read.
    pub const fn is_refused(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }

    /// The message, once the body has ended.
    ///
    /// # Errors
    /// The body ended too early, is too large or holds no message; [`WireError::Misplaced`] if it
    /// holds another than a snapshot.
    pub fn finish(self) -> Result<Message, WireError> {
        self.outcome.unwrap_or_else(|| Err(WireError::Malformed("unexpected EOF".into())))
    }
}

fn snapshot_in(frame: Bytes) -> Result<Message, WireError> {
    match decode_message(frame)? {
        Received::Message(message) if matches!(message.body, Body::Snapshot(_)) => Ok(message),
        _ => Err(WireError::Misplaced),
    }
}

#[cfg(test)]
mod tests;
