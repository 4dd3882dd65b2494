//! What etcd's log says, segment after segment.
//!
//! Source: `wal/` of etcd 2.0 to 3.4, whose format has not changed but for the padding.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use prost::Message as _;

use super::castagnoli::carry_on;
use super::frames::{Next, Record, is_torn, next};
use super::refusals;
use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::raft::{Entry, LogId};
use crate::wal::{HardState, Owner};
use crate::wire::state::{decode_entry, decode_hard_state, encode_hard_state};

const METADATA: i64 = 1;
const ENTRY: i64 = 2;
const STATE: i64 = 3;
const CRC: i64 = 4;
const SNAPSHOT: i64 = 5;

/// `etcdserverpb.Metadata`
#[derive(Clone, PartialEq, prost::Message)]
struct Metadata {
    #[prost(uint64, required, tag = "1")]
    member: u64,
    #[prost(uint64, required, tag = "2")]
    cluster: u64,
}

/// `walpb.Snapshot`
#[derive(Clone, PartialEq, prost::Message)]
struct Saved {
    #[prost(uint64, required, tag = "1")]
    index: u64,
    #[prost(uint64, required, tag = "2")]
    term: u64,
}

/// The place behind which a log was not written to its end, because the process was cut off. etcd
/// had acknowledged nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub file: String,
    /// The offset in bytes.
    pub at: u64,
}

/// The log as far as it was read.
#[derive(Debug, Default)]
pub(super) struct EtcdLog {
    pub(super) owner: Option<Owner>,
    pub(super) hard_state: HardState,
    /// The snapshots that the log knows of, the beginning among them.
    pub(super) saved: Vec<LogId>,
    /// Consecutive entries; what was overwritten is gone.
    pub(super) entries: Vec<Entry>,
    pub(super) cut: Option<Cut>,
    crc: Option<u32>,
}

impl EtcdLog {
    /// Takes a segment; `last` says whether it is the one that was written to.
    ///
    /// # Errors
    /// It is damaged, does not follow the one before, or holds what is none of etcd's 2.x or 3.4.
    pub(super) fn take(&mut self, file: &str, bytes: &Bytes, last: bool) -> Result<(), Refusal> {
        let mut at = 0;
        loop {
            let (record, place, end) = match next(bytes, at) {
                Next::Record(record, place, end) => (record, place, end),
                Next::End => return Ok(()),
                Next::Torn if last => {
                    self.cut = Some(Cut { file: file.into(), at: at as u64 });
                    return Ok(());
                }
                Next::Torn => return Err(refusals::damaged(file, at, "it ends within a record")),
                Next::Damaged => return Err(refusals::damaged(file, at, "there is no record")),
            };
            if !self.matches(&record) {
                if !last || !is_torn(bytes, place) {
                    return Err(refusals::damaged(file, at, "the checksum does not hold"));
                }
                self.cut = Some(Cut { file: file.into(), at: at as u64 });
                return Ok(());
            }
            self.record(&record).map_err(|cause| refusals::damaged(file, at, &cause))?;
            at = end;
        }
    }

    /// Whether the checksum of a record holds; it is carried on.
    fn matches(&mut self, record: &Record) -> bool {
        let crc = match (record.kind, self.crc) {
            // The first that is read says how the segments before it ended.
            (CRC, None) => record.crc,
            (CRC, Some(before)) => before,
            (_, before) => {
                carry_on(before.unwrap_or_default(), record.data.as_deref().unwrap_or_default())
            }
        };
        let holds = crc == record.crc;
        if holds {
            self.crc = Some(crc);
        }
        holds
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        let data = record.data.clone().unwrap_or_default();
        match record.kind {
            CRC => {}
            METADATA => {
                let Metadata { member, cluster } = read(Metadata::decode(data))?;
                let owner = Owner { member: MemberId(member), cluster: ClusterId(cluster) };
                if self.owner.replace(owner).is_some_and(|before| before != owner) {
                    return Err("it belongs to another member than what is before".into());
                }
            }
            ENTRY => self.entry(read(decode_entry(data))?)?,
            STATE => self.state(&data)?,
            SNAPSHOT => {
                let Saved { index, term } = read(Saved::decode(data))?;
                self.saved.push(LogId { term, index });
            }
            other => return Err(alloc::format!("there is a record of the unknown kind {other}")),
        }
        Ok(())
    }

    /// The checksum of a record does not cover its kind. So what etcd never writes is looked for:
    /// it shows one record that is taken for another.
    fn state(&mut self, data: &Bytes) -> Result<(), String> {
        let state = read(decode_hard_state(data.clone()))?;
        let before = self.hard_state;
        if encode_hard_state(&state) != data {
            return Err("there is a hard state with something else in it".into());
        }
        if state.term < before.term || state.commit < before.commit {
            return Err("there is a hard state that goes back behind the one before".into());
        }
        self.hard_state = state;
        Ok(())
    }

    /// An entry follows the last one, or replaces the log from its index on. Behind a snapshot that
    /// a leader has sent there may be a gap: what was before it is void.
    fn entry(&mut self, entry: Entry) -> Result<(), String> {
        if entry.index == 0 || entry.term == 0 {
            return Err("there is an entry with the index or the term 0".into());
        }
        let first = self.entries.first().map_or(entry.index, |first| first.index);
        let keep = entry.index.checked_sub(first).and_then(|keep| usize::try_from(keep).ok());
        match keep {
            Some(keep) if keep <= self.entries.len() => {
                let replaced = self.entries.get(keep);
                if replaced.is_some_and(|old| old.term >= entry.term && *old != entry) {
                    return Err("there is an entry in the place of one of no lower term".into());
                }
                self.entries.truncate(keep);
            }
            _ => self.entries.clear(),
        }
        if self.entries.last().is_some_and(|last| last.term > entry.term) {
            return Err("there is an entry of a lower term than the one before".into());
        }
        self.entries.push(entry);
        Ok(())
    }
}

fn read<T, E: core::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| alloc::format!("a record cannot be read: {error}"))
}
