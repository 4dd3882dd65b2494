//! Leading: replication, commit, heartbeats, hand-over.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;

use super::entry::{Entry, EntryKind, LogId};
use super::message::{Body, Message, Snapshot};
use super::progress::Pace;
use super::read_index::Reads;
use super::{Gate, Outgoing, Progress, Raft, Role, no_op, quorum};
use crate::id::MemberId;
use crate::node::Timer;
use crate::note::Note;
use crate::time::Instant;

/// Bytes of entries in one append, at least one entry.
const APPEND_BYTES: usize = 1 << 20;

/// Bytes of data that may be appended and not committed; beyond that proposals are refused.
const MAX_UNCOMMITTED_BYTES: usize = 64 << 20;

/// Checks of the quorum after which a snapshot of which nothing was heard counts as lost.
const SNAPSHOT_CHECKS: u32 = 60;

/// Configuration changes that may wait for the one before; more are turned into empty entries.
const MAX_QUEUED_CHANGES: usize = 64;

/// What a leader knows.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    /// The other members.
    pub(super) progress: BTreeMap<MemberId, Progress>,
    pub(super) heartbeat_due: Instant,
    pub(super) check_due: Instant,
    /// The last configuration change that was appended; while it is not applied, there is no
    /// other.
    pub(super) pending_change: u64,
    /// Those that were proposed meanwhile, in their order.
    pub(super) queued_changes: VecDeque<Bytes>,
    /// Bytes of data appended and not committed.
    pub(super) uncommitted: usize,
    /// The commit index has moved: followers are to be told even if there are no new entries.
    pub(super) commit_moved: bool,
    pub(super) transfer: Option<Transfer>,
    /// Followers for which a snapshot has to be made.
    pub(super) wanting: BTreeSet<MemberId>,
    /// What members of etcd ask on behalf of clients that read.
    pub(super) reads: Reads,
}

/// A hand-over under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// To whom.
    pub(super) to: MemberId,
    /// When it is given up.
    pub(super) until: Instant,
    /// Whether the member was told to campaign.
    pub(super) told: bool,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// It is in the log, or will be once the configuration change before it is applied.
    Appended,
    /// It was sent to the leader.
    Forwarded,
    /// There is no leader to send it to, or the leader is handing over.
    NoLeader,
    /// Too much waits to be committed, or the disk is full.
    Full,
}

impl Leader {
    pub(super) fn deadline(&self) -> (Instant, Timer) {
        let mut next = (self.heartbeat_due, Timer::Heartbeat);
        if self.check_due < next.0 {
            next = (self.check_due, Timer::CheckQuorum);
        }
        match self.transfer {
            Some(transfer) if transfer.until < next.0 => (transfer.until, Timer::Stop),
            _ => next,
        }
    }
}

impl Raft {
    pub(super) fn become_leader(&mut self, now: Instant) {
        let last = self.log.last();
        self.notes.push(Note::BecameLeader { term: self.term, last });
        let fresh = Progress::new(last.index + 1);
        self.role = Role::Leader(Leader {
            progress: self.others().map(|id| (id, fresh.clone())).collect(),
            heartbeat_due: now,
            check_due: now + self.settings.election_timeout,
            // There may be one in the uncommitted tail.
            pending_change: last.index,
            queued_changes: VecDeque::new(),
            uncommitted: 0,
            commit_moved: false,
            transfer: None,
            wanting: BTreeSet::new(),
            reads: Reads::default(),
        });
        self.leader = Some(self.settings.id);
        if planted!(SkipNoOp) {
            return;
        }
        let entry = no_op(&self.log, self.term);
        self.log.push(entry);
    }

    /// Proposes an entry: appends it as the leader, sends it to the leader otherwise.
    pub fn propose(&mut self, kind: EntryKind, data: Bytes) -> Proposed {
        let entry = Entry { term: 0, index: 0, kind, data };
        match (&self.role, self.leader) {
            (Role::Leader(leader), _) if leader.transfer.is_some() => Proposed::NoLeader,
            (Role::Leader(_), _) if !self.has_room() => Proposed::Full,
            (Role::Leader(_), _) => {
                self.append(entry);
                Proposed::Appended
            }
            (_, Some(to)) => {
                let body = Body::Propose { entries: alloc::vec![entry] };
                let message = Message { from: self.settings.id, to, term: 0, body };
                self.outbox.push(Outgoing { message, gate: Gate::HardState });
                Proposed::Forwarded
            }
            (_, None) => Proposed::NoLeader,
        }
    }

    /// A follower hands entries over. What cannot be taken is lost, as any message may be: the
    /// follower's client will time out.
    pub(super) fn take_forwarded(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let Role::Leader(leader) = &self.role else { return };
            if leader.transfer.is_some() || !self.has_room() || entry.data.is_empty() {
                return;
            }
            self.append(entry);
        }
    }

    fn has_room(&self) -> bool {
        match &self.role {
            Role::Leader(leader) => !self.full && leader.uncommitted < MAX_UNCOMMITTED_BYTES,
            _ => false,
        }
    }

    fn append(&mut self, proposal: Entry) {
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader appends") };
        let mut entry = Entry { kind: proposal.kind, ..no_op(&self.log, self.term) };
        let pending = leader.pending_change > self.applied && !planted!(TwoChangesAtOnce);
        if entry.kind == EntryKind::ConfChange && pending {
            // One at a time. etcd turns the second one into an empty entry, and whoever asked for
            // it waits in vain.
            if leader.queued_changes.len() < MAX_QUEUED_CHANGES {
                leader.queued_changes.push_back(proposal.data);
                return;
            }
            entry.kind = EntryKind::Normal;
        } else {
            entry.data = proposal.data;
        }
        if entry.kind == EntryKind::ConfChange {
            leader.pending_change = entry.index;
        }
        leader.uncommitted += entry.data.len();
        self.log.push(entry);
    }

    /// Appends the next configuration change that waits, once the one before it is applied.
    fn append_queued_change(&mut self) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.pending_change > self.applied || leader.transfer.is_some() || self.full {
            return;
        }
        if let Some(data) = leader.queued_changes.pop_front() {
            self.append(Entry { term: 0, index: 0, kind: EntryKind::ConfChange, data });
        }
    }

    /// Sends what followers may be sent. Called once for a batch of inputs, so that what came in
    /// together goes out together.
    pub fn flush(&mut self) {
        self.append_queued_change();
        let Role::Leader(leader) = &mut self.role else { return };
        let commit_moved = core::mem::take(&mut leader.commit_moved);
        let asked = leader.reads.take_due();
        let ids: Vec<MemberId> = leader.progress.keys().copied().collect();
        for id in ids {
            let mut news = commit_moved;
            while self.feed(id, news) {
                news = false;
            }
        }
        if asked {
            self.send_heartbeats();
        }
    }

    /// Sends one append to a follower if it may be sent one, and there is something to say or
    /// `anyway`. Says whether it did.
    fn feed(&mut self, id: MemberId, anyway: bool) -> bool {
        let Role::Leader(leader) = &mut self.role else { return false };
        let Some(progress) = leader.progress.get_mut(&id) else { return false };
        let last = self.log.last().index;
        if !progress.may_send() || progress.next > last && !anyway {
            return false;
        }
        let prev = progress.next - 1;
        let Some(term) = self.log.term_at(prev) else {
            // Its next entry is compacted. One that is not there needs no snapshot yet.
            if progress.active {
                progress.pace = Pace::Snapshot { pending: 0, checks: 0 };
                leader.wanting.insert(id);
            }
            return false;
        };
        let entries = self.log.slice(progress.next, last, APPEND_BYTES);
        let bytes = entries.iter().map(|e| e.data.len()).sum();
        progress.sent(prev + entries.len() as u64, bytes);
        let prev = LogId { term, index: prev };
        let commit = self.commit;
        self.send(id, Gate::HardState, Body::Append { prev, entries, commit });
        true
    }

    /// A follower holds everything up to `index`.
    pub(super) fn take_appended(&mut self, from: MemberId, index: u64) {
        let last = self.log.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(&from) else { return };
        progress.active = true;
        // Nobody can hold what was never sent: such an answer is not about this log.
        if index > last {
            return;
        }
        progress.counts = true;
        if progress.accepted(index) {
            self.advance_commit();
        }
        self.hand_over();
    }

    /// A follower lacks the entry before those sent.
    pub(super) fn take_rejection(&mut self, from: MemberId, index: u64, hint: LogId) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(&from) else { return };
        progress.active = true;
        // A hint without a term (etcd before 3.5) says no more than where the log ends.
        let agreement = match hint.term {
            0 => hint.index,
            term => self.log.agreement(hint.index, term).index,
        };
        progress.rejected(index, agreement);
    }

    /// A follower has heard the heartbeat.
    pub(super) fn take_heartbeat_response(&mut self, from: MemberId, context: &Bytes) {
        let last = self.log.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(&from) else { return };
        progress.active = true;
        match &mut progress.pace {
            Pace::Probe { waiting } => *waiting &= planted!(NeverSendAgain),
            Pace::Replicate(inflight) => inflight.free_one_if_full(),
            Pace::Snapshot { .. } => {}
        }
        // Whatever is on its way may be lost: an append, even an empty one, makes the follower
        // say where it stands.
        if progress.matched < last {
            self.feed(from, true);
        }
        self.count_for_reads(from, context);
    }

    /// A message to the follower could not be delivered.
    pub fn unreachable(&mut self, id: MemberId) {
        if let Some(progress) = self.progress_of(id)
            && matches!(progress.pace, Pace::Replicate(_))
        {
            progress.probe(progress.matched + 1);
        }
    }

    /// The snapshot on its way to the follower was delivered, or could not be.
    pub fn snapshot_ended(&mut self, id: MemberId, delivered: bool) {
        if let Some(progress) = self.progress_of(id)
            && let Pace::Snapshot { pending, .. } = progress.pace
            && pending > 0
        {
            progress.probe(if delivered { pending + 1 } else { progress.matched + 1 });
            // Until it has had the time to install it: its next heartbeat response.
            progress.pace = Pace::Probe { waiting: true };
        }
    }

    fn progress_of(&mut self, id: MemberId) -> Option<&mut Progress> {
        match &mut self.role {
            Role::Leader(leader) => leader.progress.get_mut(&id),
            Role::Follower | Role::Candidate(_) => None,
        }
    }

    /// Whether followers wait for a snapshot of the applied state, to be given by
    /// [`Raft::send_snapshot`].
    pub fn wants_snapshot(&self) -> bool {
        matches!(&self.role, Role::Leader(leader) if !leader.wanting.is_empty())
    }

    /// Sends a snapshot to all that wait for one.
    pub fn send_snapshot(&mut self, snapshot: &Snapshot) {
        let Role::Leader(leader) = &mut self.role else { return };
        let wanting = core::mem::take(&mut leader.wanting);
        for &id in &wanting {
            if let Some(progress) = leader.progress.get_mut(&id) {
                progress.pace = Pace::Snapshot { pending: snapshot.last.index, checks: 0 };
            }
        }
        for id in wanting {
            self.send(id, Gate::HardState, Body::Snapshot(snapshot.clone()));
        }
    }

    /// Commits what a majority holds and is of the current term; nothing older is counted.
    pub(super) fn advance_commit(&mut self) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (own, durable) = (self.settings.id, self.log.durable());
        let index = quorum::committed(&self.conf.voters, |id| match leader.progress.get(&id) {
            Some(progress) if progress.counts => progress.matched,
            Some(_) => 0,
            None if id == own && planted!(CountUnsynced) => self.log.last().index,
            None if id == own => durable,
            None => 0,
        });
        if index > self.commit
            && let Some(term) = self.log.term_at(index)
            && (term == self.term || planted!(CommitOlderTerm))
        {
            let newly = (self.commit + 1..=index).filter_map(|i| self.log.get(i));
            let bytes: usize = newly.map(|entry| entry.data.len()).sum();
            leader.uncommitted = leader.uncommitted.saturating_sub(bytes);
            leader.commit_moved = true;
            self.commit = index;
            self.notes.push(Note::Committed { last: LogId { term, index } });
            self.ask_for_reads();
        }
    }

    pub(super) fn tick_leader(&mut self, now: Instant) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.transfer.is_some_and(|transfer| now >= transfer.until) {
            leader.transfer = None;
        }
        if now >= leader.heartbeat_due {
            leader.heartbeat_due = now + self.settings.heartbeat_interval;
            self.send_heartbeats();
        }
        self.check_quorum(now);
    }

    fn send_heartbeats(&mut self) {
        let Role::Leader(leader) = &self.role else { return };
        let beyond = planted!(HeartbeatBeyondMatch | CommitOutOfRange);
        let known = |p: &Progress| if beyond { self.commit } else { p.matched.min(self.commit) };
        let followers: Vec<(MemberId, u64)> =
            leader.progress.iter().map(|(id, p)| (*id, known(p))).collect();
        let context = leader.reads.context();
        for (id, commit) in followers {
            let context = context.clone();
            self.send(id, Gate::HardState, Body::Heartbeat { commit, context });
        }
    }

    /// Steps down if no quorum was heard from for an election timeout: there may be another
    /// leader already, and clients must not wait for one that cannot commit.
    fn check_quorum(&mut self, now: Instant) {
        let own = self.settings.id;
        let Role::Leader(leader) = &mut self.role else { return };
        if now < leader.check_due {
            return;
        }
        leader.check_due = now + self.settings.election_timeout;
        let heard = |id: &&MemberId| {
            **id == own || leader.progress.get(*id).is_some_and(|p| p.active && p.counts)
        };
        let count = self.conf.voters.iter().filter(heard).count();
        let quorum = count >= quorum::majority(self.conf.voters.len());
        for (id, progress) in &mut leader.progress {
            progress.active = false;
            if let Pace::Snapshot { checks, .. } = &mut progress.pace {
                *checks += 1;
                if *checks > SNAPSHOT_CHECKS {
                    leader.wanting.remove(id);
                    progress.probe(progress.matched + 1);
                }
            }
        }
        if !quorum {
            self.notes.push(Note::QuorumLost { term: self.term });
            self.become_follower(now, self.term, None);
        }
    }

    /// Hands leadership to the voter that is best placed, if there is one. Says whether a
    /// hand-over is under way.
    pub fn transfer(&mut self, now: Instant) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        if leader.transfer.is_some() {
            return true;
        }
        if !self.release.hands_over() {
            return false;
        }
        let best = leader
            .progress
            .iter()
            .filter(|(id, progress)| self.conf.is_voter(**id) && progress.active && progress.counts)
            .max_by_key(|(_, progress)| progress.matched);
        let Some((&to, _)) = best else { return false };
        self.transfer_to(now, to);
        true
    }

    /// Hands leadership to one member, as it or this member itself asks for.
    pub(super) fn transfer_to(&mut self, now: Instant, to: MemberId) {
        let until = now + self.settings.election_timeout;
        let voter = self.conf.is_voter(to);
        let Role::Leader(leader) = &mut self.role else { return };
        if !voter || !leader.progress.contains_key(&to) || leader.transfer.is_some() {
            return;
        }
        leader.transfer = Some(Transfer { to, until, told: false });
        self.notes.push(Note::Transferring { to });
        self.hand_over();
    }

    /// Tells the member that takes over to campaign, once it has everything.
    fn hand_over(&mut self) {
        let last = self.log.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(transfer) = &mut leader.transfer else { return };
        let to = transfer.to;
        let ready = leader.progress.get(&to).is_some_and(|p| p.is_level(last));
        if ready && !transfer.told {
            transfer.told = true;
            self.send(to, Gate::HardState, Body::TimeoutNow);
        }
    }
}
