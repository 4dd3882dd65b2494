//! The v2 store: a tree of keys, one index for all its changes, and the memory of the last events.
//!
//! It is a state machine: equal commands in equal order make equal stores on every member, down to
//! each index, since clients compare them across members. The semantics are those of etcd,
//! down to its quirks, where a client or an etcd peer could see a difference.
//! Watchers are local to a member and stand outside, in [`WatchHub`].

pub mod apply;
pub mod error;
pub mod event;
pub mod history;
pub mod image;
pub mod path;
pub mod stats;
mod tree;
pub mod watch;
pub mod write;

use alloc::sync::Arc;
use core::fmt;

use bytes::Bytes;

pub use apply::{Applied, Command, Method};
pub use error::{Code, Error};
pub use event::{Action, Event, NodeView};
pub use history::History;
pub use image::Image;
pub use stats::{Stats, Tally};
pub use watch::{Begun, Watch, WatchHub};
pub use write::{Condition, Ttl};

use tree::Subtree;

/// The directories that exist from the beginning and cannot be written: of the cluster and of the
/// keys. `/2`, of auth, comes with the first write to it.
const NAMESPACES: [&str; 2] = ["/0", "/1"];

/// The store of a member.
#[derive(Clone, Debug)]
pub struct Store {
    image: Image,
}

impl Store {
    /// The store of a cluster that has not begun.
    pub fn new() -> Self {
        Self { image: Image::fresh() }
    }

    /// A store that goes on from an image.
    pub fn from_image(image: Image) -> Self {
        Self { image }
    }

    /// The store as it is now. O(1); later writes to the store do not change the image.
    pub fn image(&self) -> Image {
        self.image.clone()
    }

    /// Keeps what identifies the cluster beyond what etcd knows of it, in whatever form. It is
    /// replicated and travels with the dump, but is no key: it takes no index and no event.
    pub fn set_identity(&mut self, identity: Bytes) {
        self.image.state_mut().identity = identity;
    }

    /// The store as it is now, for reading in place.
    pub fn as_image(&self) -> &Image {
        &self.image
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// What a write has done.
#[derive(Clone)]
pub struct Change {
    event: Arc<Event>,
    /// What went away with a directory.
    removed: Option<Subtree>,
}

impl Change {
    /// The event of the change.
    pub fn event(&self) -> &Event {
        &self.event
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Change").field(&self.event).finish()
    }
}

#[cfg(test)]
mod tests;
