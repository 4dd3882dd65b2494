//! Changes of the configuration: the data of entries of kind
//! [`EntryKind::ConfChange`](crate::raft::EntryKind::ConfChange).

use bytes::Bytes;
use prost::Message as _;

use super::error::WireError;
use super::raftpb;
use crate::id::MemberId;

/// What happens to the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfChangeKind {
    /// It becomes a voter.
    AddNode,
    /// It leaves, for ever.
    RemoveNode,
    /// Its URLs change; Raft does not care.
    UpdateNode,
    /// It begins to receive the log, without a vote.
    AddLearner,
}

/// A change of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfChange {
    /// The ID of the request; 0 in the first entries of a cluster.
    pub id: u64,
    /// What happens.
    pub kind: ConfChangeKind,
    /// To whom; 0 stands for nobody: a refused change.
    pub node: MemberId,
    /// JSON of the member ([`Context`](crate::member::json::Context)); empty for a removal.
    pub context: Bytes,
}

impl ConfChange {
    /// The data of the entry.
    pub fn encode(&self) -> Bytes {
        let kind = match self.kind {
            ConfChangeKind::AddNode => 0,
            ConfChangeKind::RemoveNode => 1,
            ConfChangeKind::UpdateNode => 2,
            ConfChangeKind::AddLearner => 3,
        };
        let context = (!self.context.is_empty()).then(|| self.context.clone());
        raftpb::ConfChange { id: self.id, kind, node_id: self.node.0, context }
            .encode_to_vec()
            .into()
    }

    /// Reads the data of an entry.
    ///
    /// # Errors
    /// It is no `raftpb.ConfChange`, or its type is unknown.
    pub fn decode(data: Bytes) -> Result<Self, WireError> {
        let raw = raftpb::ConfChange::decode(data)?;
        let kind = match raw.kind {
            0 => ConfChangeKind::AddNode,
            1 => ConfChangeKind::RemoveNode,
            2 => ConfChangeKind::UpdateNode,
            3 => ConfChangeKind::AddLearner,
            other => return Err(WireError::UnknownConfChange(other)),
        };
        let context = raw.context.unwrap_or_default();
        Ok(Self { id: raw.id, kind, node: MemberId(raw.node_id), context })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::hex;

    #[test]
    fn changes_are_written_as_etcd_writes_them() {
        let mut change = ConfChange {
            id: 300,
            kind: ConfChangeKind::RemoveNode,
            node: MemberId(5),
            context: Bytes::new(),
        };
        assert_eq!(change.encode(), hex("08 ac02 10 01 18 05"));
        change.context = Bytes::from_static(b"{}");
        change.kind = ConfChangeKind::AddNode;
        assert_eq!(change.encode(), hex("08 ac02 10 00 18 05 22 02 7b7d"));
    }

    #[test]
    fn all_kinds_come_back_and_others_are_refused() {
        for kind in [
            ConfChangeKind::AddNode,
            ConfChangeKind::RemoveNode,
            ConfChangeKind::UpdateNode,
            ConfChangeKind::AddLearner,
        ] {
            let context = Bytes::from_static(b"{\"id\":1}");
            let change = ConfChange { id: u64::MAX, kind, node: MemberId(0), context };
            assert_eq!(ConfChange::decode(change.encode()), Ok(change));
        }
        assert_eq!(ConfChange::decode(hex("10 04")), Err(WireError::UnknownConfChange(4)));
    }
}
