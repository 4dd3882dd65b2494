//! The two streams between peers: endless bodies of HTTP answers, one for appends and one for all
//! other messages.
//!
//! The dialler of a stream is its reader. A decoder takes bytes as they come; what it holds never
//! exceeds what has arrived and not been given out, nor [`FRAME_MAX`] by more than one piece of
//! input. After an error the stream has to be closed: a decoder that failed once says so for ever.

mod input;
mod message;
mod msgapp;

pub(super) use input::Input;
pub use message::{MessageStreamDecoder, MessageStreamEncoder};
pub use msgapp::{MsgAppStreamDecoder, MsgAppStreamEncoder};

/// The largest frame that is read, in bytes; etcd 3.4 has the same limit.
pub const FRAME_MAX: u64 = 512 * 1024 * 1024;

#[cfg(test)]
mod tests;
