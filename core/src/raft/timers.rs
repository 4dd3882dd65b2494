//! What time does to a member.

use super::{Raft, Role};
use crate::node::Timer;
use crate::time::{Duration, Instant};

impl Raft {
    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        match &self.role {
            Role::Leader(_) => self.tick_leader(now),
            Role::Follower | Role::Candidate(_) => {
                self.follow_summons(now);
                if now >= self.election_due {
                    self.run_out(now);
                }
                self.ask_again(now);
            }
        }
    }

    /// No leader was heard from, or an election came to nothing.
    fn run_out(&mut self, now: Instant) {
        if self.may_campaign() {
            self.campaign(now);
        } else if matches!(self.role, Role::Candidate(_)) {
            self.become_follower(now, self.term(), None);
        }
    }

    /// When [`Raft::tick`] is due next, and why.
    pub fn deadline(&self) -> Option<(Instant, Timer)> {
        match &self.role {
            Role::Leader(leader) => Some(leader.deadline()),
            Role::Candidate(candidate) => {
                Some((candidate.ask_due.min(self.election_due), Timer::Election))
            }
            Role::Follower if self.summoned && self.may_campaign() => {
                Some((Instant::default(), Timer::Election))
            }
            Role::Follower => self.may_campaign().then_some((self.election_due, Timer::Election)),
        }
    }

    /// Draws anew how long this member waits for a leader: between one and two election timeouts.
    pub(super) fn reset_election_timer(&mut self, now: Instant) {
        let timeout = self.settings.election_timeout;
        let spread = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.election_due = now + timeout + Duration::from_nanos(self.rng.below(spread));
    }

    /// Whether a leader is around: one that leads itself, or was heard from within the election
    /// timeout. A member that hears its leader helps nobody to replace it.
    pub(super) fn hears_leader(&self, now: Instant) -> bool {
        self.leads()
            || self.leader.is_some()
                && now.since(self.leader_heard) < self.settings.election_timeout
    }
}
