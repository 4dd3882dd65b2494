//! Programs that people use with etcd: its own command line client, and the library for Python.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::cluster::{Cluster, isolate};
use crate::support::process::Process;
use crate::support::wait::{wait_for, wait_until};
use crate::support::{Missing, etcd, left_out};

/// What is done with etcdctl, in this order.
const SESSION: &[&str] = &[
    "set /a/b one",
    "get /a/b",
    "-o extended get /a/b",
    "-o json get /a/b",
    "mk /m 1",
    "mk /m 2",
    "mk --in-order /queue job",
    "mkdir /d",
    "mkdir /d",
    "setdir /d2 --ttl 600",
    "updatedir /d2 --ttl 500",
    "ls --sort",
    "ls --sort -r -p /",
    "ls /nothing",
    "update /a/b two",
    "update /nothing x",
    "set /a/b three --swap-with-value two",
    "set /a/b four --swap-with-value zzz",
    "set /a/b four --swap-with-index 1",
    "rm /a/b --with-value nope",
    "rm /a",
    "rmdir /a",
    "rmdir /d",
    "watch --after-index 4 /m",
    "watch --after-index 3 --recursive /",
    "rm -r /a",
    "rm --dir /d2",
    "get /a/b",
    "set /ttl 1 --ttl 300",
    "member list",
    "cluster-health",
    "role add reader",
    "role add reader",
    "role grant reader --path /open* --read",
    "role grant reader --path /both* --readwrite",
    "role get reader",
    "role revoke reader --path /both* --write",
    "role get reader",
    "role list",
    "auth enable",
    "user add root:pw",
    "user add bob:pw",
    "user add bob:pw",
    "user grant bob --roles reader",
    "user get bob",
    "user list",
    "set /open/x 1",
    "auth enable",
    "--username root:pw role remove guest",
    "get /open/x",
    "--username bob:pw get /open/x",
    "--username bob:pw set /open/x 2",
    "--username bob:bad get /open/x",
    "--username bob:pw user list",
    "user list",
    "--username root:pw user get bob",
    "--username root:pw user revoke bob --roles reader",
    "--username bob:pw get /open/x",
    "--username root:pw user remove root",
    "--username root:pw auth disable",
    "user remove bob",
    "role remove reader",
    "role remove root",
    "member add more not-a-url",
    "member remove 1",
    "member update 1 http://127.0.0.1:1",
];

fn etcdctl(program: &Path, cluster: &Cluster) -> Command {
    // It would wait for ever for an event that does not come.
    let mut command = Command::new("timeout");
    command.arg("30").arg(program);
    isolate(&mut command);
    command.env("ETCDCTL_API", "2").args(["--endpoints", &cluster.url(0, "")]);
    command
}

/// What a command says and how it ends, without what is this server's own.
fn outcome(program: &Path, cluster: &Cluster, line: &str) -> String {
    let mut command = etcdctl(program, cluster);
    let output = command.args(line.split(' ')).stdin(Stdio::null()).output().expect("it runs");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let members = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered");
    let id = members.at("/members/0/id").as_str().expect("an ID").to_owned();
    let masked = said.map(|text| {
        let text =
            text.replace(&cluster.url(0, ""), "CLIENT").replace(&cluster.peer_url(0), "PEER");
        text.replace(&id, "ID")
    });
    format!("{line}: {:?} {masked:?}", output.status.code())
}

fn ready(cluster: &mut Cluster) {
    cluster.await_ready();
    wait_until("the version of the cluster is decided", || {
        let answer = cluster.client.get(&cluster.url(0, "/version")).expect("answered");
        !answer.body.contains("not_decided")
    });
}

#[test]
fn etcdctl_says_the_same_as_with_etcd() {
    let Some(server) = etcd::server_for("etcdctl") else { return };
    let Some(program) = etcd::client_for("etcdctl") else { return };
    let mut theirs = Cluster::new(1);
    let mut command = theirs.command_of(&server, 0);
    command.args(["-enable-v2", "-initial-cluster", &theirs.list()]);
    theirs.start_as(0, command);
    let mut ours = Cluster::new(1);
    ours.start_all();
    ready(&mut theirs);
    ready(&mut ours);
    for line in SESSION {
        assert_eq!(outcome(&program, &ours, line), outcome(&program, &theirs, line));
    }
}

/// `exec-watch` runs a program for every event.
#[test]
fn etcdctl_runs_programs_for_events() {
    let Some(program) = etcd::client_for("etcdctl exec-watch") else { return };
    let cluster = Cluster::started(3);
    let begun = cluster.put(0, "/watched/a", "1").index();
    cluster.put(1, "/watched/b", "2");
    wait_until("member 0 has both", || cluster.get_local(0, "/watched/b").status == 200);
    let mut command = etcdctl(&program, &cluster);
    let script = "echo $ETCD_WATCH_ACTION $ETCD_WATCH_KEY $ETCD_WATCH_VALUE";
    command.args(["exec-watch", "--recursive", "--after-index", &(begun - 1).to_string()]);
    // Whatever its help says, the key stands last.
    command.args(["sh", "-c", script, "/watched"]);
    let log = cluster.dir().join("exec-watch");
    let mut watcher = Process::start(command, &log);
    let seen = |watcher: &Process, line: &str| watcher.log().lines().any(|other| other == line);
    wait_until("what has happened is seen", || {
        assert!(watcher.runs(), "{}", watcher.log());
        seen(&watcher, "set /watched/a 1") && seen(&watcher, "set /watched/b 2")
    });
    // What happens is seen, sooner or later: the watch begins anew after each event.
    wait_for("what happens is seen", || {
        cluster.put(2, "/watched/c", "3");
        seen(&watcher, "set /watched/c 3").then_some(())
    });
}

#[test]
fn python_etcd_finds_its_way() {
    const PYTHON: &str = "/usr/bin/python3";
    let library = Command::new(PYTHON).args(["-c", "import etcd"]).stderr(Stdio::null()).status();
    if !library.is_ok_and(|status| status.success()) {
        return left_out("python-etcd", Missing::Program("python3-etcd".to_owned()));
    }
    let mut cluster = Cluster::new(1);
    cluster.start_all();
    ready(&mut cluster);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/python_etcd.py");
    let url = cluster.url(0, "");
    let (host, port) =
        url.trim_start_matches("http://").split_once(':').expect("a host and a port");
    let output = Command::new(PYTHON).args([script, host, port]).output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all of it holds\n");
}
