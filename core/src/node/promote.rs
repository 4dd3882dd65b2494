//! Learners become voters.
//!
//! A member that is added while all are Quorate only receives the log at first, so a wrong URL or a
//! member that never starts costs no quorum. The leader makes it a voter once it has started and
//! caught up.

use super::running::Running;
use crate::id::MemberId;
use crate::member::Member;
use crate::member::json::Context;
use crate::raft::EntryKind;
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

impl Running {
    /// Proposes to make a voter of the first learner that can be one.
    pub(super) fn promote_learner(&mut self) {
        if self.cluster.nonce.is_none() || self.raft.change_is_pending() {
            return;
        }
        let ready = |member: &&Member| member.learner && !member.name.is_empty();
        let mut learners = self.cluster.iter().filter(ready).map(|member| member.id);
        let Some(node) = learners.find(|id| self.raft.has_caught_up(*id)) else { return };
        let id = self.clients.fresh_id();
        let context = Context { member: promoted(node), promote: true }.encode().into();
        let change = ConfChange { id, kind: ConfChangeKind::AddNode, node, context };
        self.raft.propose(EntryKind::ConfChange, change.encode());
    }
}

/// All that a promotion says of the member.
fn promoted(id: MemberId) -> Member {
    let (name, peer_urls, client_urls) = Default::default();
    Member { id, name, peer_urls, client_urls, learner: false }
}
