//! Events: what a change did to one node of the tree, and what a read saw there.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A read.
    Get,
    /// Written, whatever was there.
    Set,
    /// Written where nothing was.
    Create,
    /// Written where something was.
    Update,
    /// Written after a comparison.
    CompareAndSwap,
    /// Removed.
    Delete,
    /// Removed after a comparison.
    CompareAndDelete,
    /// Removed because its time to live had passed.
    Expire,
}

impl Action {
    const ALL: [Self; 8] = [
        Self::Get,
        Self::Set,
        Self::Create,
        Self::Update,
        Self::CompareAndSwap,
        Self::Delete,
        Self::CompareAndDelete,
        Self::Expire,
    ];

    /// What the v2 API calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Create => "create",
            Self::Update => "update",
            Self::CompareAndSwap => "compareAndSwap",
            Self::Delete => "delete",
            Self::CompareAndDelete => "compareAndDelete",
            Self::Expire => "expire",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// A change of the tree, or the result of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// The node as it is now.
    pub node: NodeView,
    /// The node as it was before, where there was one and the action is not a read.
    pub prev: Option<NodeView>,
    /// The store index when it happened; for a read, the store index that was read.
    pub index: u64,
    /// A change of the time to live only: no watcher is told, and history scans skip it.
    pub refresh: bool,
}

/// A node of the tree as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The full store path (`/1/…` for keys); the client-visible key lacks the first component.
    pub path: String,
    /// The value of a file. Absent for directories and for what delete, compareAndDelete and
    /// expire leave.
    pub value: Option<Bytes>,
    /// Whether it is a directory.
    pub dir: bool,
    /// Absolute expiry in Unix nanoseconds, if it has one.
    pub expiration: Option<i64>,
    /// Children, where they were asked for.
    pub nodes: Vec<Self>,
    /// Store index of the last change; 0 for the root.
    pub modified_index: u64,
    /// Store index of its creation; 0 for the root.
    pub created_index: u64,
}
