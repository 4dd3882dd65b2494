//! What a leader knows of members that only receive the log.

use super::progress::Pace;
use super::{Raft, Role};
use crate::id::MemberId;

/// How many entries a learner may be behind and still count as one that has caught up. With many
/// writers it is never level.
const MAX_BEHIND: u64 = 256;

impl Raft {
    /// Whether this member leads, and a change of the configuration that it has taken waits to be
    /// applied.
    pub fn change_is_pending(&self) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        leader.pending_change > self.applied || !leader.queued_changes.is_empty()
    }

    /// Whether this member leads, and the learner is heard from and holds nearly the whole log.
    pub fn has_caught_up(&self, learner: MemberId) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        self.conf.learners.contains(&learner)
            && leader.progress.get(&learner).is_some_and(|progress| {
                progress.active
                    && progress.counts
                    && matches!(progress.pace, Pace::Replicate(_))
                    && progress.matched + MAX_BEHIND >= self.log.last().index
                    // Whatever it is, it can commit what is there now.
                    && progress.matched > 0
            })
    }
}
