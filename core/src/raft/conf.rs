//! The configuration: who votes, who only receives.

use alloc::collections::BTreeSet;

use super::leader::Leader;
use super::message::ConfState;
use super::{Progress, Raft, Role};
use crate::id::MemberId;

/// The members as Raft counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conf {
    /// Members that vote and count for a quorum.
    pub voters: BTreeSet<MemberId>,
    /// Members that only receive the log.
    pub learners: BTreeSet<MemberId>,
}

/// A change of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The member votes from now on; it may have been a learner before.
    AddVoter(MemberId),
    /// The member receives the log from now on.
    AddLearner(MemberId),
    /// The member is gone.
    Remove(MemberId),
}

impl Conf {
    /// Whether the member votes.
    pub fn is_voter(&self, id: MemberId) -> bool {
        self.voters.contains(&id)
    }

    /// Whether the member is in the configuration at all.
    pub fn contains(&self, id: MemberId) -> bool {
        self.voters.contains(&id) || self.learners.contains(&id)
    }

    /// Carries a change out.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::AddVoter(id) => {
                self.learners.remove(&id);
                self.voters.insert(id);
            }
            Change::AddLearner(id) if planted!(CountLearners) => {
                self.voters.insert(id);
            }
            Change::AddLearner(id) => {
                self.voters.remove(&id);
                self.learners.insert(id);
            }
            Change::Remove(_) if planted!(CountTheRemoved) => {}
            Change::Remove(id) => {
                self.voters.remove(&id);
                self.learners.remove(&id);
            }
        }
    }
}

impl From<&ConfState> for Conf {
    fn from(state: &ConfState) -> Self {
        Self {
            voters: state.voters.iter().copied().collect(),
            learners: state.learners.iter().copied().collect(),
        }
    }
}

impl From<&Conf> for ConfState {
    fn from(conf: &Conf) -> Self {
        Self {
            voters: conf.voters.iter().copied().collect(),
            learners: conf.learners.iter().copied().collect(),
        }
    }
}

impl Raft {
    /// A configuration change was applied and found valid: it takes effect.
    pub fn change_conf(&mut self, change: Change) {
        self.conf.apply(change);
        let Role::Leader(leader) = &mut self.role else { return };
        match change {
            Change::AddVoter(id) | Change::AddLearner(id) if id != self.settings.id => {
                // As 3.4: from the last entry on, and counted as heard from, so that the check of
                // the quorum does not fail for a member that had no chance yet.
                let next = self.log.last().index.max(1);
                let fresh = Progress { active: true, ..Progress::new(next) };
                leader.progress.entry(id).or_insert(fresh);
            }
            Change::AddVoter(_) | Change::AddLearner(_) => {}
            Change::Remove(id) => forget(leader, id),
        }
        self.advance_commit();
    }

    /// Whether a configuration change is committed but not applied: who would count in an election
    /// is then not known.
    pub(super) fn change_is_due(&self) -> bool {
        (self.applied + 1..=self.commit)
            .filter_map(|index| self.log.get(index))
            .any(|entry| entry.kind == super::EntryKind::ConfChange)
    }
}

fn forget(leader: &mut Leader, id: MemberId) {
    leader.progress.remove(&id);
    leader.wanting.remove(&id);
    if leader.transfer.is_some_and(|t| t.to == id) {
        leader.transfer = None;
    }
}
