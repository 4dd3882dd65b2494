//! Segments of etcd's log, made up record by record.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use prost::Message as _;

use crate::id::MemberId;
use crate::import::castagnoli::carry_on;
use crate::import::frames::Record;
use crate::raft::{Entry, EntryKind};
use crate::wal::HardState;
use crate::wire::request::{Method, Request};
use crate::wire::state::{encode_entry, encode_hard_state};

/// An entry that sets a key.
pub(super) fn normal(term: u64, index: u64) -> Entry {
    let data = Request::new(index, Method::Put, format!("/1/{term}")).encode();
    Entry { term, index, kind: EntryKind::Normal, data }
}

/// A segment being written.
pub(super) struct Segment {
    sequence: u64,
    index: u64,
    crc: u32,
    bytes: Vec<u8>,
}

impl Segment {
    /// The first segment of member 1 in cluster 2.
    pub(super) fn first() -> Self {
        let mut segment = Self { sequence: 0, index: 0, crc: 0, bytes: Vec::new() };
        segment.head();
        segment.saved(0, 0);
        segment
    }

    /// The segment that follows: its number and its first index.
    pub(super) fn next(&self, sequence: u64, index: u64) -> Self {
        let mut segment = Self { sequence, index, crc: self.crc, bytes: Vec::new() };
        segment.head();
        segment
    }

    pub(super) fn file(&self) -> (String, Bytes) {
        let name = format!("{:016x}-{:016x}.wal", self.sequence, self.index);
        (name, Bytes::copy_from_slice(&self.bytes))
    }

    pub(super) fn entry(&mut self, entry: &Entry) -> &mut Self {
        self.record(2, encode_entry(entry))
    }

    pub(super) fn state(&mut self, term: u64, commit: u64) -> &mut Self {
        let state = HardState { term, vote: Some(MemberId(1)), commit };
        self.record(3, encode_hard_state(&state))
    }

    pub(super) fn metadata(&mut self, member: u8, cluster: u8) -> &mut Self {
        self.record(1, Bytes::copy_from_slice(&[0x08, member, 0x10, cluster]))
    }

    pub(super) fn saved(&mut self, term: u8, index: u8) -> &mut Self {
        self.record(5, Bytes::copy_from_slice(&[0x08, index, 0x10, term]))
    }

    pub(super) fn record(&mut self, kind: i64, data: Bytes) -> &mut Self {
        self.crc = carry_on(self.crc, &data);
        self.push(kind, Some(data))
    }

    fn head(&mut self) {
        self.push(4, None);
        self.metadata(1, 2);
    }

    fn push(&mut self, kind: i64, data: Option<Bytes>) -> &mut Self {
        let record = Record { kind, crc: self.crc, data }.encode_to_vec();
        let padding = (8 - record.len() % 8) % 8;
        let mut length = record.len() as u64;
        if padding > 0 {
            length |= (0x80 | padding as u64) << 56;
        }
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&record);
        self.bytes.resize(self.bytes.len() + padding, 0);
        self
    }
}
