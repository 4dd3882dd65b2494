//! What stands on the wire and in log entries: etcd's peer protocol.
//!
//! The rest of the core speaks in the typed messages of [`raft`](crate::raft) and never sees
//! protobuf. All codecs are sans-I/O: they take bytes as they come and give messages, or a typed
//! error; none of them panics on any input, and none allocates ahead of the bytes that arrive.

pub mod channel;
pub mod conf_change;
pub mod error;
pub mod headers;
pub mod message;
mod raftpb;
pub mod request;
pub mod said;
pub mod snapshot;
pub mod state;
pub mod stream;
pub mod version;

#[cfg(test)]
mod recorded;

pub use error::WireError;
