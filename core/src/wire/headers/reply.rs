//! Answers to raft requests, in etcd's words.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;

use super::{CLUSTER_ID, KNOWN_INCARNATION, Local, SERVER_VERSION};
use crate::http::Reply;
use crate::id::MemberId;
use crate::member::identity::Incarnation;
use crate::wire::error::WireError;
use crate::wire::version::Personality;

impl Local<'_> {
    /// The message or snapshot was accepted.
    pub fn accepted(&self) -> Reply {
        Reply { status: 204, headers: self.answer_headers(), body: Bytes::new() }
    }

    /// The head that opens a stream of `to`; the endless body follows it.
    pub fn stream_opened(&self, to: MemberId) -> Reply {
        let mut headers = self.answer_headers();
        headers.push((SERVER_VERSION, self.personality.server.to_string()));
        headers.extend(self.said_to(to).headers());
        Reply { status: 200, headers, body: Bytes::new() }
    }

    /// The body of a request of the pipeline could not be read to its end.
    pub fn unreadable(&self) -> Reply {
        self.plain(400, "error reading raft message")
    }

    /// The body of a request of the pipeline is no message.
    pub fn undecodable(&self) -> Reply {
        let spelling = self.personality == Personality::V2_3;
        let word = if spelling { "unmarshaling" } else { "unmarshalling" };
        self.plain(400, &format!("error {word} raft message"))
    }

    /// The body of a snapshot request is none:
    /// [`SnapshotDecoder::finish`](crate::wire::snapshot::SnapshotDecoder::finish).
    pub fn not_a_snapshot(&self, error: &WireError) -> Reply {
        match error {
            WireError::Misplaced => self.plain(400, "wrong raft message type"),
            _ => self.plain(400, &format!("failed to decode raft message ({error})")),
        }
    }

    /// The sender was removed from the cluster; it will shut itself down.
    pub fn removed_sender(&self) -> Reply {
        let mut headers = self.answer_headers();
        headers.push(("Content-Type", "application/json".into()));
        let body = "{\"message\":\"cannot process message from removed member\"}";
        Reply { status: 403, headers, body: Bytes::from_static(body.as_bytes()) }
    }

    /// The message could not be given to Raft.
    pub fn not_processed(&self) -> Reply {
        self.plain(500, "error processing raft message")
    }

    /// The snapshot could not be given to Raft.
    pub fn snapshot_not_processed(&self, cause: &str) -> Reply {
        self.plain(500, &format!("failed to process raft message ({cause})"))
    }

    /// The sender is known by another data directory; it has to be replaced.
    pub(super) fn other_directory(&self, known: Incarnation) -> Reply {
        let mut reply = self.plain(412, "incarnation mismatch");
        reply.headers.push((KNOWN_INCARNATION, known.to_string()));
        reply
    }

    /// A line of text, as Go's `http.Error` sends it.
    pub(super) fn plain(&self, status: u16, line: &str) -> Reply {
        let mut headers = self.answer_headers();
        headers.push(("Content-Type", "text/plain; charset=utf-8".into()));
        headers.push(("X-Content-Type-Options", "nosniff".into()));
        Reply { status, headers, body: Bytes::from(format!("{line}\n")) }
    }

    fn answer_headers(&self) -> Vec<(&'static str, String)> {
        Vec::from([(CLUSTER_ID, self.cluster_id.to_string())])
    }
}
