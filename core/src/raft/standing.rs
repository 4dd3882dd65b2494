//! Members that have lost some of what they promised.
//!
//! A data directory that was replaced by an older copy, or cut, has forgotten votes that it gave and
//! entries that it acknowledged. Its member must not promise anything again that may contradict
//! them: it gives no vote, and says with each acknowledgement that it does not count. The leader
//! feeds it all the same. Once an entry that is newer than its return was committed by others alone,
//! and has come back to it, it holds everything that was committed with its help, and whoever it
//! voted for cannot win any more: it counts again.
//!
//! A member that was just started does not know yet whether others know of such a loss: until it
//! has heard them it promises nothing.

use super::{Body, Gate, Progress, Raft, Role};
use crate::id::MemberId;
use crate::time::Instant;

/// Whether a member promises anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It holds what it promised.
    #[default]
    Sound,
    /// It was just started, and others may know of something that it has lost: it neither votes nor
    /// acknowledges.
    Unsure,
    /// It has lost something: it does not vote, and what it acknowledges does not count.
    Behind,
}

impl Raft {
    /// Says how this member stands. A leader that is not sound leads no more.
    pub fn set_standing(&mut self, now: Instant, standing: Standing) {
        self.standing = standing;
        if standing != Standing::Sound && !matches!(self.role, Role::Follower) {
            self.become_follower(now, self.term, None);
        }
    }

    /// How this member stands.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Tells the leader that this member holds everything up to `index`, as far as that may be said.
    pub(super) fn acknowledge(&mut self, leader: MemberId, index: u64) {
        match self.standing {
            Standing::Behind if planted!(CountBehind) => {
                self.send(leader, Gate::Log, Body::Appended { index });
            }
            Standing::Sound => self.send(leader, Gate::Log, Body::Appended { index }),
            Standing::Unsure => {}
            Standing::Behind => self.send(leader, Gate::Log, Body::Held { index }),
        }
    }

    /// Whoever leads a term has won it: this member might have voted in it and not know any more, but
    /// to say so now is always right.
    pub(super) fn settle_vote(&mut self, leader: MemberId) {
        if self.standing == Standing::Behind && self.vote.is_none() {
            self.vote = Some(leader);
        }
    }

    /// A follower that does not count holds everything up to `index`.
    pub(super) fn take_held(&mut self, from: MemberId, index: u64) {
        let last = self.log.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(&from).filter(|_| index <= last) else {
            return;
        };
        if progress.counts {
            *progress = Progress { counts: false, ..Progress::new(index + 1) };
        }
        progress.active = true;
        progress.accepted(index);
    }
}
