//! Reads that a member of etcd asks its leader about.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::Bytes;

use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::raft::{Body, Change, Message};
use crate::rng::{Rng, Stream};

/// Has member `from` ask member `to`, as etcd does for its clients.
fn ask(net: &mut Net, from: u64, to: u64, context: &'static str) {
    let body = Body::ReadIndex { context: Bytes::from_static(context.as_bytes()) };
    net.wire.push_back(Message { from: id(from), to: id(to), term: 0, body });
    net.settle();
}

/// The answers that were delivered: index and context.
fn answers(net: &Net) -> Vec<(u64, Bytes)> {
    net.delivered.iter().filter_map(answer).collect()
}

fn answer(message: &Message) -> Option<(u64, Bytes)> {
    match &message.body {
        Body::ReadIndexResponse { index, context } => Some((*index, context.clone())),
        _ => None,
    }
}

fn is_answer(message: &Message) -> bool {
    answer(message).is_some()
}

#[test]
fn a_read_is_answered_with_what_was_committed_when_it_came() {
    let mut net = Net::new(3);
    net.elect(1);
    net.propose(1, "a");
    net.settle();
    ask(&mut net, 2, 1, "first");
    assert_eq!(answers(&net), [(2, Bytes::from("first"))]);
    // Without a heartbeat that was due anyway.
    let asked =
        net.count(|body| matches!(body, Body::Heartbeat { context, .. } if context == "first"));
    assert_eq!(asked, 2);
    // Nobody else answers, and the leader only members.
    ask(&mut net, 3, 2, "second");
    ask(&mut net, 9, 1, "third");
    assert_eq!(answers(&net).len(), 1);
}

#[test]
fn a_leader_that_nobody_follows_answers_no_read() {
    let mut net = Net::new(3);
    net.elect(1);
    // Only the question gets through to the old leader.
    net.cut.extend([id(2), id(3)]);
    let now = net.now;
    for context in ["first", "second"] {
        let body = Body::ReadIndex { context: Bytes::from(context) };
        net.raft(1).step(now, Message { from: id(2), to: id(1), term: 0, body });
    }
    net.propose(1, "unsure");
    net.pass(HEARTBEAT * 3);
    assert_eq!(answers(&net), []);
    // It is asked again with every heartbeat; one majority answers all that came before.
    net.cut.remove(&id(2));
    net.pass(HEARTBEAT * 2);
    assert_eq!(answers(&net), [(1, Bytes::from("first")), (1, Bytes::from("second"))]);
}

#[test]
fn an_old_leader_does_not_answer_for_the_new_one() {
    let mut net = Net::new(3);
    net.elect(1);
    net.cut.insert(id(1));
    let now = net.now;
    let body = Body::ReadIndex { context: Bytes::from("late") };
    net.raft(1).step(now, Message { from: id(2), to: id(1), term: 0, body });
    net.flush(1);
    assert!(!net.wire.iter().any(is_answer), "{:?}", net.wire);
    net.pass(ELECTION * 4);
    net.cut.clear();
    net.pass(ELECTION * 2);
    assert_eq!(net.leaders().len(), 1);
    assert_eq!(answers(&net), []);
}

#[test]
fn a_new_leader_learns_first_what_is_committed() {
    let mut net = Net::with_logs(&[&[1, 1], &[1, 1], &[1, 1]]);
    let now = net.now;
    net.raft(1).campaign(now);
    while !net.raft(1).leads() {
        net.flush(1);
        let message = net.wire.pop_front().unwrap();
        net.deliver(message);
    }
    assert_eq!(net.raft(1).commit(), 0, "nothing of its term");
    let body = Body::ReadIndex { context: Bytes::from("early") };
    net.raft(1).step(now, Message { from: id(2), to: id(1), term: 0, body });
    net.settle();
    assert_eq!(answers(&net), [(3, Bytes::from("early"))]);
}

#[test]
fn the_only_voter_answers_at_once() {
    let mut net = Net::new(1);
    net.elect(1);
    net.cut.insert(id(2));
    net.raft(1).change_conf(Change::AddLearner(id(2)));
    let now = net.now;
    let body = Body::ReadIndex { context: Bytes::from("alone") };
    net.raft(1).step(now, Message { from: id(2), to: id(1), term: 0, body });
    net.flush(1);
    let answer =
        net.wire.iter().any(|m| matches!(m.body, Body::ReadIndexResponse { index: 1, .. }));
    assert!(answer, "{:?}", net.wire);
}

#[test]
fn questions_do_not_pile_up_without_end() {
    let mut net = Net::new(3);
    net.elect(1);
    net.cut.extend([id(2), id(3)]);
    let now = net.now;
    for n in 0..5000_u32 {
        let context = Bytes::copy_from_slice(&n.to_be_bytes());
        let body = Body::ReadIndex { context };
        net.raft(1).step(now, Message { from: id(2), to: id(1), term: 0, body });
    }
    net.cut.clear();
    net.pass(HEARTBEAT * 2);
    assert_eq!(answers(&net).len(), 1024);
}

/// What can happen to three members at any time.
struct Storm {
    net: Net,
    rng: Rng,
    asked: u64,
    answered: u64,
    /// What was committed anywhere when a question was asked, by its context.
    floors: BTreeMap<Bytes, u64>,
}

impl Storm {
    fn new(seed: u8) -> Self {
        let rng = Rng::new([seed; 32], Stream::Election);
        Self { net: Net::new(3), rng, asked: 0, answered: 0, floors: BTreeMap::new() }
    }

    fn member(&mut self) -> u64 {
        1 + self.rng.below(3)
    }

    fn step(&mut self) {
        let waiting = self.net.wire.len() as u64;
        match self.rng.below(40) {
            0..6 => {
                self.net.now = self.net.now + HEARTBEAT / 2;
                let now = self.net.now;
                self.net.peers.values_mut().for_each(|peer| peer.raft.tick(now));
            }
            6 => {
                let member = id(self.member());
                if !self.net.cut.remove(&member) {
                    self.net.cut.insert(member);
                }
            }
            7..10 => {
                let member = self.member();
                self.net.propose(member, "x");
            }
            10..13 => {
                let (from, to) = (self.member(), self.member());
                let context = Bytes::copy_from_slice(&self.asked.to_be_bytes());
                let commits = self.net.peers.values().map(|peer| peer.raft.commit());
                self.floors.insert(context.clone(), commits.max().unwrap_or(0));
                self.asked += 1;
                let (now, body) = (self.net.now, Body::ReadIndex { context });
                let question = Message { from: id(from), to: id(to), term: 0, body };
                // It comes by the one link that works, if need be.
                self.net.raft(to).step(now, question);
            }
            13 if waiting > 0 => {
                let at = self.rng.below(waiting);
                self.net.wire.remove(usize::try_from(at).unwrap());
            }
            _ if waiting > 0 => {
                // Mostly in order.
                let at = if self.rng.below(4) == 0 { self.rng.below(waiting) } else { 0 };
                let message = self.net.wire.remove(usize::try_from(at).unwrap()).unwrap();
                if message.from != message.to {
                    self.net.deliver(message);
                }
            }
            _ => {}
        }
        (1..=3).for_each(|member| self.net.flush(member));
        for (index, context) in self.net.wire.iter().filter_map(answer) {
            let floor = self.floors[&context];
            assert!(index >= floor, "{index} where {floor} was committed");
            self.answered += 1;
        }
        self.net.wire.retain(|message| !is_answer(message));
    }
}

#[test]
fn no_answer_is_older_than_what_was_committed_when_it_was_asked() {
    let (mut answered, mut terms) = (0, 0);
    for seed in 0..60 {
        let mut storm = Storm::new(seed);
        (0..3000).for_each(|_| storm.step());
        answered += storm.answered;
        terms += storm.net.raft(1).term();
    }
    assert!(answered > 200 && terms > 180, "{answered} answers, {terms} terms");
}
