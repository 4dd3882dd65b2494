//! Entries, snapshots, configurations and hard state in etcd's wire form.

use alloc::vec::Vec;

use bytes::Bytes;
use prost::Message as _;

use super::error::WireError;
use super::raftpb;
use crate::id::MemberId;
use crate::raft::{ConfState, Entry, EntryKind, LogId, Snapshot};
use crate::wal::HardState;

/// `raftpb.HardState`
pub fn encode_hard_state(state: &HardState) -> Bytes {
    let vote = state.vote.unwrap_or_default().0;
    raftpb::HardState { term: state.term, vote, commit: state.commit }.encode_to_vec().into()
}

/// Reads `raftpb.HardState`.
///
/// # Errors
/// It is none.
pub fn decode_hard_state(bytes: Bytes) -> Result<HardState, WireError> {
    let raw = raftpb::HardState::decode(bytes)?;
    let vote = (raw.vote != 0).then_some(MemberId(raw.vote));
    Ok(HardState { term: raw.term, vote, commit: raw.commit })
}

/// `raftpb.Entry`
pub fn encode_entry(entry: &Entry) -> Bytes {
    entry_to_raw(entry).encode_to_vec().into()
}

/// Reads `raftpb.Entry`.
///
/// # Errors
/// It is none, or its type is unknown.
pub fn decode_entry(bytes: Bytes) -> Result<Entry, WireError> {
    entry_from_raw(raftpb::Entry::decode(bytes)?)
}

/// `raftpb.Snapshot`
pub fn encode_snapshot(snapshot: &Snapshot) -> Bytes {
    snapshot_to_raw(snapshot).encode_to_vec().into()
}

/// Reads `raftpb.Snapshot`.
///
/// # Errors
/// It is none, or its configuration is impossible.
pub fn decode_snapshot(bytes: Bytes) -> Result<Snapshot, WireError> {
    snapshot_from_raw(raftpb::Snapshot::decode(bytes)?)
}

pub(super) fn entry_to_raw(entry: &Entry) -> raftpb::Entry {
    let kind = match entry.kind {
        EntryKind::Normal => 0,
        EntryKind::ConfChange => 1,
    };
    let data = (!entry.data.is_empty()).then(|| entry.data.clone());
    raftpb::Entry { kind, term: entry.term, index: entry.index, data }
}

pub(super) fn entry_from_raw(raw: raftpb::Entry) -> Result<Entry, WireError> {
    let kind = match raw.kind {
        0 => EntryKind::Normal,
        1 if planted!(LoseEntryKind) && raw.index > 0 => EntryKind::Normal,
        1 => EntryKind::ConfChange,
        other => return Err(WireError::UnknownEntry(other)),
    };
    Ok(Entry { term: raw.term, index: raw.index, kind, data: raw.data.unwrap_or_default() })
}

/// Whether `entries` can follow `prev` in the log of a leader of `term`: indexes without gap,
/// terms that never fall and never exceed its own. What does not satisfy this would break
/// invariants of Raft, whoever sent it.
pub(super) fn check_entries(prev: LogId, entries: &[Entry], term: u64) -> Result<(), WireError> {
    let mut last = prev;
    for entry in entries {
        let next = last.index.checked_add(1).ok_or(WireError::Entries)?;
        if entry.index != next || entry.term < last.term || entry.term > term {
            return Err(WireError::Entries);
        }
        last = entry.id();
    }
    Ok(())
}

pub(super) fn snapshot_to_raw(snapshot: &Snapshot) -> raftpb::Snapshot {
    let numbers = |ids: &[MemberId]| ids.iter().map(|id| id.0).collect();
    let conf_state = raftpb::ConfState {
        voters: numbers(&snapshot.conf.voters),
        learners: numbers(&snapshot.conf.learners),
        ..raftpb::ConfState::default()
    };
    raftpb::Snapshot {
        data: (!snapshot.data.is_empty()).then(|| snapshot.data.clone()),
        metadata: raftpb::SnapshotMetadata {
            conf_state,
            index: snapshot.last.index,
            term: snapshot.last.term,
        },
    }
}

pub(super) fn snapshot_from_raw(raw: raftpb::Snapshot) -> Result<Snapshot, WireError> {
    let metadata = raw.metadata;
    Ok(Snapshot {
        last: LogId { term: metadata.term, index: metadata.index },
        conf: conf_state_from_raw(metadata.conf_state)?,
        data: raw.data.unwrap_or_default(),
    })
}

fn conf_state_from_raw(raw: raftpb::ConfState) -> Result<ConfState, WireError> {
    let joint = raw.auto_leave || !raw.voters_outgoing.is_empty() || !raw.learners_next.is_empty();
    let ascending = |numbers: Vec<u64>| {
        let mut ids: Vec<MemberId> = numbers.into_iter().map(MemberId).collect();
        ids.sort_unstable();
        ids
    };
    let conf = ConfState { voters: ascending(raw.voters), learners: ascending(raw.learners) };
    let mut all: Vec<MemberId> = conf.voters.iter().chain(&conf.learners).copied().collect();
    all.sort_unstable();
    let repeated = all.windows(2).any(|pair| pair[0] == pair[1]);
    if joint || repeated || all.first() == Some(&MemberId(0)) {
        return Err(WireError::ConfState);
    }
    Ok(conf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::hex;

    #[test]
    fn hard_state_is_written_as_etcd_writes_it() {
        let mut state = HardState { term: 2, vote: Some(MemberId(300)), commit: 9 };
        assert_eq!(encode_hard_state(&state), hex("08 02 10 ac02 18 09"));
        assert_eq!(decode_hard_state(encode_hard_state(&state)), Ok(state));
        state.vote = None;
        assert_eq!(encode_hard_state(&state), hex("08 02 10 00 18 09"));
        assert_eq!(decode_hard_state(encode_hard_state(&state)), Ok(state));
        assert_eq!(decode_hard_state(Bytes::new()), Ok(HardState::default()));
    }

    #[test]
    fn entries_and_snapshots_stand_alone_too() {
        let data = Bytes::from_static(b"d");
        let entry = Entry { term: 1, index: 2, kind: EntryKind::ConfChange, data };
        assert_eq!(encode_entry(&entry), hex("08 01 10 01 18 02 22 01 64"));
        assert_eq!(decode_entry(encode_entry(&entry)), Ok(entry));
        let snapshot = Snapshot {
            last: LogId { term: 1, index: 2 },
            conf: ConfState::default(),
            data: Bytes::new(),
        };
        assert_eq!(encode_snapshot(&snapshot), hex("12 08 0a 02 28 00 10 02 18 01"));
        assert_eq!(decode_snapshot(encode_snapshot(&snapshot)), Ok(snapshot));
    }
}
