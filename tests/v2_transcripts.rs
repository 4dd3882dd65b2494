//! Each request that was recorded with etcd 3.4.23 has the same answer here, byte for byte, but for the
//! few that are to have another one.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use crate::support::cluster::Cluster;
use crate::support::template::{Variables, differs};
use crate::support::transcript::{Replay, Step, wanted};
use crate::support::wait::wait_until;

/// Scenarios that are replayed at the same time; most of their time they wait.
const AT_ONCE: usize = 4;

/// A fresh server as the recording has it: named `n1`, and told all origins are welcome.
fn server() -> (Cluster, Replay) {
    let mut cluster = Cluster::new(1).with_flags(&["-name", "n1", "-cors", "*"]);
    let mut command = cluster.command(0);
    command.args(["-initial-cluster", &format!("n1={}", cluster.peer_url(0))]);
    cluster.start_as(0, command);
    cluster.await_ready();
    // Three writes come before the first of a client, the version of the cluster as the last.
    wait_until("the cluster version is decided", || {
        let answer = cluster.client.get(&cluster.url(0, "/version")).expect("answered");
        !answer.body.contains("not_decided")
    });
    let members = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered");
    let mut variables = Variables::default();
    variables.set("client_url", &cluster.url(0, ""));
    variables.set("peer_url", &cluster.peer_url(0));
    variables.set("member_id", members.at("/members/0/id").as_str().expect("an ID"));
    variables.set("long", &"x".repeat(3000));
    let replay = Replay::new(cluster.url(0, ""), variables);
    (cluster, replay)
}

/// What differs, if anything does. What follows the first difference in a scenario says little.
fn replay(steps: &[Step]) -> Result<(), String> {
    let (_cluster, mut replay) = server();
    steps.iter().try_for_each(|step| replay.step(step))
}

#[test]
fn every_recorded_request_has_the_same_answer() {
    let scenarios = Mutex::new(wanted().into_iter());
    let found = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = scenarios.lock().expect("nobody panics with it").next();
                    let Some((name, steps)) = next else { return };
                    let result = replay(&steps);
                    found.lock().expect("nobody panics with it").insert(name, result);
                }
            });
        }
    });
    let found = found.into_inner().expect("nobody panics with it");
    assert!(found.len() > 20, "only {} scenarios", found.len());
    let wrong: Vec<String> = found.into_values().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A comparison that cannot fail would prove nothing.
#[test]
fn differences_are_seen() {
    let template = r#"{"a":"x","n":"<uint>","expiration":"<expiration>","ttl":5,"id":"<hex>"}"#;
    let fits = r#"{"a":"x","n":12,"expiration":"2026-11-26T02:47:16.5Z","ttl":4,"id":"8e9e05"}"#;
    assert_eq!(differs(template, fits), None);
    for (from, to) in [
        ("\"x\"", "\"y\""),
        ("12", "\"12\""),
        ("T02", " 02"),
        ("\"ttl\":4", "\"ttl\":3"),
        ("8e9e05", "8E9X05"),
        ("}", "}\n"),
        ("{", ""),
    ] {
        assert!(differs(template, &fits.replacen(from, to, 1)).is_some(), "{from} to {to}");
    }
}
