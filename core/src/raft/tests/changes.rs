//! Changes of the configuration.

use alloc::collections::BTreeSet;

use bytes::Bytes;

use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::raft::{Body, Change, Conf, EntryKind, Log, LogId, Message, Raft, Settings, Start};
use crate::rng::{Rng, Stream};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

/// Two members, of which 1 leads and has appended the removal of 2 at index 2; both hold it.
fn removing() -> Net {
    let mut net = Net::new(2);
    net.elect(1);
    let (kind, context) = (ConfChangeKind::RemoveNode, Bytes::new());
    let removal = ConfChange { id: 1, kind, node: id(2), context }.encode();
    net.raft(1).propose(EntryKind::ConfChange, removal);
    net.flush(1);
    let append = net.wire.pop_front().expect("it is sent at once");
    net.deliver(append);
    net
}

fn applied(net: &mut Net, n: u64) -> u64 {
    net.raft(n).applied_index()
}

#[test]
fn a_change_is_applied_once_it_is_durable_that_it_is_committed() {
    let mut net = removing();
    net.peer(1).slow_disk = true;
    let answer = net.wire.pop_front().expect("2 holds the entry");
    assert_eq!(answer.body, Body::Appended { index: 2 });
    net.deliver(answer);
    assert_eq!(net.raft(1).commit(), 2);
    assert_eq!(applied(&mut net, 1), 1, "the disk does not know it yet");
    net.propose(1, "x");
    net.settle();
    assert_eq!(applied(&mut net, 1), 1, "nothing overtakes the change");
    assert!(!net.raft(1).has_to_apply(), "it waits for the disk, and not for a turn");
    net.peer(1).slow_disk = false;
    net.settle();
    assert_eq!(applied(&mut net, 1), 3);
}

/// With nothing written after the removal, a leader that restarts would not know that it is
/// committed, and would ask the removed member for its vote.
#[test]
fn a_removal_that_was_applied_is_not_forgotten() {
    let mut net = removing();
    net.settle();
    assert_eq!(applied(&mut net, 1), 2);
    let peer = net.peer(1);
    let log = peer.raft.log();
    let entries = (1..=2).filter_map(|index| log.get(index).cloned());
    let start = Start {
        hard: peer.durable,
        log: Log::new(LogId::default(), entries),
        conf: Conf { voters: [id(1), id(2)].into(), learners: BTreeSet::new() },
        applied: 0,
    };
    let settings =
        Settings { id: id(1), heartbeat_interval: HEARTBEAT, election_timeout: ELECTION };
    let rng = Rng::new([7; 32], Stream::Election);
    let now = net.now;
    let mut raft = Raft::new(settings, start, rng, now);
    assert_eq!(raft.to_apply(usize::MAX).len(), 2, "the removal is among them");
    raft.applied(2);
    raft.change_conf(Change::Remove(id(2)));
    raft.campaign(now);
    raft.hard_durable(now, raft.hard_state());
    assert!(raft.leads(), "it is alone");
}

/// A leader that was removed hands over right behind its removal. Who is to take over may know that
/// this is committed, and not have applied it.
#[test]
fn a_summons_waits_for_the_change_to_be_applied() {
    let mut net = removing();
    net.peer(2).slow_disk = true;
    net.settle();
    net.pass(HEARTBEAT);
    assert_eq!(net.raft(2).commit(), 2);
    assert_eq!(applied(&mut net, 2), 1, "the disk does not know it yet");
    let (now, term) = (net.now, net.raft(2).term());
    net.raft(2).step(now, Message { from: id(1), to: id(2), term, body: Body::TimeoutNow });
    assert!(!net.raft(2).campaigns(), "it does not know who counts");
    net.peer(2).slow_disk = false;
    net.flush(2);
    assert_eq!(applied(&mut net, 2), 2);
    let (deadline, _) = net.raft(2).deadline().expect("it wants its turn");
    assert!(deadline <= now);
    net.raft(2).tick(now);
    assert!(net.raft(2).campaigns());
}
