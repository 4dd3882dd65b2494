use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::raft::{Body, LogId, Message};

#[test]
fn one_of_three_is_elected_and_stays() {
    let mut net = Net::new(3);
    net.pass(ELECTION * 3);
    let leaders = net.leaders();
    assert_eq!(leaders.len(), 1);
    let term = net.raft(1).term();
    net.pass(ELECTION * 10);
    assert_eq!(net.leaders(), leaders);
    assert_eq!(net.raft(1).term(), term, "a healthy leader is not disturbed");
}

#[test]
fn a_single_member_leads_only_once_its_vote_is_durable() {
    let mut net = Net::new(1);
    net.peer(1).slow_disk = true;
    let now = net.now;
    net.raft(1).campaign(now);
    net.settle();
    assert!(!net.raft(1).leads());
    net.peer(1).slow_disk = false;
    net.settle();
    assert!(net.raft(1).leads());
}

#[test]
fn a_vote_is_not_said_before_it_is_durable() {
    let mut net = Net::new(3);
    net.cut.insert(id(3));
    net.peer(2).slow_disk = true;
    let now = net.now;
    net.raft(1).campaign(now);
    net.settle();
    // The pre-vote needs no disk; the vote does.
    assert_eq!(net.count(|b| matches!(b, Body::VoteResponse { pre: true, granted: true })), 1);
    assert_eq!(net.count(|b| matches!(b, Body::VoteResponse { pre: false, .. })), 0);
    net.peer(2).slow_disk = false;
    net.settle();
    assert!(net.raft(1).leads());
}

#[test]
fn nobody_votes_twice_in_a_term() {
    let mut net = Net::new(3);
    let ask = |from| Message {
        from: id(from),
        to: id(1),
        term: 5,
        body: Body::Vote { pre: false, last: LogId::default(), transfer: false },
    };
    let now = net.now;
    net.raft(1).step(now, ask(2));
    net.raft(1).step(now, ask(3));
    net.raft(1).step(now, ask(2));
    let answers: alloc::vec::Vec<bool> = net
        .raft(1)
        .take_messages()
        .map(|o| matches!(o.message.body, Body::VoteResponse { granted: true, .. }))
        .collect();
    assert_eq!(answers, [true, false, true]);
}

#[test]
fn a_shorter_log_does_not_win() {
    let mut net = Net::with_logs(&[&[1, 1, 1], &[1, 1], &[1, 1, 1]]);
    let now = net.now;
    net.raft(2).campaign(now);
    net.settle();
    assert!(net.leaders().is_empty());
    net.elect(1);
}

#[test]
fn a_member_that_was_cut_off_disturbs_nobody() {
    let mut net = Net::new(3);
    net.elect(1);
    let term = net.raft(1).term();
    net.cut.insert(id(3));
    net.pass(ELECTION * 10);
    assert_eq!(net.raft(3).term(), term, "it only asks whether it would win");
    net.cut.clear();
    net.pass(ELECTION * 5);
    assert_eq!((net.leaders(), net.raft(1).term()), (alloc::vec![1], term));
}

#[test]
fn a_leader_without_a_quorum_steps_down() {
    let mut net = Net::new(3);
    net.elect(1);
    net.cut.extend([id(2), id(3)]);
    net.pass(ELECTION * 2 + HEARTBEAT);
    assert!(net.leaders().is_empty());
}

#[test]
fn a_lost_question_is_asked_again() {
    let mut net = Net::new(3);
    let now = net.now;
    net.raft(1).campaign(now);
    net.flush(1);
    net.wire.clear();
    net.pass(HEARTBEAT * 2);
    assert_eq!(net.leaders(), [1], "long before the next election timeout");
}

#[test]
fn leadership_is_handed_over() {
    let mut net = Net::new(3);
    net.elect(1);
    net.pass(HEARTBEAT);
    let now = net.now;
    assert!(net.raft(1).transfer(now));
    net.settle();
    let leaders = net.leaders();
    assert!(leaders == [2] || leaders == [3], "{leaders:?}");
}
