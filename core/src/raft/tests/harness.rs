//! A cluster of Raft state machines without files, network or clock.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::id::MemberId;
use crate::raft::{
    Body, Conf, Entry, EntryKind, Gate, Log, LogId, Message, Outgoing, Proposed, Raft, Settings,
    Start, Written,
};
use crate::rng::{Rng, Stream};
use crate::time::{Duration, Instant};
use crate::wal::HardState;

pub(super) const HEARTBEAT: Duration = Duration::from_millis(100);
pub(super) const ELECTION: Duration = Duration::from_millis(1000);

/// One member, its disk, and what it holds back until the disk has answered.
pub(super) struct Peer {
    pub(super) raft: Raft,
    /// Writes that were handed out and have not ended.
    writes: VecDeque<(Option<HardState>, Option<Written>)>,
    held: Vec<Outgoing>,
    /// Term, vote and commit index as they are known to be durable.
    pub(super) durable: HardState,
    pub(super) applied: Vec<Entry>,
    pub(super) slow_disk: bool,
}

pub(super) struct Net {
    pub(super) now: Instant,
    pub(super) peers: BTreeMap<MemberId, Peer>,
    pub(super) wire: VecDeque<Message>,
    /// Members that nothing reaches and that reach nobody.
    pub(super) cut: BTreeSet<MemberId>,
    /// Every message that was delivered.
    pub(super) delivered: Vec<Message>,
}

pub(super) fn id(n: u64) -> MemberId {
    MemberId(n)
}

/// Entries after `base`, one for each term given.
pub(super) fn entries(base: LogId, terms: &[u64]) -> Vec<Entry> {
    let entry = |(index, &term): (u64, &u64)| Entry {
        term,
        index,
        kind: EntryKind::Normal,
        data: Bytes::from_static(b"x"),
    };
    (base.index + 1..).zip(terms).map(entry).collect()
}

impl Net {
    /// Members 1 to `n`, all with the empty log.
    pub(super) fn new(n: u64) -> Self {
        Self::with_logs(&alloc::vec![&[][..]; usize::try_from(n).unwrap()])
    }

    /// A member for each log, given by the terms of its entries.
    pub(super) fn with_logs(logs: &[&[u64]]) -> Self {
        let ids: BTreeSet<MemberId> = (1..=logs.len() as u64).map(MemberId).collect();
        let peers = ids.iter().zip(logs).map(|(&id, terms)| (id, Peer::new(id, &ids, terms)));
        Self {
            now: Instant::default(),
            peers: peers.collect(),
            wire: VecDeque::new(),
            cut: BTreeSet::new(),
            delivered: Vec::new(),
        }
    }

    /// A member starts on a disk that holds only these entries.
    pub(super) fn replace(&mut self, n: u64, terms: &[u64]) {
        let ids = self.peers.keys().copied().collect();
        self.peers.insert(id(n), Peer::new(id(n), &ids, terms));
    }

    pub(super) fn raft(&mut self, n: u64) -> &mut Raft {
        &mut self.peers.get_mut(&id(n)).unwrap().raft
    }

    pub(super) fn peer(&mut self, n: u64) -> &mut Peer {
        self.peers.get_mut(&id(n)).unwrap()
    }

    /// Lets a member do what has piled up: write, send, apply.
    pub(super) fn flush(&mut self, n: u64) {
        let now = self.now;
        let peer = self.peers.get_mut(&id(n)).unwrap();
        peer.raft.flush();
        if let Some(batch) = peer.raft.take_batch() {
            peer.writes.push_back((batch.hard_changed.then_some(batch.hard), batch.written));
        }
        peer.held.extend(peer.raft.take_messages());
        if !peer.slow_disk {
            peer.finish_writes(now);
        }
        let settled = peer.writes.is_empty();
        let hard_settled = !peer.writes.iter().any(|(hard, _)| hard.is_some());
        let (ready, held): (Vec<_>, Vec<_>) =
            peer.held.drain(..).partition(|outgoing| match outgoing.gate {
                Gate::HardState => hard_settled,
                Gate::Log => settled,
            });
        peer.held = held;
        self.wire.extend(ready.into_iter().map(|outgoing| outgoing.message));
        peer.apply();
        peer.raft.check_invariants();
    }

    /// Delivers messages until there are none.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            let ids: Vec<u64> = self.peers.keys().map(|id| id.0).collect();
            ids.into_iter().for_each(|n| self.flush(n));
            let Some(message) = self.wire.pop_front() else { return };
            self.deliver(message);
        }
        panic!("the cluster does not come to rest");
    }

    pub(super) fn deliver(&mut self, message: Message) {
        if self.cut.contains(&message.from) || self.cut.contains(&message.to) {
            return;
        }
        self.delivered.push(message.clone());
        let (now, to) = (self.now, message.to.0);
        self.raft(to).step(now, message);
        self.flush(to);
    }

    /// Lets time pass in steps of a tenth of the heartbeat interval.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = self.now + HEARTBEAT / 10;
            let now = self.now;
            self.peers.values_mut().for_each(|peer| peer.raft.tick(now));
            self.settle();
        }
    }

    /// Makes a member campaign and lets the election end.
    pub(super) fn elect(&mut self, n: u64) {
        let now = self.now;
        self.raft(n).campaign(now);
        self.settle();
        assert!(self.raft(n).leads(), "{n} wins");
    }

    pub(super) fn propose(&mut self, n: u64, data: &'static str) -> Proposed {
        self.raft(n).propose(EntryKind::Normal, Bytes::from_static(data.as_bytes()))
    }

    /// Cuts a member off while 1, which leads, has `count` entries agreed on with the others.
    pub(super) fn leave_behind(&mut self, n: u64, count: usize) {
        self.cut.insert(id(n));
        for _ in 0..count {
            self.propose(1, "x");
            self.settle();
        }
    }

    pub(super) fn leaders(&self) -> Vec<u64> {
        self.peers.iter().filter(|(_, p)| p.raft.leads()).map(|(id, _)| id.0).collect()
    }

    /// What all members agree on, checked to be the same everywhere.
    pub(super) fn same_log(&self) -> Vec<LogId> {
        let mut logs = self.peers.values().map(|peer| {
            let log = peer.raft.log();
            (log.base().index + 1..=log.last().index)
                .map(|index| log.get(index).unwrap().id())
                .collect::<Vec<_>>()
        });
        let first = logs.next().unwrap();
        logs.for_each(|other| assert_eq!(first, other));
        first
    }

    pub(super) fn count(&self, wanted: impl Fn(&Body) -> bool) -> usize {
        self.delivered.iter().filter(|message| wanted(&message.body)).count()
    }
}

impl Peer {
    fn new(id: MemberId, ids: &BTreeSet<MemberId>, terms: &[u64]) -> Self {
        let log = Log::new(LogId::default(), entries(LogId::default(), terms));
        let term = log.last().term;
        let settings = Settings { id, heartbeat_interval: HEARTBEAT, election_timeout: ELECTION };
        let conf = Conf { voters: ids.clone(), learners: BTreeSet::new() };
        let hard = HardState { term, vote: None, commit: 0 };
        let start = Start { hard, log, conf, applied: 0 };
        let rng = Rng::new([u8::try_from(id.0).unwrap(); 32], Stream::Election);
        let raft = Raft::new(settings, start, rng, Instant::default());
        let (writes, held, applied) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { raft, writes, held, durable: hard, applied, slow_disk: false }
    }

    pub(super) fn finish_writes(&mut self, now: Instant) {
        while let Some((hard, written)) = self.writes.pop_front() {
            if let Some(hard) = hard {
                self.durable = hard;
                self.raft.hard_durable(now, hard);
            }
            written.into_iter().for_each(|written| self.raft.written(written));
            // What that made possible may itself have to be written.
            if let Some(batch) = self.raft.take_batch() {
                self.writes.push_back((batch.hard_changed.then_some(batch.hard), batch.written));
            }
            self.held.extend(self.raft.take_messages());
        }
    }

    fn apply(&mut self) {
        for entry in self.raft.to_apply(usize::MAX) {
            self.raft.applied(entry.index);
            self.applied.push(entry);
        }
    }
}
