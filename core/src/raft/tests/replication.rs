use alloc::vec;

use bytes::Bytes;

use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::id::MemberId;
use crate::raft::{Body, Change, ConfState, EntryKind, LogId, Proposed, Snapshot};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

#[test]
fn an_entry_is_applied_everywhere() {
    let mut net = Net::new(3);
    net.elect(1);
    assert_eq!(net.propose(1, "a"), Proposed::Appended);
    assert_eq!(net.propose(2, "b"), Proposed::Forwarded);
    net.settle();
    for n in 1..=3 {
        let data: vec::Vec<Bytes> = net.peer(n).applied.iter().map(|e| e.data.clone()).collect();
        assert_eq!(data, ["", "a", "b"]);
    }
}

#[test]
fn a_leader_counts_itself_only_for_what_is_durable() {
    let mut net = Net::new(3);
    net.elect(1);
    net.cut.insert(id(3));
    net.peer(1).slow_disk = true;
    net.propose(1, "a");
    net.settle();
    assert_eq!(net.raft(1).commit(), 1, "only one disk has it");
    assert_eq!(net.raft(2).log().last().index, 2, "though it was sent at once");
    net.peer(1).slow_disk = false;
    net.settle();
    assert_eq!(net.raft(1).commit(), 2);
}

#[test]
fn a_follower_answers_only_for_what_is_durable() {
    let mut net = Net::new(3);
    net.elect(1);
    net.cut.insert(id(3));
    net.peer(2).slow_disk = true;
    net.propose(1, "a");
    net.settle();
    assert_eq!(net.raft(1).commit(), 1);
    net.peer(2).slow_disk = false;
    net.settle();
    assert_eq!(net.raft(1).commit(), 2);
}

/// The figure of the paper: a follower may lack entries, have too many, or both.
#[test]
fn every_kind_of_divergence_is_mended() {
    let leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let others: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for other in others {
        let mut net = Net::with_logs(&[&leader, other, &[1, 1]]);
        // The third, which lacks nearly everything, makes it win in a term above all others.
        let now = net.now;
        net.cut.insert(id(2));
        net.raft(1).step(
            now,
            crate::raft::Message {
                from: id(2),
                to: id(1),
                term: 8,
                body: Body::VoteResponse { pre: false, granted: false },
            },
        );
        net.elect(1);
        net.cut.clear();
        net.pass(HEARTBEAT * 4);
        assert_eq!(net.same_log().len(), leader.len() + 1, "{other:?}");
    }
}

#[test]
fn hints_jump_over_whole_terms() {
    let long: vec::Vec<u64> = [vec![1; 3], vec![2; 300]].concat();
    let winner: vec::Vec<u64> = [vec![1; 3], vec![3; 300]].concat();
    let mut net = Net::with_logs(&[&winner, &long, &winner]);
    net.elect(1);
    net.pass(HEARTBEAT * 2);
    net.same_log();
    let refused = net.count(|b| matches!(b, Body::AppendRejected { .. }));
    assert!(refused <= 3, "{refused} round trips");
}

/// Figure 8 of the paper: an entry of an older term is not committed by counting.
#[test]
fn older_terms_are_committed_only_behind_the_own() {
    let mut net = Net::with_logs(&[&[1, 2], &[1], &[1]]);
    let now = net.now;
    net.raft(1).campaign(now);
    while !net.raft(1).leads() {
        net.flush(1);
        let message = net.wire.pop_front().unwrap();
        net.deliver(message);
    }
    for n in 2..=3 {
        let term = net.raft(1).term();
        net.raft(1).step(
            now,
            crate::raft::Message {
                from: id(n),
                to: id(1),
                term,
                body: Body::Appended { index: 2 },
            },
        );
    }
    assert_eq!(net.raft(1).commit(), 0);
}

#[test]
fn a_member_that_was_away_catches_up() {
    let mut net = Net::new(3);
    net.elect(1);
    net.leave_behind(3, 50);
    net.cut.clear();
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.same_log().len(), 51);
    assert_eq!(net.raft(3).commit(), 51);
}

#[test]
fn the_loss_of_the_last_append_is_noticed() {
    let mut net = Net::new(3);
    net.elect(1);
    net.propose(1, "x");
    net.flush(1);
    net.wire.clear();
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.raft(3).commit(), 2);
}

#[test]
fn a_member_behind_the_compaction_gets_a_snapshot() {
    let mut net = Net::new(3);
    net.elect(1);
    net.leave_behind(3, 50);
    for n in 1..=2 {
        net.raft(n).compact(40);
    }
    net.cut.clear();
    net.pass(HEARTBEAT * 3);
    assert!(net.raft(1).wants_snapshot());
    let members: vec::Vec<MemberId> = (1..=3).map(id).collect();
    let snapshot = Snapshot {
        last: LogId { term: 1, index: 45 },
        conf: ConfState { voters: members, learners: vec![] },
        data: Bytes::new(),
    };
    net.raft(1).send_snapshot(&snapshot);
    net.settle();
    let now = net.now;
    let incoming = net.raft(3).take_incoming().expect("it is offered");
    net.raft(3).installed(now, &incoming);
    net.settle();
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.raft(3).commit(), 51);
    assert_eq!(net.raft(3).log().base().index, 45);
}

#[test]
fn a_second_change_waits_for_the_first() {
    let mut net = Net::new(3);
    net.elect(1);
    let change = |text| ConfChange {
        id: 1,
        kind: ConfChangeKind::UpdateNode,
        node: id(2),
        context: Bytes::from_static(text),
    };
    let (first, second) = (change(b"first").encode(), change(b"second").encode());
    net.raft(1).propose(EntryKind::ConfChange, first.clone());
    net.raft(1).propose(EntryKind::ConfChange, second.clone());
    net.flush(1);
    assert_eq!(net.raft(1).log().last().index, 2, "only the first is in the log");
    net.settle();
    let data = [2, 3].map(|i| net.raft(3).log().get(i).map(|entry| entry.data.clone()));
    assert_eq!(data, [Some(first), Some(second)]);
}

#[test]
fn a_removed_member_does_not_count() {
    let mut net = Net::new(2);
    net.elect(1);
    net.cut.insert(id(2));
    net.propose(1, "x");
    net.settle();
    assert_eq!(net.raft(1).commit(), 1);
    net.raft(1).change_conf(Change::Remove(id(2)));
    assert_eq!(net.raft(1).commit(), 2);
}

#[test]
fn a_full_disk_neither_appends_nor_campaigns() {
    let mut net = Net::new(3);
    net.elect(1);
    let now = net.now;
    net.raft(1).set_full(now, true);
    assert_eq!(net.propose(1, "x"), Proposed::Full);
    net.raft(2).set_full(now, true);
    net.raft(3).set_full(now, true);
    net.cut.insert(id(1));
    net.pass(ELECTION * 4);
    assert!(net.leaders().is_empty());
}
