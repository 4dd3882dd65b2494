//! The v2 store.

pub mod error;
pub mod event;

pub use error::{Code, Error};
pub use event::{Action, Event, NodeView};

use alloc::string::String;
use bytes::Bytes;

/// A version of the store: the tree, its index and its event history, structurally shared with
/// the store that it was taken from. Cloning is O(1).
#[derive(Clone, Debug)]
pub struct Image {}

impl Image {
    /// The JSON dump of etcd.
    pub fn encode(&self) -> Bytes {
        todo!()
    }

    /// Reads a JSON dump of etcd, or says why it is none.
    pub fn decode(_dump: &[u8]) -> Result<Self, String> {
        todo!()
    }
}
