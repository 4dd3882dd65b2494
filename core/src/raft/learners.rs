//! What a leader knows of members that only receive the log.

use super::progress::Pace;
use super::{Raft, Role};
use crate::id::MemberId;

/// How many entries a learner may be behind and still count as one that has caught up. With many
/// writers it is never level.
const MAX_BEHIND: u64 = 256;

/// How far a follower has come, as its leader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The last index that it is known to hold, durably.
    pub matched: u64,
    /// Entries of the leader's log behind that.
    pub behind: u64,
    /// What it is fed.
    pub feed: Feed,
    /// Whether it was heard from since the last check of the quorum.
    pub heard: bool,
    /// Whether what it holds counts.
    pub counts: bool,
}

/// What a follower is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Entries as they come.
    Log,
    /// One append at a time, until it is known where the logs agree.
    Probe,
    /// A snapshot, since the entries that it needs are gone.
    Snapshot,
}

/// Why a learner has not caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It is not heard from.
    Silent,
    /// It lacks something that it had acknowledged before.
    Uncounted,
    /// It needs a snapshot, or is being sent one.
    Snapshot,
    /// It is not known where the logs agree.
    Unmatched,
    /// It lacks more than a few entries.
    Behind,
}

impl Raft {
    /// Whether this member leads, and a change of the configuration that it has taken waits to be
    /// applied.
    pub fn change_is_pending(&self) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        leader.pending_change > self.applied || !leader.queued_changes.is_empty()
    }

    /// How far a follower has come, if this member leads.
    pub fn followed(&self, follower: MemberId) -> Option<Followed> {
        let Role::Leader(leader) = &self.role else { return None };
        let progress = leader.progress.get(&follower)?;
        let feed = match progress.pace {
            Pace::Probe { .. } => Feed::Probe,
            Pace::Replicate(_) => Feed::Log,
            Pace::Snapshot { .. } => Feed::Snapshot,
        };
        Some(Followed {
            matched: progress.matched,
            behind: self.log.last().index.saturating_sub(progress.matched),
            feed,
            heard: progress.active,
            counts: progress.counts,
        })
    }
}

impl Followed {
    /// What keeps it from being a voter; nothing once it holds nearly the whole log.
    pub const fn lag(&self) -> Option<Lag> {
        match self.feed {
            _ if !self.heard => Some(Lag::Silent),
            _ if !self.counts => Some(Lag::Uncounted),
            Feed::Snapshot => Some(Lag::Snapshot),
            Feed::Probe => Some(Lag::Unmatched),
            // Whatever it is, it has to be able to commit what is there now.
            Feed::Log if self.behind > MAX_BEHIND || self.matched == 0 => Some(Lag::Behind),
            Feed::Log => None,
        }
    }
}
