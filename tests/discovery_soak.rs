//! Members that are killed while they join through a token, and members that are killed behind a
//! proxy.
//!
//! `QUORATE_SOAK_JOINS` is how often three members join, each killed at random moments;
//! `QUORATE_SOAK_REQUESTS` how many requests go through the proxy, with a twentieth as many long
//! polls beside them. `QUORATE_SOAK_SEED` makes the same choices again.

mod support;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use support::chance::{Chance, number};
use support::client::{Answer, Client, NoAnswer};
use support::cluster::Cluster;
use support::proxy::Proxy;
use support::token::{registered, service, through, token};
use support::wait::PATIENCE;

const JOINS: u64 = 5;
const REQUESTS: u64 = 1000;
const WRITERS: u64 = 8;

/// The choices of this run.
fn chance() -> Chance {
    let seed = number("QUORATE_SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("QUORATE_SOAK_SEED={seed}");
    Chance(seed)
}

/// A time below so many milliseconds.
fn millis(chance: &mut Chance, below: usize) -> Duration {
    Duration::from_millis(chance.below(below) as u64)
}

#[test]
fn members_killed_at_any_moment_of_joining_form_one_cluster() {
    let mut chance = chance();
    let service = service();
    for join in 0..number("QUORATE_SOAK_JOINS").unwrap_or(JOINS) {
        let url = token(&service, &format!("soak{join}"), "3");
        let mut cluster = Cluster::new(3);
        for _ in 0..chance.below(12) {
            let member = chance.below(3);
            if cluster.runs(member) {
                cluster.kill(member);
            } else {
                let command = through(&cluster, member, &url);
                cluster.start_as(member, command);
            }
            thread::sleep(millis(&mut chance, 120));
        }
        for member in 0..3 {
            if !cluster.runs(member) {
                let command = through(&cluster, member, &url);
                cluster.start_as(member, command);
            }
        }
        cluster.await_ready();
        let id = |member| {
            let answer = cluster.get_quorum(member, "/");
            answer.header("X-Etcd-Cluster-ID").expect("a cluster").to_owned()
        };
        assert!(id(0) == id(1) && id(1) == id(2), "two clusters from {url}");
        assert_eq!(registered(&service, &url).len(), 3);
    }
}

#[test]
fn a_proxy_gives_no_wrong_answer_while_members_are_killed() {
    let mut chance = chance();
    let requests = number("QUORATE_SOAK_REQUESTS").unwrap_or(REQUESTS);
    let mut cluster = Cluster::started(3);
    let mut proxy = Proxy::started(&["-proxy", "on", "-initial-cluster", &cluster.list()]);
    proxy.await_endpoints(3);
    let begin = proxy.put("/v2/keys/end", "value=0").ok().index();
    let (done, acknowledged, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (proxy, done, acknowledged) = (&proxy, &done, &acknowledged);
            scope.spawn(move || write(proxy, writer, requests / WRITERS, done, acknowledged));
        }
        for _ in 0..requests / 20 {
            let (proxy, over) = (&proxy, &over);
            scope.spawn(move || poll(proxy, begin + 1, over));
        }
        let mut member = 0;
        while done.load(Ordering::SeqCst) < WRITERS {
            cluster.kill(member);
            thread::sleep(Duration::from_millis(200) + millis(&mut chance, 500));
            cluster.start(member);
            cluster.await_ready();
            member = (member + 1) % 3;
        }
        cluster.put(0, "/end", "1");
        over.store(true, Ordering::SeqCst);
    });
    let acknowledged = acknowledged.load(Ordering::SeqCst);
    println!("{acknowledged} of {requests} requests were answered by a member");
    assert!(acknowledged > requests / 2, "hardly anything was answered: {acknowledged}");
}

/// Writes keys of its own, and reads back what was acknowledged. Where a member dies while it
/// answers, the connection breaks off, as it would without a proxy.
fn write(proxy: &Proxy, writer: u64, requests: u64, done: &AtomicU64, acknowledged: &AtomicU64) {
    let client = Client::with_patience(PATIENCE);
    for number in 0..requests / 2 {
        let url = proxy.url(&format!("/v2/keys/{writer}/{number}"));
        let put = in_time(client.put(&url, &format!("value={number}")));
        let written = put.as_ref().is_some_and(|answer| matches!(answer.status, 200 | 201));
        let expected = |answer: &Answer| matches!(answer.status, 200 | 201 | 500 | 502 | 503);
        assert!(put.as_ref().is_none_or(expected), "{put:?}");
        let read = in_time(client.get(&format!("{url}?quorum=true")));
        if let Some(read) = &read {
            match read.status {
                200 => assert_eq!(read.at("/node/value"), number.to_string()),
                404 => assert!(!written, "{url} was acknowledged, and is gone"),
                500 | 502 | 503 => {}
                _ => panic!("{read:?}"),
            }
        }
        let answered = [&put, &read].into_iter().flatten().filter(|answer| answer.status < 500);
        acknowledged.fetch_add(answered.count() as u64, Ordering::SeqCst);
    }
    done.fetch_add(1, Ordering::SeqCst);
}

/// The answer, unless the connection broke off.
///
/// # Panics
/// If none came in time.
fn in_time(answer: Result<Answer, NoAnswer>) -> Option<Answer> {
    match answer {
        Ok(answer) => Some(answer),
        Err(NoAnswer::Timeout(which)) => panic!("no answer in time: {which}"),
        Err(_) => None,
    }
}

/// Waits for the last write of all, over as many connections as that takes.
fn poll(proxy: &Proxy, since: u64, over: &AtomicBool) {
    let client = Client::new();
    let url = proxy.url(&format!("/v2/keys/end?wait=true&waitIndex={since}"));
    loop {
        let ended = over.load(Ordering::SeqCst);
        let event = client.watch(&url).ok().and_then(|mut watch| watch.event_unless_broken());
        match event {
            Some(event) if event.pointer("/node/value").is_some() => {
                assert_eq!(event["node"]["value"], "1");
                return;
            }
            _ => assert!(!ended, "the end was not told"),
        }
        thread::sleep(Duration::from_millis(50));
    }
}
