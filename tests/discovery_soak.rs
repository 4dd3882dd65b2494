//! Members that are killed while they join through a token.
//!
//! `QUORATE_SOAK_JOINS` is how often three members join, each killed at random moments;
//! `QUORATE_SOAK_SEED` makes the same choices again.

mod support;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread;
use std::time::Duration;

use support::chance::{Chance, number};
use support::cluster::Cluster;
use support::token::{registered, service, through, token};

const JOINS: u64 = 5;

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
