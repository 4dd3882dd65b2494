//! Why bytes from a peer are not what they should be.

use alloc::string::{String, ToString as _};

/// Why bytes from a peer, or in an entry, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They are no protobuf of the expected message.
    #[error("{0}")]
    Malformed(String),
    /// A message type that no release of etcd has.
    #[error("unknown message type {0}")]
    UnknownMessage(i32),
    /// An entry of a type that no etcd server proposes: a joint change of the configuration
    /// (type 2), on which etcd itself panics, or something newer.
    #[error("unknown entry type {0}")]
    UnknownEntry(i32),
    /// A change of the configuration of unknown type.
    #[error("unknown type of configuration change {0}")]
    UnknownConfChange(i32),
    /// A message without sender.
    #[error("message without sender")]
    NoSender,
    /// A message without term that is not forwarded for a client.
    #[error("message without term")]
    NoTerm,
    /// Entries that do not follow each other, or whose terms are impossible.
    #[error("entries are not consecutive")]
    Entries,
    /// The configuration of a snapshot is a joint one, has a member 0, or a member twice.
    #[error("impossible configuration in snapshot")]
    ConfState,
    /// A message of another type than the channel carries.
    #[error("a message of this type does not belong here")]
    Misplaced,
    /// A frame longer than the limit, in bytes.
    #[error("frame of {0} bytes is too large")]
    TooLarge(u64),
    /// A byte at which a frame should begin.
    #[error("unknown kind of frame {0:#04x}")]
    UnknownFrame(u8),
}

impl From<prost::DecodeError> for WireError {
    fn from(error: prost::DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}
