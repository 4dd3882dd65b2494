//! The first entries of the log, which every initial member writes by itself.

use alloc::vec::Vec;

use super::InitialCluster;
use crate::member::json;
use crate::raft::{Entry, EntryKind};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

impl InitialCluster {
    /// The entries with which the log of a new cluster begins: one addition for each initial
    /// member in ascending order of the IDs, from index 1, all of term 1. They are committed from
    /// the start, without any vote. The bytes are those that etcd writes.
    pub fn bootstrap_entries(&self, token: &str) -> Vec<Entry> {
        (1..)
            .zip(self.members(token))
            .map(|(index, member)| Entry {
                term: 1,
                index,
                kind: EntryKind::ConfChange,
                data: ConfChange {
                    id: 0,
                    kind: ConfChangeKind::AddNode,
                    node: member.id,
                    context: json::encode_member(&member).into(),
                }
                .encode(),
            })
            .collect()
    }
}
