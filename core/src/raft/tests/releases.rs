//! What is done differently among members of etcd 2.3.

use alloc::vec::Vec;

use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::raft::{Body, Release};

fn old() -> Net {
    let mut net = Net::new(3);
    (1..=3).for_each(|n| net.raft(n).set_release(Release::V2_3));
    net
}

#[test]
fn nobody_is_asked_what_only_later_releases_know() {
    let mut net = old();
    net.elect(1);
    net.pass(HEARTBEAT * 3);
    let now = net.now;
    assert!(!net.raft(1).transfer(now), "nobody would know what it means");
    net.cut.insert(id(1));
    net.pass(ELECTION * 4);
    assert_eq!(net.leaders().iter().filter(|leader| **leader != 1).count(), 1);
    let later = |body: &Body| {
        matches!(
            body,
            Body::Vote { pre: true, .. } | Body::VoteResponse { pre: true, .. } | Body::TimeoutNow
        )
    };
    assert_eq!(net.count(later), 0);
}

#[test]
fn one_that_comes_back_with_a_term_of_its_own_is_taken_in() {
    let mut net = old();
    net.elect(1);
    net.cut.insert(id(3));
    net.pass(ELECTION * 4);
    assert!(net.raft(3).term() > net.raft(1).term(), "it campaigns without asking");
    net.cut.clear();
    net.pass(ELECTION * 8);
    assert_eq!(net.leaders().len(), 1);
    let terms = [1, 2, 3].map(|n| net.raft(n).term());
    assert!(terms.iter().all(|term| *term == terms[0]), "{terms:?}");
    net.same_log();
}

#[test]
fn an_old_leader_is_not_told_of_a_term_by_an_answer() {
    let mut net = old();
    net.elect(1);
    net.cut.insert(id(1));
    net.pass(ELECTION * 4);
    let leader = net.leaders().into_iter().find(|leader| *leader != 1).expect("another one");
    let (now, term) = (net.now, net.raft(leader).term() - 1);
    let body = Body::Heartbeat { commit: 0, context: bytes::Bytes::new() };
    let late = crate::raft::Message { from: id(1), to: id(leader), term, body };
    net.raft(leader).step(now, late.clone());
    let said: Vec<_> = net.raft(leader).take_messages().collect();
    assert!(said.iter().all(|out| out.message.to != id(1)), "{said:?}");
    // Among later releases it is.
    net.raft(leader).set_release(Release::V3_4);
    net.raft(leader).step(now, late);
    let said: Vec<_> = net.raft(leader).take_messages().collect();
    assert!(said.iter().any(|out| out.message.body == Body::Appended { index: 0 }), "{said:?}");
}
