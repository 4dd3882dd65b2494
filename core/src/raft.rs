//! Raft: who leads, what is agreed on, who is in the configuration.
//!
//! The algorithm is a state machine over messages and time; it writes no file and sends nothing.
//! [`Raft::step`] and [`Raft::tick`] change the state, [`Raft::flush`] turns what has piled up
//! into messages, and the node takes the results out:
//!
//! ```text
//!   messages ──▶ step ─┐                       ┌─▶ take_batch ──▶ disk ──▶ written / hard_durable
//!   time ──────▶ tick ─┼─▶ state ─▶ flush ─────┼─▶ take_messages (each with its gate)
//!   proposals ─▶ propose                       └─▶ to_apply ──▶ state machine ──▶ applied
//! ```
//!
//! What must be durable before a message may leave is said by its [`Gate`]; the node holds it back
//! until the disk has answered. A leader counts itself for a commit only once its own entries are
//! durable, and a candidate counts its own vote only once that is.
//!
//! Beyond the paper it does what etcd's does, so that it can stand among etcd's members: pre-vote,
//! check of the quorum with leader lease, flow control, hints in rejections, leader transfer, and
//! configuration changes of one member at a time that take effect when they are applied; what
//! releases of etcd do differently is in [`Release`]. Unlike there, a change is applied only once the
//! commit index that covers it is durable: a member that has acted on a removal and forgets it
//! would wait for the vote of one that has left.

mod conf;
mod election;
mod fingerprint;
mod follower;
mod leader;
mod learners;
mod log;
mod progress;
pub mod quorum;
mod read_index;
mod release;
mod standing;
mod timers;

pub mod entry;
pub mod message;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

pub use conf::{Change, Conf};
pub use entry::{Entry, EntryKind, LogId};
pub use leader::Proposed;
pub use learners::{Feed, Followed, Lag};
pub use log::{Log, Written};
pub use message::{Body, ConfState, Message, Snapshot};
pub use release::Release;
pub use standing::Standing;

use crate::id::MemberId;
use crate::note::Note;
use crate::rng::Rng;
use crate::time::{Duration, Instant};
use crate::wal::HardState;
use election::Candidate;
use leader::Leader;
use progress::Progress;

/// What does not change while a member runs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// This member.
    pub id: MemberId,
    /// How often a leader sends heartbeats.
    pub heartbeat_interval: Duration,
    /// How long a follower waits for its leader at the least; at most twice as long.
    pub election_timeout: Duration,
}

/// What a member knows when it starts.
#[derive(Debug)]
pub struct Start {
    /// Term, vote and commit index as they were made durable.
    pub hard: HardState,
    /// The durable entries.
    pub log: Log,
    /// The configuration as of `applied`.
    pub conf: Conf,
    /// The index up to which the state machine is restored: that of its snapshot.
    pub applied: u64,
}

/// The Raft state of one member.
#[derive(Clone, Debug)]
pub struct Raft {
    settings: Settings,
    release: Release,
    rng: Rng,
    term: u64,
    vote: Option<MemberId>,
    /// Term and vote as they were last handed to the disk.
    handed: (u64, Option<MemberId>),
    role: Role,
    leader: Option<MemberId>,
    log: Log,
    conf: Conf,
    commit: u64,
    /// Up to here the committed entries were searched for changes of the configuration.
    searched: u64,
    /// The first of those of which it is not known to be durable that they are committed.
    unsure: Option<u64>,
    applied: u64,
    /// When a follower or candidate campaigns.
    election_due: Instant,
    /// When the leader was last heard from.
    leader_heard: Instant,
    /// The leader hands over, and a change has to be applied before this member may campaign.
    summoned: bool,
    /// A snapshot is being installed: what the log would take meanwhile is refused.
    installing: bool,
    /// The disk takes no more entries.
    full: bool,
    standing: Standing,
    incoming: Option<Snapshot>,
    outbox: Vec<Outgoing>,
    notes: Vec<Note>,
}

#[derive(Clone, Debug, Hash)]
enum Role {
    Follower,
    Candidate(Candidate),
    Leader(Leader),
}

/// A message and what has to be durable before it may leave.
#[derive(Clone, Debug, Hash)]
pub struct Outgoing {
    /// The message.
    pub message: Message,
    /// What it waits for.
    pub gate: Gate,
}

/// What has to be durable before a message may leave. In either case it is what was decided up to
/// the moment at which the message was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Term and vote.
    HardState,
    /// Term and vote, and all entries.
    Log,
}

/// What has to be written, in one piece.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Term, vote and commit index.
    pub hard: HardState,
    /// Whether term or vote changed, or a change of the configuration was committed.
    pub hard_changed: bool,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The name of the write of these entries, if there are any.
    pub written: Option<Written>,
}

impl Raft {
    /// A follower that has just started.
    pub fn new(settings: Settings, start: Start, rng: Rng, now: Instant) -> Self {
        assert!(settings.id.0 != 0, "0 is no member");
        assert!(start.applied >= start.log.base().index, "the state machine begins at the log");
        let commit = start.hard.commit.clamp(start.applied, start.log.last().index);
        let mut raft = Self {
            settings,
            release: Release::default(),
            rng,
            term: if planted!(ForgetTerm) { start.log.last().term } else { start.hard.term },
            vote: start.hard.vote.filter(|_| !planted!(ForgetVote)),
            handed: (start.hard.term, start.hard.vote),
            role: Role::Follower,
            leader: None,
            commit,
            searched: commit,
            unsure: None,
            log: start.log,
            conf: start.conf,
            applied: start.applied,
            election_due: now,
            leader_heard: now,
            summoned: false,
            installing: false,
            full: false,
            standing: Standing::Sound,
            incoming: None,
            outbox: Vec::new(),
            notes: Vec::new(),
        };
        raft.reset_election_timer(now);
        raft
    }

    /// Takes a message from a peer.
    pub fn step(&mut self, now: Instant, message: Message) {
        assert_eq!(message.to, self.settings.id, "the transport delivers to the addressee");
        if !self.settle_term(now, &message) {
            return;
        }
        let Message { from, term, body, .. } = message;
        match body {
            Body::Propose { entries } => self.take_forwarded(entries),
            Body::Append { prev, entries, commit } => {
                self.take_append(now, from, prev, entries, commit);
            }
            Body::Appended { index } => self.take_appended(from, index),
            Body::Held { index } => self.take_held(from, index),
            Body::AppendRejected { index, hint } => self.take_rejection(from, index, hint),
            Body::Vote { pre, last, .. } => self.take_vote(now, from, term, pre, last),
            Body::VoteResponse { pre, granted } => self.take_answer(now, from, pre, granted),
            Body::Snapshot(snapshot) => self.take_snapshot(now, from, snapshot),
            Body::Heartbeat { commit, context } => {
                self.take_heartbeat(now, from, commit, context);
            }
            Body::HeartbeatResponse { context } => self.take_heartbeat_response(from, &context),
            Body::TransferLeader => self.transfer_to(now, from),
            Body::TimeoutNow => self.take_timeout_now(now),
            Body::ReadIndex { context } => self.take_read(from, context),
            // Reads of the v2 API go through the log: nothing was asked.
            Body::ReadIndexResponse { .. } => {}
        }
    }

    /// Brings the terms together. Says whether the message is to be handled.
    fn settle_term(&mut self, now: Instant, message: &Message) -> bool {
        let Message { from, term, ref body, .. } = *message;
        if term == 0 {
            return matches!(
                body,
                Body::Propose { .. } | Body::TransferLeader | Body::ReadIndex { .. }
            );
        }
        if term < self.term {
            self.answer_old_term(from, body);
            return false;
        }
        if term == self.term {
            return true;
        }
        match *body {
            Body::Vote { transfer: false, .. }
                if self.release.has_leases() && self.hears_leader(now) =>
            {
                false
            }
            Body::Vote { pre: true, .. } | Body::VoteResponse { pre: true, granted: true } => true,
            Body::Append { .. } | Body::Heartbeat { .. } | Body::Snapshot(_) => {
                self.become_follower(now, term, Some(from));
                true
            }
            _ => {
                self.become_follower(now, term, None);
                true
            }
        }
    }

    /// A message of an old term is dropped; but a leader, or one that asks for a pre-vote, has to
    /// learn that its term is over, or it would go on for ever.
    fn answer_old_term(&mut self, from: MemberId, body: &Body) {
        match *body {
            Body::Append { .. } | Body::Heartbeat { .. } if self.release.has_leases() => {
                self.send(from, Gate::HardState, Body::Appended { index: 0 });
            }
            Body::Vote { pre: true, .. } => {
                let refusal = Body::VoteResponse { pre: true, granted: false };
                self.send(from, Gate::HardState, refusal);
            }
            _ => {}
        }
    }

    fn become_follower(&mut self, now: Instant, term: u64, leader: Option<MemberId>) {
        assert!(term >= self.term, "terms never go back");
        if term > self.term {
            self.term = term;
            self.vote = None;
        }
        self.role = Role::Follower;
        self.summoned = false;
        self.reset_election_timer(now);
        self.leader = leader;
        self.notes.push(Note::BecameFollower { term, leader });
    }

    fn send(&mut self, to: MemberId, gate: Gate, body: Body) {
        let message = Message { from: self.settings.id, to, term: self.term, body };
        self.outbox.push(Outgoing { message, gate });
    }

    /// What has to be written now, if anything. What follows from it is told by
    /// [`Raft::written`] and [`Raft::hard_durable`].
    pub fn take_batch(&mut self) -> Option<Batch> {
        let hard_changed = self.finds_change() | (self.handed != (self.term, self.vote));
        let unwritten = self.log.take_unwritten();
        if !hard_changed && unwritten.is_none() {
            return None;
        }
        self.handed = (self.term, self.vote);
        let (entries, written) =
            unwritten.map_or((Vec::new(), None), |(entries, written)| (entries, Some(written)));
        Some(Batch { hard: self.hard_state(), hard_changed, entries, written })
    }

    /// Whether a change of the configuration was committed since the last time.
    fn finds_change(&mut self) -> bool {
        let found = self.first_change(self.searched + 1, self.commit);
        self.searched = self.commit;
        self.unsure = self.unsure.or(found);
        found.is_some()
    }

    fn first_change(&self, from: u64, to: u64) -> Option<u64> {
        let mut entries = (from..=to).filter_map(|index| self.log.get(index));
        entries.find(|entry| entry.kind == EntryKind::ConfChange).map(|entry| entry.index)
    }

    /// The messages made since the last time, in order.
    pub fn take_messages(&mut self) -> impl Iterator<Item = Outgoing> {
        self.outbox.drain(..)
    }

    /// The notes made since the last time, in order.
    pub fn take_notes(&mut self) -> Vec<Note> {
        mem::take(&mut self.notes)
    }

    /// The next entries for the state machine: committed, durable here, not applied, at most
    /// about `bytes` of data. That a change of the configuration is committed has to be durable
    /// too.
    pub fn to_apply(&self, bytes: usize) -> Vec<Entry> {
        let limit = self.commit.min(self.log.durable());
        let mut entries = self.log.slice(self.applied + 1, limit, bytes);
        if let Some(at) = entries.iter().position(|entry| self.is_unsure(entry)) {
            entries.truncate(at);
        }
        entries
    }

    /// Whether there are entries for the state machine. Those that wait for the disk do not count,
    /// or the node would ask for its turn until the disk has answered.
    pub fn has_to_apply(&self) -> bool {
        self.applied < self.commit.min(self.log.durable())
            && self.log.get(self.applied + 1).is_some_and(|next| !self.is_unsure(next))
    }

    /// Whether this is a change of the configuration that a restart might not know as committed.
    fn is_unsure(&self, entry: &Entry) -> bool {
        let sure = self.unsure.map_or(self.searched, |change| change - 1);
        entry.kind == EntryKind::ConfChange && entry.index > sure
    }

    /// The state machine has applied everything up to `index`.
    pub fn applied(&mut self, index: u64) {
        assert!(index > self.applied && index <= self.commit, "entries are applied in order");
        self.applied = index;
    }

    /// A batch with these entries has become durable.
    pub fn written(&mut self, written: Written) {
        if self.log.written(written) {
            self.advance_commit();
        }
    }

    /// A batch with this term, vote and commit index has become durable.
    pub fn hard_durable(&mut self, now: Instant, hard: HardState) {
        if self.unsure.is_some_and(|change| change <= hard.commit) {
            self.unsure = self.first_change(hard.commit + 1, self.searched);
        }
        if hard.term == self.term && hard.vote == Some(self.settings.id) {
            self.count_own_vote(now);
        }
    }

    /// Forgets the entries up to `index`, for which a durable snapshot stands.
    pub fn compact(&mut self, index: u64) {
        self.log.compact(index.min(self.applied));
    }

    /// The disk takes no more entries, or takes them again. While it does not, nothing is
    /// appended, and this member does not campaign.
    pub fn set_full(&mut self, now: Instant, full: bool) {
        if self.full && !full {
            self.reset_election_timer(now);
        }
        self.full = full;
    }

    /// Says among whose members this one stands.
    pub const fn set_release(&mut self, release: Release) {
        self.release = release;
    }

    /// Term, vote and commit index as they are now.
    pub const fn hard_state(&self) -> HardState {
        HardState { term: self.term, vote: self.vote, commit: self.commit }
    }

    /// This member.
    pub const fn id(&self) -> MemberId {
        self.settings.id
    }

    /// The current term.
    pub const fn term(&self) -> u64 {
        self.term
    }

    /// The leader of the current term, where it is known.
    pub const fn leader(&self) -> Option<MemberId> {
        self.leader
    }

    /// Whether this member leads.
    pub const fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether this member stands for election, or asks whether it would win.
    pub const fn campaigns(&self) -> bool {
        matches!(self.role, Role::Candidate(_))
    }

    /// The highest index known to be committed.
    pub const fn commit(&self) -> u64 {
        self.commit
    }

    /// The index up to which the state machine has come.
    pub const fn applied_index(&self) -> u64 {
        self.applied
    }

    /// The log.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The configuration as of the last applied entry.
    pub const fn conf(&self) -> &Conf {
        &self.conf
    }

    /// What must hold after every input, whatever came in.
    ///
    /// # Panics
    /// If it does not.
    pub fn check_invariants(&self) {
        assert!(self.applied <= self.commit, "only committed entries are applied");
        assert!(self.commit <= self.log.last().index, "only entries that exist are committed");
        assert!(self.log.base().index <= self.applied, "only applied entries are compacted");
        assert!(self.log.last().term <= self.term, "no entry is of a later term");
        if self.leads() {
            assert_eq!(self.leader, Some(self.settings.id), "a leader knows who leads");
        }
    }

    fn voters(&self) -> &BTreeSet<MemberId> {
        &self.conf.voters
    }

    /// Everybody else in the configuration.
    fn others(&self) -> impl Iterator<Item = MemberId> + '_ {
        let all = self.conf.voters.iter().chain(&self.conf.learners).copied();
        all.filter(|id| *id != self.settings.id)
    }
}

/// An empty entry: the no-op of a new leader.
fn no_op(log: &Log, term: u64) -> Entry {
    Entry { term, index: log.last().index + 1, kind: EntryKind::Normal, data: Bytes::new() }
}
