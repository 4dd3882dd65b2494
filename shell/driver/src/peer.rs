//! Members talking to each other: the peer port and the links to the other members.
//!
//! The roles are easy to get backwards. A member *dials* a stream to *receive*: the answer to its
//! request is an endless body of messages for it. So each member serves the streams that it writes
//! and dials the streams that it reads, two of each for every peer. What finds no stream goes
//! through the pipeline, one request a message.

mod codec;
mod dial;
mod incoming;
mod links;
mod pipeline;
mod port;
mod registry;
mod snapshot;
mod stream;
mod target;

use std::time::Duration;

use crate::http::Door;

pub(crate) use links::Links;
pub(crate) use port::Port;

/// The limits of the peer port.
pub(crate) const DOOR: Door = Door {
    name: "peer",
    connections: 1024,
    head_timeout: Duration::from_secs(30),
    idle_timeout: Duration::from_secs(30),
    head_bytes: 64 << 10,
};

/// Messages that may wait for one stream.
const STREAM_QUEUE: usize = 4096;
/// Messages that may wait for the pipeline of one peer.
const PIPELINE_QUEUE: usize = 64;
/// Pipelines a peer, so that one slow request does not hold up the others.
pub(crate) const PIPELINE_WORKERS: usize = 4;
/// A stream that is served carries something at least this often, or the reader gives it up.
const HEARTBEAT: Duration = Duration::from_millis(1600);
/// A dialled stream that says nothing for this long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts to dial.
const REDIAL: Duration = Duration::from_millis(100);
/// After a peer has said that this member was removed. It is asked again, because it may err.
const REDIAL_REFUSED: Duration = Duration::from_secs(10);
/// For a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For the answer to a message of the pipeline.
const POST_TIMEOUT: Duration = Duration::from_secs(5);
