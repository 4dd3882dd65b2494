//! `quorate join`: from any one member to a member more, in one command.

use std::fs;
use std::process::Command;

use crate::support::QUORATE;
use crate::support::cluster::Cluster;
use crate::support::refusal::{is_absent, run};

/// The command of a member that adds itself through `endpoints`.
fn joining(cluster: &Cluster, member: usize, endpoints: &str) -> Command {
    let plain = cluster.command(member);
    let mut command = Command::new(QUORATE);
    command.args(["join", "-endpoints", endpoints]).args(plain.get_args());
    command
}

#[test]
fn one_command_adds_a_member_and_starts_it() {
    let mut cluster = Cluster::new(3).listing(&[0]);
    cluster.start(0);
    cluster.await_ready();
    cluster.put(0, "/before", "1");
    let nobody = "http://127.0.0.1:1";
    for member in [1, 2] {
        let endpoints = format!("{nobody},{}", cluster.url(member - 1, ""));
        cluster.start_as(member, joining(&cluster, member, &endpoints));
        cluster.await_member(member);
    }
    assert_eq!(cluster.await_equal("/before").at("/node/value"), "1");
    // The same command starts it again, whoever else is gone.
    cluster.kill(2);
    cluster.start_as(2, joining(&cluster, 2, nobody));
    cluster.await_member(2);

    // Who lost its data is told what to do, and nothing is made.
    cluster.kill(2);
    fs::remove_dir_all(cluster.data_dir(2)).expect("the directory is removed");
    let ended = run(joining(&cluster, 2, &cluster.url(0, "")));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.output.contains("has already been bootstrapped"), "{ended:?}");
    assert!(ended.hints().iter().any(|hint| hint.contains("-replace")), "{ended:?}");
    assert!(is_absent(&cluster.data_dir(2)), "{ended:?}");

    // One command replaces it, and no member that runs.
    let replacing = |member: usize| {
        let mut command = joining(&cluster, member, &cluster.url(0, ""));
        command.arg("-replace");
        command
    };
    let mut second = replacing(1);
    second.args(["-data-dir", &format!("{}.other", cluster.data_dir(1).display())]);
    let ended = run(second);
    assert!(ended.output.contains(" runs: it answers at "), "{ended:?}");
    let again = replacing(2);
    cluster.start_as(2, again);
    cluster.await_member(2);
    assert_eq!(cluster.await_equal("/before").at("/node/value"), "1");
}

#[test]
fn every_refusal_says_why() {
    let mut cluster = Cluster::new(2).listing(&[0]);
    let ended = run(joining(&cluster, 1, "http://127.0.0.1:1"));
    ended.assert_refused(1, "no member of the cluster to join could be asked");
    assert!(ended.hints()[0].starts_with("http://127.0.0.1:1: "), "{ended:?}");
    cluster.start(0);
    cluster.await_ready();
    let mut taken = joining(&cluster, 1, &cluster.url(0, ""));
    taken.args(["-name", "infra0"]);
    run(taken).assert_refused(1, "the name infra0 is taken");
    let members = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered").ok();
    assert_eq!(members.at("/members").as_array().map(Vec::len), Some(1), "nobody was added");
    let mut listed = joining(&cluster, 1, &cluster.url(0, ""));
    listed.args(["-initial-cluster", &cluster.list()]);
    assert_eq!(run(listed).status, Some(2), "the list is found out");
    assert!(is_absent(&cluster.data_dir(1)));
}
