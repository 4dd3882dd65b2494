//! One member: the core's Raft, the core's rules about what waits for the disk, and a disk. What
//! surrounds Raft in a running node is done here in the same order, once after every input.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use quorate_core::id::MemberId;
use quorate_core::node::durability::Durability;
use quorate_core::note::Note;
use quorate_core::raft::{
    Body, Change, Conf, Entry, EntryKind, Log, LogId, Message, Raft, Settings, Start,
};
use quorate_core::rng::{Rng, Stream};
use quorate_core::time::{Duration, Instant};
use quorate_core::wal::HardState;

use crate::disk::Disk;
use crate::fault::Fault;
use crate::invariant::{self, Broken};
use crate::scope::{Scope, member_id};
use crate::table::digest;

/// Time stands still, and all timeouts are zero. So whatever waits for time is due at every tick,
/// no leader is protected by having been heard from lately, and no instant says anything.
const NOW: Instant = Instant::from_nanos(0);

/// What happens to a member.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// A message arrives.
    Deliver(Message),
    /// Time passes: a follower or candidate campaigns, a leader sends heartbeats and sees if it
    /// hears from a quorum.
    Tick,
    /// It is told to campaign at once.
    Campaign,
    /// An entry with this data is proposed to it.
    Propose(u8),
    /// A configuration change is proposed to it.
    Change(Change),
    /// The oldest write on its way becomes durable.
    Sync,
    /// It loses its power, and is started again.
    Crash,
}

/// A member.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) raft: Raft,
    pub(crate) disk: Disk,
    durability: Durability,
    /// Members whose removal it has applied: it does not listen to them.
    removed: BTreeSet<MemberId>,
}

/// On this network it makes no difference in what order messages leave, nor how often.
impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { raft, disk, durability, removed } = self;
        (raft, disk, durability, removed).hash(state);
        let held: BTreeSet<u64> = durability.held().map(|held| digest(&held)).collect();
        held.hash(state);
    }
}

/// What came of an input.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) member: Member,
    /// The messages that left.
    pub(crate) sent: Vec<Message>,
    /// How far it committed, and the voters that counted when it did.
    pub(crate) commits: Vec<(u64, BTreeSet<MemberId>)>,
    /// The invariant that it broke by itself.
    pub(crate) broken: Option<Broken>,
}

impl Member {
    /// The member at a position, as it starts for the first time.
    pub(crate) fn new(at: usize, scope: &Scope) -> Self {
        let entry = |(index, term): (u64, &u64)| Entry {
            term: *term,
            index,
            kind: EntryKind::Normal,
            data: Bytes::from(vec![b'A' + u8::try_from(*term).expect("terms are few")]),
        };
        let entries = (1..).zip(&scope.logs[at]).map(entry).collect();
        let hard = HardState { term: scope.first_term(), vote: None, commit: 0 };
        let disk = Disk::new(hard, entries);
        let raft = start(member_id(at), &disk, scope);
        Self { raft, disk, durability: Durability::default(), removed: BTreeSet::new() }
    }

    /// Whether it neither leads nor campaigns.
    pub(crate) fn is_follower(&self) -> bool {
        !self.raft.leads() && !self.raft.campaigns()
    }

    /// The member after an input.
    pub(crate) fn after(&self, input: Input, scope: &Scope) -> Outcome {
        let mut outcome =
            Outcome { member: self.clone(), sent: Vec::new(), commits: Vec::new(), broken: None };
        outcome.take(input, scope);
        outcome.wake(scope);
        while !scope.slow_disk && outcome.member.disk.is_busy() {
            outcome.take(Input::Sync, scope);
            outcome.wake(scope);
        }
        outcome
    }
}

/// A process starts on what is durable.
fn start(id: MemberId, disk: &Disk, scope: &Scope) -> Raft {
    let settings =
        Settings { id, heartbeat_interval: Duration::ZERO, election_timeout: Duration::ZERO };
    let conf = Conf { voters: scope.first_voters().collect(), learners: BTreeSet::new() };
    let log = Log::new(LogId::default(), disk.entries.iter().cloned());
    let start = Start { hard: disk.hard, log, conf, applied: 0 };
    Raft::new(settings, start, Rng::new([0; 32], Stream::Election), NOW)
}

impl Outcome {
    fn take(&mut self, input: Input, scope: &Scope) {
        let member = &mut self.member;
        match input {
            Input::Deliver(mut message) => {
                if scope.fault == Some(Fault::Misdelivers) {
                    message.to = message.from;
                }
                if !member.removed.contains(&message.from) {
                    member.raft.step(NOW, message);
                }
            }
            Input::Tick => member.raft.tick(NOW),
            Input::Campaign => {
                let (to, term) = (member.raft.id(), member.raft.term());
                let from = scope.first_voters().find(|id| *id != to).unwrap_or(to);
                member.raft.step(NOW, Message { from, to, term, body: Body::TimeoutNow });
            }
            Input::Propose(number) => {
                member.raft.propose(EntryKind::Normal, Bytes::from(vec![b'a' + number]));
            }
            Input::Change(change) => {
                member.raft.propose(EntryKind::ConfChange, encode(change));
            }
            Input::Sync => self.sync(scope),
            Input::Crash => self.crash(scope),
        }
        self.listen();
    }

    fn sync(&mut self, scope: &Scope) {
        let member = &mut self.member;
        let Some(ticket) = member.disk.sync() else { return };
        for batch in member.durability.ended(ticket) {
            batch.hard.into_iter().for_each(|hard| member.raft.hard_durable(NOW, hard));
            batch.written.into_iter().for_each(|written| member.raft.written(written));
        }
        if scope.fault == Some(Fault::CountsTwice) {
            self.count_twice(scope);
        }
    }

    fn count_twice(&mut self, scope: &Scope) {
        let raft = &mut self.member.raft;
        let (to, term, index) = (raft.id(), raft.term(), raft.log().durable());
        let Some(from) = scope.first_voters().find(|id| *id != to) else { return };
        let vote = Body::VoteResponse { pre: false, granted: true };
        raft.step(NOW, Message { from, to, term, body: vote });
        raft.step(NOW, Message { from, to, term, body: Body::Appended { index } });
    }

    fn crash(&mut self, scope: &Scope) {
        let member = &mut self.member;
        member.disk.crash();
        match scope.fault {
            Some(Fault::ForgetsVote) => member.disk.hard.vote = None,
            Some(Fault::LosesTail) => {
                member.disk.entries.pop();
            }
            Some(Fault::ChangesTail) => {
                if let Some(entry) = member.disk.entries.last_mut() {
                    entry.data = Bytes::from_static(b"?");
                }
            }
            _ => {}
        }
        member.raft = start(member.raft.id(), &member.disk, scope);
        member.durability = Durability::default();
        member.removed.clear();
    }

    /// What a node does when it wakes: it applies, feeds followers, writes, and sends
    /// what may leave.
    fn wake(&mut self, scope: &Scope) {
        self.apply(scope);
        self.member.raft.flush();
        if let Some(batch) = self.member.raft.take_batch() {
            let Member { disk, durability, .. } = &mut self.member;
            let ticket = disk.write(&batch);
            let hard = batch.hard_changed.then_some(batch.hard);
            durability.began(ticket, hard, batch.written);
            if scope.fault == Some(Fault::LyingDisk) {
                for batch in durability.ended(ticket) {
                    batch
                        .hard
                        .into_iter()
                        .for_each(|hard| self.member.raft.hard_durable(NOW, hard));
                    batch.written.into_iter().for_each(|written| self.member.raft.written(written));
                }
                self.listen();
            }
        }
        self.send(scope);
        self.member.raft.check_invariants();
    }

    fn apply(&mut self, scope: &Scope) {
        let mut entries = VecDeque::from(self.member.raft.to_apply(usize::MAX));
        while let Some(entry) = entries.pop_front() {
            self.member.raft.applied(entry.index);
            if entry.kind == EntryKind::ConfChange {
                self.change(decode(&entry.data), scope);
                self.listen();
            }
            if entries.is_empty() {
                entries = self.member.raft.to_apply(usize::MAX).into();
            }
        }
    }

    fn change(&mut self, change: Change, scope: &Scope) {
        let Member { raft, removed, .. } = &mut self.member;
        if let Change::Remove(id) = change {
            removed.insert(id);
            if scope.fault == Some(Fault::RemovesTwo) && raft.leads() {
                let own = raft.id();
                let other = scope.first_voters().find(|other| ![id, own].contains(other));
                other.into_iter().for_each(|other| raft.change_conf(Change::Remove(other)));
            }
        }
        raft.change_conf(change);
    }

    fn send(&mut self, scope: &Scope) {
        let Member { raft, disk, durability, .. } = &mut self.member;
        for outgoing in raft.take_messages() {
            if scope.fault == Some(Fault::NoGates) {
                self.sent.push(outgoing.message);
            } else {
                durability.hold(outgoing);
            }
        }
        durability.release(|message| self.sent.push(message));
        for message in &self.sent {
            if let Err(broken) = invariant::durability(disk, message) {
                self.broken.get_or_insert(broken);
            }
        }
    }

    /// Remembers whose votes counted when something was committed.
    fn listen(&mut self) {
        let raft = &mut self.member.raft;
        for note in raft.take_notes() {
            if let Note::Committed { last } = note {
                self.commits.push((last.index, raft.conf().voters.clone()));
            }
        }
    }
}

/// A configuration change as an entry holds it. What etcd would have there is known to the node,
/// not to Raft.
fn encode(change: Change) -> Bytes {
    let (kind, id) = match change {
        Change::AddVoter(id) => (b'+', id),
        Change::AddLearner(id) => (b'~', id),
        Change::Remove(id) => (b'-', id),
    };
    Bytes::from(vec![kind, u8::try_from(id.0).expect("members are few")])
}

fn decode(data: &[u8]) -> Change {
    let id = MemberId(u64::from(data[1]));
    match data[0] {
        b'+' => Change::AddVoter(id),
        b'~' => Change::AddLearner(id),
        _ => Change::Remove(id),
    }
}
