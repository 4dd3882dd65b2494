//! What a follower does with what its leader sends.

use alloc::format;
use alloc::vec::Vec;

use bytes::Bytes;

use super::entry::{Entry, LogId};
use super::log::Offer;
use super::message::{Body, Snapshot};
use super::{Conf, Gate, Raft, Role, Standing};
use crate::id::MemberId;
use crate::note::Note;
use crate::time::Instant;

impl Raft {
    /// The sender leads the current term. Says whether that can be.
    fn follow(&mut self, now: Instant, leader: MemberId) -> bool {
        if self.leads() {
            let cause = format!("{leader} claims to lead term {} as well", self.term);
            self.notes.push(Note::PeerRefused { peer: Some(leader), cause });
            return false;
        }
        if self.leader != Some(leader) || !matches!(self.role, Role::Follower) {
            self.become_follower(now, self.term, Some(leader));
        }
        self.leader_heard = now;
        self.reset_election_timer(now);
        self.settle_vote(leader);
        true
    }

    /// The leader replicates entries.
    pub(super) fn take_append(
        &mut self,
        now: Instant,
        from: MemberId,
        prev: LogId,
        entries: Vec<Entry>,
        commit: u64,
    ) {
        // While a snapshot replaces the log, or the disk takes nothing, the leader has to try
        // again later.
        if !self.follow(now, from) || self.installing || self.full && !entries.is_empty() {
            return;
        }
        if prev.index < self.commit {
            self.acknowledge(from, self.commit);
            return;
        }
        match self.log.offer(prev, entries, self.commit) {
            Offer::Taken(last) => {
                self.commit_to(commit.min(last));
                self.acknowledge(from, last);
            }
            Offer::Gap => {
                // The leader may believe that more is here, and would not look for less.
                if self.standing == Standing::Behind {
                    self.acknowledge(from, self.commit);
                }
                let hint = self.log.agreement(prev.index, prev.term);
                let refusal = Body::AppendRejected { index: prev.index, hint };
                self.send(from, Gate::HardState, refusal);
            }
            Offer::Contradiction(index) => {
                let cause = format!("its entry {index} contradicts what is committed here");
                self.notes.push(Note::PeerRefused { peer: Some(from), cause });
            }
        }
    }

    /// The leader is alive.
    pub(super) fn take_heartbeat(
        &mut self,
        now: Instant,
        from: MemberId,
        commit: u64,
        context: Bytes,
    ) {
        if !self.follow(now, from) {
            return;
        }
        let beyond = commit > self.log.last().index;
        let sound = self.standing != Standing::Behind;
        if !self.installing && sound && beyond && !planted!(CommitOutOfRange) {
            let cause = format!("it says {commit} is committed, beyond the end of the log here");
            self.notes.push(Note::PeerRefused { peer: Some(from), cause });
            return;
        }
        if !sound {
            self.acknowledge(from, self.commit);
        } else if !self.installing {
            self.commit_to(commit);
        }
        self.send(from, Gate::HardState, Body::HeartbeatResponse { context });
    }

    fn commit_to(&mut self, index: u64) {
        assert!(index <= self.log.last().index, "only entries that are here are committed");
        if index > self.commit {
            self.commit = index;
            let term = self.log.term_at(index).unwrap_or(0);
            self.notes.push(Note::Committed { last: LogId { term, index } });
        }
    }

    /// The leader sends its whole state.
    pub(super) fn take_snapshot(&mut self, now: Instant, from: MemberId, snapshot: Snapshot) {
        if !self.follow(now, from) || self.installing {
            return;
        }
        let LogId { term, index } = snapshot.last;
        if self.log.term_at(index) == Some(term) {
            // The log reaches that far already: nothing but the commit is news.
            self.commit_to(index);
        }
        let stranger = !Conf::from(&snapshot.conf).contains(self.settings.id);
        if index <= self.commit || stranger {
            self.acknowledge(from, self.commit);
            return;
        }
        self.installing = true;
        self.incoming = Some(snapshot);
    }

    /// A snapshot that is to be installed: to be made durable, and then told of by
    /// [`Raft::installed`] or [`Raft::not_installed`].
    pub fn take_incoming(&mut self) -> Option<Snapshot> {
        self.incoming.take()
    }

    /// The snapshot is durable and the state machine has taken it: the log begins behind it. The
    /// answer to the leader is gated on the log, so the write that tells the log of the snapshot
    /// has to go out before the messages.
    pub fn installed(&mut self, now: Instant, snapshot: &Snapshot) {
        assert!(self.installing, "a snapshot was taken");
        assert!(snapshot.last.index > self.commit, "a snapshot only leads forward");
        self.installing = false;
        self.log.reset(snapshot.last);
        self.commit = snapshot.last.index;
        self.searched = snapshot.last.index;
        self.unsure = None;
        self.applied = snapshot.last.index;
        self.conf = Conf::from(&snapshot.conf);
        self.reset_election_timer(now);
        self.notes.push(Note::SnapshotInstalled { last: snapshot.last });
        if let Some(leader) = self.leader.filter(|leader| *leader != self.settings.id) {
            self.acknowledge(leader, snapshot.last.index);
        }
    }

    /// The snapshot could not be used; the leader will send another.
    pub fn not_installed(&mut self, now: Instant) {
        self.installing = false;
        self.reset_election_timer(now);
    }
}
