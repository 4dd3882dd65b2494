//! Everything that can happen to a node.

use alloc::string::String;

use bytes::Bytes;

use crate::api;
use crate::disk::Done;
use crate::dns;
use crate::http::Answer;
use crate::id::MemberId;
use crate::member::identity::Said;
use crate::raft::Message;
use crate::store::Image;
use crate::url::Url;

/// Names a client request while it waits for its answer. Chosen by the driver, never reused while
/// the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// Names a call to another server, a name look-up or a computation that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The end of a batch of inputs, or a deadline that has passed. All effects that were
    /// collected since the last one go out now: one write to the log, one sync, one message a
    /// follower.
    Wake,
    /// A message of Raft came in from a peer whose headers were in order.
    Peer {
        /// The message.
        message: Message,
        /// What the peer said of itself where the message came in.
        said: Said,
    },
    /// A peer was connected to, and has said who it is.
    Met {
        /// Whom the link is to.
        peer: MemberId,
        /// What it said of itself.
        said: Said,
    },
    /// Somebody was refused who belongs to another cluster.
    Stranger {
        /// Who it says it is.
        from: MemberId,
        /// What a person should know of that.
        cause: String,
    },
    /// Somebody speaks for this cluster who is none of its members, as far as this one knows.
    Unlisted {
        /// Who it says it is.
        from: MemberId,
    },
    /// A client asks.
    Client {
        /// Under which the answer goes out.
        id: ClientId,
        /// What it asks.
        request: api::Request,
    },
    /// The client is gone; nobody reads its answer.
    Gone {
        /// The request.
        id: ClientId,
    },
    /// A disk operation that carried a ticket has ended.
    Disk(Done),
    /// A call has ended: answered, or failed with the cause in words.
    Http {
        /// The call.
        call: CallId,
        /// What came of it.
        result: Result<Answer, String>,
    },
    /// A look-up has ended.
    Dns {
        /// The look-up.
        call: CallId,
        /// What came of it.
        answer: dns::Answer,
    },
    /// A request could not be forwarded to a member: it could not be connected to, or broke off.
    EndpointFailed {
        /// The client URL of the member.
        endpoint: Url,
    },
    /// A computation has ended.
    Computed {
        /// The computation.
        call: CallId,
        /// What came of it.
        result: Computed,
    },
    /// News of the connection to a peer.
    Link {
        /// The peer.
        peer: MemberId,
        /// What happened.
        event: LinkEvent,
    },
    /// The listeners are bound, or the first that failed.
    Listening {
        /// What came of it.
        result: Result<(), ListenError>,
    },
    /// Stop gracefully: hand over leadership, answer what waits, halt.
    Stop,
}

/// Why nothing can be listened on; in words that name the URL or the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenError {
    /// An address cannot be bound.
    Address(String),
    /// A certificate, key or list of authorities cannot be used.
    Certificate(String),
}

/// What a [`Task`](super::output::Task) yields.
#[derive(Clone, Debug)]
pub enum Computed {
    /// The JSON dump of an image.
    Encoded(Bytes),
    /// The image in a JSON dump, or why it is none.
    Decoded(Result<Image, String>),
    /// The hash of a password.
    Hashed(String),
    /// Whether it was the password.
    Verified(bool),
}

/// News of the connection to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// A message to it was dropped, or could not be delivered.
    Unreachable,
    /// The last snapshot was delivered.
    SnapshotDelivered,
    /// The last snapshot could not be delivered.
    SnapshotFailed,
    /// The peer could be connected to.
    Connected,
    /// It answered that this member was removed from the cluster (403 or 410).
    SaysRemoved,
    /// It answered that it knows this member by another data directory (412).
    SaysReplaced,
}
