//! Members that are killed one after the other behind a proxy.
//!
//! `QUORATE_SOAK_REQUESTS` is how many requests go through the proxy, with a twentieth as many long
//! polls beside them. `QUORATE_SOAK_SEED` makes the same choices again.
//!
//! While all members are well every request is answered by one of them, and no connection breaks
//! off. While one is dead, or comes back, a request may besides be answered as was recorded with
//! etcd: 502 where the member that had it gave no answer, which may have carried it out; 500 where
//! the cluster had no leader for too long. A long poll ends with its event, or breaks off where its
//! member dies, as it would without a proxy; whoever asks again from the same index misses nothing.

mod support;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::chance::{Chance, number};
use support::client::{Answer, Client, NoAnswer, WATCH, value};
use support::cluster::Cluster;
use support::proxy::Proxy;
use support::wait::PATIENCE;

const REQUESTS: u64 = 1000;
/// How many members are killed at the least.
const KILLS: u64 = 3;
const WRITERS: u64 = 8;

/// What goes on while requests are made.
struct Soak {
    proxy: Proxy,
    /// Odd from the moment before a member is killed until all are well again.
    epoch: AtomicU64,
    writers_done: AtomicU64,
    answered: AtomicU64,
    excused: AtomicU64,
}

/// Judges one request: whether a member was dead at some time of it.
struct Began<'a>(&'a AtomicU64, u64);

impl Soak {
    fn begin(&self) -> Began<'_> {
        Began(&self.epoch, self.epoch.load(Ordering::SeqCst))
    }
}

impl Began<'_> {
    fn someone_was_dead(&self) -> bool {
        self.1 % 2 == 1 || self.0.load(Ordering::SeqCst) != self.1
    }
}

#[test]
fn a_proxy_gives_no_wrong_answer_while_members_are_killed() {
    let seed = number("QUORATE_SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("QUORATE_SOAK_SEED={seed}");
    let mut chance = Chance(seed);
    let requests = number("QUORATE_SOAK_REQUESTS").unwrap_or(REQUESTS);
    let mut cluster = Cluster::started(3);
    let mut proxy = Proxy::started(&["-proxy", "on", "-initial-cluster", &cluster.list()]);
    proxy.await_endpoints(3);
    proxy.put("/v2/keys/end", "value=0").ok();
    let zero = || AtomicU64::new(0);
    let (epoch, writers_done, answered, excused) = (zero(), zero(), zero(), zero());
    let soak = Soak { proxy, epoch, writers_done, answered, excused };
    let mut kills = 0;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let soak = &soak;
            scope.spawn(move || write(soak, writer, requests / WRITERS));
        }
        for _ in 0..requests / 20 {
            scope.spawn(|| poll(&soak));
        }
        while soak.writers_done.load(Ordering::SeqCst) < WRITERS {
            let member = kills % 3;
            soak.epoch.fetch_add(1, Ordering::SeqCst);
            cluster.kill(member);
            thread::sleep(Duration::from_millis(200 + chance.below(500) as u64));
            cluster.start(member);
            cluster.await_ready();
            soak.epoch.fetch_add(1, Ordering::SeqCst);
            kills += 1;
            thread::sleep(Duration::from_millis(chance.below(1000) as u64));
        }
        cluster.put(0, "/end", "1");
    });
    let (answered, excused) = (soak.answered.into_inner(), soak.excused.into_inner());
    println!(
        "{kills} members were killed; {answered} requests were answered by a member, {excused} were \
         not"
    );
    assert!(answered > excused, "hardly anything was answered");
}

/// Writes keys of its own, and reads back what was acknowledged.
fn write(soak: &Soak, writer: u64, requests: u64) {
    // Far longer than three members may take to be connected to and to say that there is no leader.
    let client = Client::with_patience(PATIENCE);
    let enough = |number| number >= requests / 2 && soak.epoch.load(Ordering::SeqCst) >= 2 * KILLS;
    for number in (0..).take_while(|number| !enough(*number)) {
        let url = soak.proxy.url(&format!("/v2/keys/{writer}/{number}"));
        let began = soak.begin();
        let put = client.put(&url, &format!("value={number}")).expect("an answer");
        let written = match put.status {
            200 | 201 => true,
            _ => {
                excuse(&began, &put);
                false
            }
        };
        let began = soak.begin();
        let read = client.get(&format!("{url}?quorum=true")).expect("an answer");
        match read.status {
            200 => assert_eq!(read.at("/node/value"), number.to_string()),
            404 => assert!(!written, "{url} was acknowledged, and is gone"),
            _ => excuse(&began, &read),
        }
        for answer in [put, read] {
            let count = if answer.status < 500 { &soak.answered } else { &soak.excused };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
    soak.writers_done.fetch_add(1, Ordering::SeqCst);
}

/// Judges an answer that none of the members would give if all were well.
fn excuse(began: &Began<'_>, answer: &Answer) {
    assert!(began.someone_was_dead(), "while all were well: {answer:?}");
    match answer.status {
        502 => {
            let words =
                |tried| format!("{{\"message\":\"proxy: unable to get response from {tried}");
            let known = (1..=3).any(|tried| answer.body.starts_with(&words(tried)));
            assert!(known, "{answer:?}");
        }
        500 => {
            assert_eq!(answer.at("/errorCode"), 300, "{answer:?}");
            let cause = answer.at("/cause");
            let words = cause.as_str().unwrap_or_default();
            assert!(words.starts_with("etcdserver: request timed out"), "{answer:?}");
        }
        _ => panic!("{answer:?}"),
    }
}

/// Waits for the last write of all, over as many connections as that takes.
fn poll(soak: &Soak) {
    let client = Client::with_patience(PATIENCE);
    let mut since = None;
    loop {
        let Some(index) = since else {
            let began = soak.begin();
            let url = soak.proxy.url("/v2/keys/end?quorum=true");
            let read = client.get(&url).expect("an answer");
            if read.status != 200 {
                excuse(&began, &read);
            } else if read.at("/node/value") == "1" {
                return;
            } else {
                since = Some(read.index() + 1);
            }
            continue;
        };
        let url = soak.proxy.url(&format!("/v2/keys/end?wait=true&waitIndex={index}"));
        let (began, at) = (soak.begin(), Instant::now());
        let mut watch = match client.watch(&url) {
            Ok(watch) => watch,
            // Its member died between the head of the answer and the event.
            Err(error) => {
                let late = matches!(error, NoAnswer::Timeout(_));
                assert!(!late && began.someone_was_dead(), "while all were well: {error}");
                continue;
            }
        };
        let event = watch.event_unless_broken();
        match (watch.head.status, event) {
            (200, Some(event)) => {
                let changed = event["node"]["modifiedIndex"].as_u64();
                assert_eq!((&event["node"]["key"], value(&event)), (&"/end".into(), Some("1")));
                assert!(changed >= Some(index), "{event}");
                return;
            }
            (200, None) => {
                let own = at.elapsed() >= WATCH;
                assert!(own || began.someone_was_dead(), "it broke off while all were well");
            }
            // The member does not remember events of so long ago: what is there now counts.
            (400, Some(error)) => {
                assert_eq!(error["errorCode"], 401, "{error}");
                since = None;
            }
            (status, said) => {
                assert!(began.someone_was_dead(), "{status} while all were well: {said:?}");
                assert!(matches!(status, 500 | 502), "{status}: {said:?}");
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
}
