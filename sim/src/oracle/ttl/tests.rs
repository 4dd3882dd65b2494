use bytes::Bytes;
use quorate_core::store::{self, Command};

use super::super::double::Double;
use super::*;

const SECOND: i64 = 1_000_000_000;

/// The true time 0, in Unix nanoseconds.
const START: i64 = 1_600_000_000 * SECOND;

/// Member 0 has the right time and leads in term 2; the clock of member 1 is ten seconds ahead.
fn oracle() -> Ttl {
    let mut ttl = Ttl::new(2);
    ttl.clock_is_ahead(0, 0, START);
    ttl.clock_is_ahead(1, 0, START + 10 * SECOND);
    ttl.leads(0, 2, 0);
    ttl
}

/// A member that has written a key of that expiry at index 1, and removed what was over at `until`
/// at index 2 by the entry `entry`.
fn swept(expiry: i64, until: i64, entry: &Request) -> Double {
    let mut member = Double::default();
    let set = Command { expiration: expiry, ..Command::new(store::Method::Put, "/1/a") };
    member.apply(&Command { value: Bytes::from_static(b"1"), ..set });
    member.apply(&Command { time: until, ..Command::new(store::Method::Sync, "") });
    member.push(2, EntryKind::Normal, Bytes::from_static(b"x"));
    member.push(2, EntryKind::Normal, entry.encode());
    member
}

fn sync(time: i64) -> Request {
    Request { time, ..Request::new(7, Method::Sync, "") }
}

fn judged(member: &Double, now: i64) -> Result<(), Violation> {
    oracle().expired(1, now as u64, (1, 2), (2, 2), member)
}

#[test]
fn an_expiry_in_time_is_right() {
    let at = START + 5 * SECOND;
    assert_eq!(judged(&swept(at, at, &sync(at)), 5 * SECOND), Ok(()));
}

#[test]
fn an_expiry_that_no_entry_asked_for_is_found() {
    let at = START + 5 * SECOND;
    let other = Request::new(7, Method::Delete, "/1/b");
    assert!(judged(&swept(at, at, &other), 5 * SECOND).is_err());
}

#[test]
fn an_expiry_before_the_time_of_the_sweep_is_found() {
    let at = START + 5 * SECOND;
    assert!(judged(&swept(at, at, &sync(at - 1)), 5 * SECOND).is_err());
}

#[test]
fn a_sweep_by_another_clock_than_the_leaders_is_found() {
    let at = START + 12 * SECOND;
    assert_eq!(judged(&swept(at, at, &sync(at)), 12 * SECOND), Ok(()));
    assert!(judged(&swept(at, at, &sync(at)), 5 * SECOND).is_err(), "member 1 has that time");
}

#[test]
fn a_stamp_that_is_not_of_the_members_clock_is_found() {
    let mut ttl = oracle();
    let stamped = |ttl: &Ttl, node, expiry: i64| {
        let member = swept(expiry, START, &sync(START));
        let event = member.history().and_then(|h| h.event(1)).expect("it was written").clone();
        ttl.stamped(node, 3, (SECOND as u64, 2 * SECOND as u64), &event)
    };
    assert_eq!(stamped(&ttl, 0, START + 4 * SECOND), Ok(()));
    assert_eq!(stamped(&ttl, 0, START + 5 * SECOND), Ok(()));
    assert!(stamped(&ttl, 0, START + 4 * SECOND - 1).is_err(), "too early");
    assert!(stamped(&ttl, 0, START + 5 * SECOND + 1).is_err(), "too late");
    assert!(stamped(&ttl, 1, START + 4 * SECOND).is_err(), "by the clock of another");
    ttl.clock_is_ahead(1, SECOND as u64 + 1, START);
    assert_eq!(stamped(&ttl, 1, START + 4 * SECOND + 1), Ok(()), "it jumped meanwhile");
}
