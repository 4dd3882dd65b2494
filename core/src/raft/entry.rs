//! Log entries and positions in the log.

use bytes::Bytes;

/// A position in the log together with the term of the entry there. Term 0, index 0 is the
/// position before the first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogId {
    /// The term of the entry.
    pub term: u64,
    /// The index of the entry, counted from 1.
    pub index: u64,
}

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A request to the state machine, or nothing: the no-op of a new leader, and what a refused
    /// configuration change is turned into.
    Normal,
    /// A change of one member (`raftpb.ConfChange`).
    ConfChange,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term of the leader that appended it.
    pub term: u64,
    /// Its index, counted from 1.
    pub index: u64,
    /// What `data` is.
    pub kind: EntryKind,
    /// The bytes that etcd would have there: `etcdserverpb.Request`, `raftpb.ConfChange`, or none.
    pub data: Bytes,
}

impl Entry {
    /// Where the entry stands.
    pub const fn id(&self) -> LogId {
        LogId { term: self.term, index: self.index }
    }
}
