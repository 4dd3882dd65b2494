//! The flat protobuf messages of etcd's raft, field by field.
//!
//! proto2: `required` fields are always written, even when zero, in ascending order, as etcd
//! writes them; an absent one is read as zero, and unknown ones are skipped. Enumerations are
//! plain numbers here, so that an unknown value is seen and not mistaken for the first.

use alloc::vec::Vec;

use bytes::Bytes;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(int32, required, tag = "1")]
    pub(super) kind: i32,
    #[prost(uint64, required, tag = "2")]
    pub(super) to: u64,
    #[prost(uint64, required, tag = "3")]
    pub(super) from: u64,
    #[prost(uint64, required, tag = "4")]
    pub(super) term: u64,
    #[prost(uint64, required, tag = "5")]
    pub(super) log_term: u64,
    #[prost(uint64, required, tag = "6")]
    pub(super) index: u64,
    #[prost(message, repeated, tag = "7")]
    pub(super) entries: Vec<Entry>,
    #[prost(uint64, required, tag = "8")]
    pub(super) commit: u64,
    #[prost(message, required, tag = "9")]
    pub(super) snapshot: Snapshot,
    #[prost(bool, required, tag = "10")]
    pub(super) reject: bool,
    #[prost(uint64, required, tag = "11")]
    pub(super) reject_hint: u64,
    #[prost(bytes = "bytes", optional, tag = "12")]
    pub(super) context: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Entry {
    #[prost(int32, required, tag = "1")]
    pub(super) kind: i32,
    #[prost(uint64, required, tag = "2")]
    pub(super) term: u64,
    #[prost(uint64, required, tag = "3")]
    pub(super) index: u64,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub(super) data: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Snapshot {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(super) data: Option<Bytes>,
    #[prost(message, required, tag = "2")]
    pub(super) metadata: SnapshotMetadata,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SnapshotMetadata {
    #[prost(message, required, tag = "1")]
    pub(super) conf_state: ConfState,
    #[prost(uint64, required, tag = "2")]
    pub(super) index: u64,
    #[prost(uint64, required, tag = "3")]
    pub(super) term: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ConfState {
    #[prost(uint64, repeated, packed = "false", tag = "1")]
    pub(super) voters: Vec<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "2")]
    pub(super) learners: Vec<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "3")]
    pub(super) voters_outgoing: Vec<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "4")]
    pub(super) learners_next: Vec<u64>,
    #[prost(bool, required, tag = "5")]
    pub(super) auto_leave: bool,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct HardState {
    #[prost(uint64, required, tag = "1")]
    pub(super) term: u64,
    #[prost(uint64, required, tag = "2")]
    pub(super) vote: u64,
    #[prost(uint64, required, tag = "3")]
    pub(super) commit: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ConfChange {
    #[prost(uint64, required, tag = "1")]
    pub(super) id: u64,
    #[prost(int32, required, tag = "2")]
    pub(super) kind: i32,
    #[prost(uint64, required, tag = "3")]
    pub(super) node_id: u64,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub(super) context: Option<Bytes>,
}
