//! Members that have lost some of what they promised.

use super::harness::{ELECTION, HEARTBEAT, Net, id};
use crate::raft::{Body, Standing};
use crate::time::Duration;

/// Three members under the first; the second is then started on a disk that holds only `kept`.
fn with_a_loss(kept: &[u64], standing: Standing) -> Net {
    let mut net = Net::new(3);
    net.elect(1);
    for _ in 0..3 {
        net.propose(1, "x");
        net.settle();
    }
    net.pass(HEARTBEAT * 2);
    net.replace(2, kept);
    let now = net.now;
    net.raft(2).set_standing(now, standing);
    net
}

#[test]
fn who_is_behind_is_fed_and_does_not_count() {
    let mut net = with_a_loss(&[], Standing::Behind);
    net.cut.insert(id(3));
    let before = net.raft(1).commit();
    net.propose(1, "y");
    net.pass(HEARTBEAT * 3);
    let last = net.raft(1).log().last();
    assert_eq!(net.raft(2).log().last(), last, "it is brought up");
    assert_eq!(net.raft(1).commit(), before, "its word is no majority with the leader's");
    assert!(net.count(|body| matches!(body, Body::Held { .. })) > 0);
    net.cut.clear();
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.raft(2).commit(), last.index, "the others alone commit");

    let now = net.now;
    net.raft(2).set_standing(now, Standing::Sound);
    net.cut.insert(id(3));
    net.propose(1, "z");
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.raft(1).commit(), last.index + 1, "it counts again");
}

#[test]
fn who_is_behind_gets_again_what_was_lost_on_the_way() {
    let mut net = with_a_loss(&[], Standing::Behind);
    net.pass(HEARTBEAT * 3);
    net.cut.insert(id(2));
    net.propose(1, "lost");
    net.settle();
    net.cut.clear();
    net.propose(1, "y");
    net.pass(HEARTBEAT * 5);
    let last = net.raft(1).log().last();
    assert_eq!(net.raft(2).log().last(), last);
}

#[test]
fn who_is_behind_and_has_lost_something_once_more_is_fed_again() {
    let mut net = with_a_loss(&[], Standing::Behind);
    net.pass(HEARTBEAT * 3);
    let last = net.raft(1).log().last();
    assert_eq!(net.raft(2).log().last(), last);
    net.replace(2, &[1, 1]);
    let now = net.now;
    net.raft(2).set_standing(now, Standing::Behind);
    net.pass(HEARTBEAT * 3);
    net.propose(1, "y");
    net.pass(HEARTBEAT * 3);
    assert_eq!(net.raft(2).log().last().index, last.index + 1);
}

#[test]
fn a_leader_with_nobody_who_counts_steps_down() {
    let mut net = with_a_loss(&[], Standing::Behind);
    net.cut.insert(id(3));
    net.pass(ELECTION * 3);
    assert!(net.leaders().is_empty());
    assert_eq!(net.raft(2).hard_state().vote, Some(id(1)), "it does not vote in that term again");
}

#[test]
fn who_is_behind_elects_nobody_and_is_not_elected() {
    let mut net = with_a_loss(&[1], Standing::Behind);
    net.cut.insert(id(1));
    net.pass(ELECTION * 5);
    assert!(net.leaders().is_empty(), "one that counts is no majority of three");
    assert!(!net.raft(2).campaigns());
    net.cut.clear();
    net.pass(ELECTION * 5);
    assert!(net.leaders() == [1] || net.leaders() == [3]);
}

#[test]
fn who_is_unsure_promises_nothing() {
    let mut net = with_a_loss(&[1, 1, 1, 1], Standing::Unsure);
    net.delivered.clear();
    net.propose(1, "y");
    net.pass(HEARTBEAT * 3);
    let said = |net: &Net, wanted: fn(&Body) -> bool| {
        net.delivered.iter().any(|message| message.from == id(2) && wanted(&message.body))
    };
    assert!(!said(&net, |body| matches!(body, Body::Appended { .. } | Body::Held { .. })));
    let now = net.now;
    net.raft(2).set_standing(now, Standing::Sound);
    net.pass(HEARTBEAT * 3 + Duration::from_millis(1));
    assert!(said(&net, |body| matches!(body, Body::Appended { .. })));
}
