//! Learners become voters.
//!
//! A member that is added while all are Quorate only receives the log at first, so a wrong URL or a
//! member that never starts costs no quorum. The leader makes it a voter once it has started and
//! caught up.

use super::running::Running;
use crate::api::progress::{Hurdle, MemberProgress, Progress};
use crate::id::MemberId;
use crate::member::Member;
use crate::member::json::Context;
use crate::raft::{EntryKind, Feed, Followed, Lag};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

impl Running {
    /// Proposes to make a voter of the first learner that can be one.
    pub(super) fn promote_learner(&mut self) {
        let ready = |member: &&Member| member.learner && self.hurdle(member).is_none();
        let Some(node) = self.cluster.iter().find(ready).map(|member| member.id) else { return };
        let id = self.clients.fresh_id();
        let context = Context { member: promoted(node), promote: true }.encode().into();
        let change = ConfChange { id, kind: ConfChangeKind::AddNode, node, context };
        self.raft.propose(EntryKind::ConfChange, change.encode());
    }

    /// Why the leader does not make a voter of a learner.
    fn hurdle(&self, learner: &Member) -> Option<Hurdle> {
        if self.cluster.nonce.is_none() {
            return Some(Hurdle::Mixed);
        }
        if planted!(PromoteAtOnce) && !self.raft.change_is_pending() {
            return None;
        }
        if learner.name.is_empty() {
            return Some(Hurdle::NotStarted);
        }
        match self.raft.followed(learner.id).map(|followed| followed.lag()) {
            Some(None) if self.raft.change_is_pending() => Some(Hurdle::AnotherChange),
            Some(lag) => lag.map(Hurdle::Lags),
            None => Some(Hurdle::Lags(Lag::Silent)),
        }
    }

    /// Who is in the cluster and how far each of them has come, if this member leads.
    pub(super) fn progress(&self) -> Option<Progress> {
        let (own, last) = (self.owner.member, self.raft.log().last().index);
        let level =
            Followed { matched: last, behind: 0, feed: Feed::Log, heard: true, counts: true };
        let of = |member: &Member| MemberProgress {
            id: member.id,
            followed: if member.id == own { Some(level) } else { self.raft.followed(member.id) },
            hurdle: if member.learner { self.hurdle(member) } else { None },
        };
        self.raft.leads().then(|| Progress {
            committed: self.raft.commit(),
            last,
            members: self.cluster.iter().map(of).collect(),
        })
    }
}

/// All that a promotion says of the member.
fn promoted(id: MemberId) -> Member {
    let (name, peer_urls, client_urls) = Default::default();
    Member { id, name, peer_urls, client_urls, learner: false }
}
