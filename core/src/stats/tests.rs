use alloc::vec;

use bytes::Bytes;

use super::*;
use crate::raft::{Entry, EntryKind, LogId};
use crate::time::{Duration, Instant};

const ME: MemberId = MemberId(1);
const OTHER: MemberId = MemberId(2);

fn at(ms: u64) -> Now {
    let nanos = ms * 1_000_000;
    Now { mono: Instant::from_nanos(nanos), wall: Wall::from_unix_nanos(nanos as i64) }
}

fn message(from: MemberId, to: MemberId, body: Body) -> Message {
    Message { from, to, term: 2, body }
}

fn append(from: MemberId, to: MemberId, bytes: usize) -> Message {
    let data = Bytes::from(vec![0; bytes]);
    let entry = Entry { term: 2, index: 5, kind: EntryKind::Normal, data };
    let prev = LogId { term: 2, index: 4 };
    message(from, to, Body::Append { prev, entries: vec![entry], commit: 4 })
}

fn leading(stats: &mut Stats, ms: u64) {
    stats.note(at(ms), &Note::BecameLeader { term: 2, last: LogId::default() });
}

fn started() -> Stats {
    let mut stats = Stats::new(at(0));
    let cluster = crate::id::ClusterId(9);
    stats.note(at(0), &Note::BootDecided { member: ME, cluster, restart: false });
    stats
}

#[test]
fn who_leads_and_since_when() {
    let mut stats = started();
    stats.note(at(5), &Note::BecameFollower { term: 2, leader: None });
    assert_eq!(stats.leader, None);
    leading(&mut stats, 10);
    assert_eq!((stats.leader, stats.leader_changes), (Some((ME, at(10))), 0));
    stats.note(at(20), &Note::BecameFollower { term: 3, leader: Some(OTHER) });
    stats.note(at(30), &Note::BecameFollower { term: 4, leader: Some(OTHER) });
    assert_eq!((stats.leader, stats.leader_changes), (Some((OTHER, at(20))), 1));
    leading(&mut stats, 40);
    assert_eq!((stats.leader, stats.leader_changes), (Some((ME, at(40))), 2));
}

#[test]
fn followers_are_timed_from_the_first_append_without_an_answer() {
    let mut stats = started();
    leading(&mut stats, 0);
    let answer = message(OTHER, ME, Body::Appended { index: 5 });
    stats.sent(at(100), &append(ME, OTHER, 10));
    stats.sent(at(101), &append(ME, OTHER, 10));
    stats.received(at(104), &answer);
    stats.received(at(105), &answer);
    stats.sent(at(200), &append(ME, OTHER, 10));
    stats.received(at(202), &answer);
    stats.sent(at(300), &append(ME, OTHER, 10));
    stats.lost(OTHER);
    let (member, follower) = stats.followers().next().unwrap();
    assert_eq!((member, follower.success, follower.fail), (OTHER, 3, 1));
    let Latency { current, minimum, maximum, .. } = follower.latency;
    assert_eq!((current, minimum, maximum), (2_000_000, Some(2_000_000), 4_000_000));
    assert_eq!(follower.latency.average(), 3_000_000);
    assert_eq!(follower.latency.deviation(), 1_000_000);
    assert_eq!(stats.sent.count, 4);
    leading(&mut stats, 400);
    assert_eq!(stats.followers().count(), 0);
}

#[test]
fn rates_are_those_of_the_last_messages() {
    let mut stats = started();
    for number in 0..300 {
        stats.received(at(number * 10), &append(OTHER, ME, 100));
    }
    assert_eq!(stats.received.count, 300);
    let (messages, bytes) = stats.received.rates(at(3_000).mono);
    // 200 messages within 1.99 s.
    assert!((messages - 200.0 / 1.99).abs() < 0.001, "{messages}");
    assert!((bytes - 20_000.0 / 1.99).abs() < 0.1, "{bytes}");
    let later = at(2_990).mono + Duration::from_millis(1_001);
    assert_eq!(stats.received.rates(later), (0.0, 0.0));
    assert_eq!(stats.sent.rates(at(0).mono), (0.0, 0.0));
}

#[test]
fn a_follower_is_well_from_its_first_answer_until_something_is_lost() {
    let mut stats = started();
    leading(&mut stats, 10);
    stats.sent(at(10), &append(ME, OTHER, 1));
    let since = |stats: &Stats| {
        let mut followers = stats.followers();
        followers.next().and_then(|(_, follower)| follower.well_since)
    };
    assert_eq!(since(&stats), None);
    stats.received(at(20), &message(OTHER, ME, Body::Appended { index: 5 }));
    stats.received(at(30), &message(OTHER, ME, Body::Appended { index: 6 }));
    assert_eq!(since(&stats), Some(at(20)));
    stats.lost(OTHER);
    assert_eq!(since(&stats), None);
    stats.received(at(40), &message(OTHER, ME, Body::HeartbeatResponse { context: Bytes::new() }));
    assert_eq!(since(&stats), Some(at(40)));
}
