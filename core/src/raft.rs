//! Raft.

pub mod entry;
pub mod message;

pub use entry::{Entry, EntryKind, LogId};
pub use message::{Body, ConfState, Message, Snapshot};
