//! Messages of Raft between their typed form and etcd's flat one.

use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;
use prost::Message as _;

use super::error::WireError;
use super::raftpb;
use super::state::{
    check_entries, entry_from_raw, entry_to_raw, snapshot_from_raw, snapshot_to_raw,
};
use crate::id::MemberId;
use crate::raft::{Body, Entry, EntryKind, LogId, Message};

/// `MessageType` of etcd. Those that never leave a member are listed with what they are dropped as.
mod kind {
    pub(super) const HUP: i32 = 0;
    pub(super) const BEAT: i32 = 1;
    pub(super) const PROP: i32 = 2;
    pub(super) const APP: i32 = 3;
    pub(super) const APP_RESP: i32 = 4;
    pub(super) const VOTE: i32 = 5;
    pub(super) const VOTE_RESP: i32 = 6;
    pub(super) const SNAP: i32 = 7;
    pub(super) const HEARTBEAT: i32 = 8;
    pub(super) const HEARTBEAT_RESP: i32 = 9;
    pub(super) const UNREACHABLE: i32 = 10;
    pub(super) const SNAP_STATUS: i32 = 11;
    pub(super) const CHECK_QUORUM: i32 = 12;
    pub(super) const TRANSFER_LEADER: i32 = 13;
    pub(super) const TIMEOUT_NOW: i32 = 14;
    pub(super) const READ_INDEX: i32 = 15;
    pub(super) const READ_INDEX_RESP: i32 = 16;
    pub(super) const PRE_VOTE: i32 = 17;
    pub(super) const PRE_VOTE_RESP: i32 = 18;
}

/// The context by which a vote says that the leader itself asked for the election.
const CAMPAIGN_TRANSFER: &[u8] = b"CampaignTransfer";

/// The context by which an acknowledgement says that it does not count.
const BEHIND: &[u8] = b"Behind";

/// What came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message of Raft.
    Message(Message),
    /// Only a sign of life of the connection; Raft must not see it.
    LinkHeartbeat,
    /// A message that a member sends to itself only; from outside it means nothing.
    Local,
}

/// `raftpb.Message`
pub fn encode_message(message: &Message) -> Bytes {
    to_raw(message).encode_to_vec().into()
}

/// `raftpb.Message` that says nothing but that the connection lives.
pub fn encode_link_heartbeat() -> Bytes {
    raftpb::Message { kind: kind::HEARTBEAT, ..raftpb::Message::default() }.encode_to_vec().into()
}

/// Reads `raftpb.Message`. The parts of the message share `bytes` without copying.
///
/// # Errors
/// It is no such message, its type or that of an entry is unknown, it lacks sender or term, or what it
/// holds is impossible in Raft.
pub fn decode_message(bytes: Bytes) -> Result<Received, WireError> {
    from_raw(raftpb::Message::decode(bytes)?)
}

fn to_raw(message: &Message) -> raftpb::Message {
    let mut raw = raftpb::Message {
        to: message.to.0,
        from: message.from.0,
        term: message.term,
        ..raftpb::Message::default()
    };
    match &message.body {
        Body::Propose { entries } => {
            raw.kind = kind::PROP;
            raw.entries = entries.iter().map(entry_to_raw).collect();
        }
        Body::Append { prev, entries, commit } => {
            raw.kind = kind::APP;
            raw.log_term = prev.term;
            raw.index = prev.index;
            raw.entries = entries.iter().map(entry_to_raw).collect();
            raw.commit = *commit;
        }
        Body::Appended { index } => {
            raw.kind = kind::APP_RESP;
            raw.index = *index;
        }
        Body::Held { index } => {
            raw.kind = kind::APP_RESP;
            raw.index = *index;
            raw.context = Some(Bytes::from_static(BEHIND));
        }
        Body::AppendRejected { index, hint } => {
            raw.kind = kind::APP_RESP;
            raw.index = *index;
            raw.reject = true;
            raw.reject_hint = hint.index;
            raw.log_term = hint.term;
        }
        Body::Vote { pre, last, transfer } => {
            raw.kind = if *pre { kind::PRE_VOTE } else { kind::VOTE };
            raw.log_term = last.term;
            raw.index = last.index;
            raw.context = transfer.then(|| Bytes::from_static(CAMPAIGN_TRANSFER));
        }
        Body::VoteResponse { pre, granted } => {
            raw.kind = if *pre { kind::PRE_VOTE_RESP } else { kind::VOTE_RESP };
            raw.reject = !granted;
        }
        Body::Snapshot(snapshot) => {
            raw.kind = kind::SNAP;
            raw.snapshot = snapshot_to_raw(snapshot);
        }
        Body::Heartbeat { commit, context } => {
            raw.kind = kind::HEARTBEAT;
            raw.commit = *commit;
            raw.context = unless_empty(context);
        }
        Body::HeartbeatResponse { context } => {
            raw.kind = kind::HEARTBEAT_RESP;
            raw.context = unless_empty(context);
        }
        Body::TransferLeader => raw.kind = kind::TRANSFER_LEADER,
        Body::TimeoutNow => raw.kind = kind::TIMEOUT_NOW,
        Body::ReadIndex { context } => {
            raw.kind = kind::READ_INDEX;
            raw.entries = vec![read_request(context)];
        }
        Body::ReadIndexResponse { index, context } => {
            raw.kind = kind::READ_INDEX_RESP;
            raw.index = *index;
            raw.entries = vec![read_request(context)];
        }
    }
    raw
}

fn from_raw(raw: raftpb::Message) -> Result<Received, WireError> {
    if raw.kind == kind::HEARTBEAT && raw.from == 0 && raw.to == 0 {
        return Ok(Received::LinkHeartbeat);
    }
    let (from, to, term) = (MemberId(raw.from), MemberId(raw.to), raw.term);
    let context = raw.context.clone().unwrap_or_default();
    let body = match raw.kind {
        kind::HUP | kind::BEAT | kind::UNREACHABLE | kind::SNAP_STATUS | kind::CHECK_QUORUM => {
            return Ok(Received::Local);
        }
        kind::PROP => Body::Propose { entries: proposed(raw.entries)? },
        kind::APP => append(raw)?,
        kind::APP_RESP if raw.reject => Body::AppendRejected {
            index: raw.index,
            hint: LogId { term: raw.log_term, index: raw.reject_hint },
        },
        kind::APP_RESP if context == BEHIND => Body::Held { index: raw.index },
        kind::APP_RESP => Body::Appended { index: raw.index },
        kind::VOTE | kind::PRE_VOTE => Body::Vote {
            pre: raw.kind == kind::PRE_VOTE,
            last: LogId { term: raw.log_term, index: raw.index },
            transfer: context == CAMPAIGN_TRANSFER,
        },
        kind::VOTE_RESP | kind::PRE_VOTE_RESP => {
            Body::VoteResponse { pre: raw.kind == kind::PRE_VOTE_RESP, granted: !raw.reject }
        }
        kind::SNAP => Body::Snapshot(snapshot_from_raw(raw.snapshot)?),
        kind::HEARTBEAT => Body::Heartbeat { commit: raw.commit, context },
        kind::HEARTBEAT_RESP => Body::HeartbeatResponse { context },
        kind::TRANSFER_LEADER => Body::TransferLeader,
        kind::TIMEOUT_NOW => Body::TimeoutNow,
        kind::READ_INDEX => Body::ReadIndex { context: read_context(raw.entries)? },
        kind::READ_INDEX_RESP => {
            Body::ReadIndexResponse { index: raw.index, context: read_context(raw.entries)? }
        }
        other => return Err(WireError::UnknownMessage(other)),
    };
    if from == MemberId(0) {
        return Err(WireError::NoSender);
    }
    let forwarded =
        matches!(body, Body::Propose { .. } | Body::ReadIndex { .. } | Body::TransferLeader);
    if term == 0 && !forwarded {
        return Err(WireError::NoTerm);
    }
    Ok(Received::Message(Message { from, to, term, body }))
}

fn append(raw: raftpb::Message) -> Result<Body, WireError> {
    let prev = LogId { term: raw.log_term, index: raw.index };
    let entries = raw.entries.into_iter().map(entry_from_raw).collect::<Result<Vec<_>, _>>()?;
    check_entries(prev, &entries, raw.term)?;
    Ok(Body::Append { prev, entries, commit: raw.commit })
}

/// The leader decides where proposals go; whatever the sender wrote there means nothing.
fn proposed(raw: Vec<raftpb::Entry>) -> Result<Vec<Entry>, WireError> {
    let place = |entry| Ok(Entry { term: 0, index: 0, ..entry_from_raw(entry)? });
    raw.into_iter().map(place).collect()
}

fn read_request(context: &Bytes) -> raftpb::Entry {
    entry_to_raw(&Entry { term: 0, index: 0, kind: EntryKind::Normal, data: context.clone() })
}

fn read_context(entries: Vec<raftpb::Entry>) -> Result<Bytes, WireError> {
    let first = entries.into_iter().next().ok_or(WireError::Entries)?;
    Ok(first.data.unwrap_or_default())
}

fn unless_empty(context: &Bytes) -> Option<Bytes> {
    (!context.is_empty()).then(|| context.clone())
}

#[cfg(test)]
pub(crate) mod tests;
