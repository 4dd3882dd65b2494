//! Killing members over and over under a writer loses nothing.
//!
//! `QUORATE_SOAK_KILLS` is the number of single kills; a tenth as many times all members are killed
//! at once. `QUORATE_SOAK_SEED` makes the same choices again. `QUORATE_SOAK_ETCD` of the five members
//! are real etcd's, of 2.3 with `QUORATE_SOAK_OLD=1`, and `QUORATE_SOAK_SECONDS` have the kills go on
//! for that long.

mod support;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::chance::{Chance, number};
use support::cluster::Cluster;
use support::etcd;
use support::writer::{ACKED, Writer};

const KILLS: u64 = 20;
const SIZE: usize = 5;
const MINORITY: usize = (SIZE - 1) / 2;

#[test]
fn acknowledged_writes_outlive_every_kill() {
    let kills = number("QUORATE_SOAK_KILLS").unwrap_or(KILLS);
    let seed = number("QUORATE_SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("QUORATE_SOAK_KILLS={kills} QUORATE_SOAK_SEED={seed}");
    let mut chance = Chance(seed);
    let mut cluster = cluster();
    let writer = Writer::start(&cluster.client_urls());
    let until =
        number("QUORATE_SOAK_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    for kill in 1.. {
        if until.map_or(kill > kills, |until| Instant::now() > until) {
            break;
        }
        kill_one(&mut cluster, &mut chance);
        if kill % 10 == 0 {
            kill_all(&mut cluster, &mut chance);
        }
    }
    cluster.start_all();
    cluster.await_ready();
    let acknowledged = writer.stop();
    println!("{} writes were acknowledged", acknowledged.len());
    assert!(acknowledged.len() as u64 > kills, "the writer hardly wrote: {}", acknowledged.len());
    acknowledged.assert_kept(&cluster.await_equal(ACKED));
}

/// Five members, some of them etcd's if that is asked for.
fn cluster() -> Cluster {
    let wanted = number("QUORATE_SOAK_ETCD").unwrap_or(0);
    let theirs: Vec<usize> = (0..SIZE).take(usize::try_from(wanted).unwrap_or(SIZE)).collect();
    let mut cluster = Cluster::new(SIZE);
    if !theirs.is_empty() {
        let old = number("QUORATE_SOAK_OLD").is_some_and(|old| old > 0);
        let etcd = if old { etcd::old_server() } else { etcd::server() };
        let etcd = etcd.expect("etcd 3.4 is installed, or QUORATE_ETCD_2_3 names 2.3");
        cluster = cluster.with_etcd(&etcd, &theirs);
    }
    cluster.start_all();
    cluster.await_ready();
    cluster
}

/// Kills a member, with or without another one down, and lets it or others come back some time.
fn kill_one(cluster: &mut Cluster, chance: &mut Chance) {
    let down: Vec<usize> = (0..SIZE).filter(|member| !cluster.runs(*member)).collect();
    let wanted = chance.below(MINORITY);
    for member in down.iter().take(down.len().saturating_sub(wanted)) {
        cluster.start(*member);
        if chance.below(2) == 0 {
            cluster.await_member(*member);
        }
    }
    let running = cluster.running();
    assert!(SIZE - running.len() < MINORITY, "a majority stays");
    cluster.kill(running[chance.below(running.len())]);
    settle(cluster, chance);
}

/// Goes on at once, or when those that run have a leader again.
fn settle(cluster: &mut Cluster, chance: &mut Chance) {
    if chance.below(2) == 0 {
        cluster.await_ready();
    } else {
        pause(chance, 500);
    }
}

fn pause(chance: &mut Chance, below_ms: usize) {
    sleep(Duration::from_millis(chance.below(below_ms) as u64));
}

/// Kills all that run, and starts all again in some order. The next kill may find them
/// starting.
fn kill_all(cluster: &mut Cluster, chance: &mut Chance) {
    cluster.kill_all();
    let first = chance.below(SIZE);
    for offset in 0..SIZE {
        cluster.start((first + offset) % SIZE);
        pause(chance, 30);
    }
    settle(cluster, chance);
}
