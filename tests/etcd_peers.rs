//! A member among members of real etcd, 3.4 and 2.3, which vote, lead and follow by their own code.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::support::client::Client;
use crate::support::cluster::{Cluster, isolate};
use crate::support::etcd;
use crate::support::wait::{wait_for, wait_until};

/// The member that is Quorate's; the others are etcd's.
const OURS: usize = 2;

/// A cluster of two members of etcd and one of Quorate, with a leader.
fn started(etcd: &Path, flags: &[&str]) -> Cluster {
    let mut cluster = Cluster::new(3).with_flags(flags).with_etcd(etcd, &[0, 1]);
    cluster.start_all();
    cluster.await_ready();
    cluster
}

/// Kills whoever leads until it is this one's turn.
fn let_ours_lead(cluster: &mut Cluster) {
    let_lead(cluster, OURS);
}

fn let_lead(cluster: &mut Cluster, wanted: usize) {
    for round in 0.. {
        let leader = cluster.leader();
        if leader == wanted {
            break;
        }
        assert!(round < 30, "it never leads");
        cluster.kill(leader);
        wait_until("another one leads", || {
            cluster.running().iter().all(|member| {
                let answer = cluster.get_quorum(*member, "/");
                answer.status == 200
            }) && cluster.leader() != leader
        });
        cluster.start(leader);
        cluster.await_ready();
    }
}

fn follows_and_leads(etcd: &Path, version: &str) {
    let mut cluster = started(etcd, &[]);
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/from{member}"), "a")));
    cluster.await_equal("/");
    wait_until("it says what the others say", || {
        let said = [0, OURS].map(|member| {
            let answer = cluster.client.get(&format!("{}/version", cluster.peer_url(member)));
            answer.map(|answer| answer.body).unwrap_or_default()
        });
        said[0].contains(version) && said[0] == said[1]
    });

    let_ours_lead(&mut cluster);
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/under{member}"), "b")));
    cluster.await_equal("/");

    for leader in [0, 1] {
        let_lead(&mut cluster, leader);
        let key = format!("/under-etcd{leader}");
        (0..3).for_each(|member| drop(cluster.put(member, &key, "b")));
        cluster.await_equal("/");
    }

    // And it comes back, to what it missed.
    cluster.kill(OURS);
    cluster.put(0, "/without", "c");
    cluster.start(OURS);
    cluster.await_ready();
    assert_ne!(cluster.leader(), OURS);
    let all = cluster.await_equal("/");
    assert_eq!(all.at("/node/nodes").as_array().map(Vec::len), Some(9));
}

#[test]
fn it_follows_and_leads_and_has_the_same_indexes() {
    let Some(etcd) = etcd::server_for("a member among etcd's") else { return };
    follows_and_leads(&etcd, "3.4.0");
}

#[test]
fn it_follows_and_leads_members_of_2_3() {
    let Some(etcd) = etcd::old_server_for("a member among etcd's") else { return };
    follows_and_leads(&etcd, "2.3.0");
}

/// More entries than are kept for a follower that lags.
const TOO_MANY: usize = 5500;

/// Writes more than is kept, through a member.
fn write_too_many(cluster: &Cluster, through: usize) {
    let url = cluster.url(through, "/v2/keys");
    thread::scope(|scope| {
        for writer in 0..8 {
            let (url, client) = (&url, Client::keeping_connections());
            scope.spawn(move || {
                for n in 0..TOO_MANY / 8 {
                    let url = format!("{url}/writer{writer}/key{}", n % 40);
                    let answer = client.put(&url, "value=some");
                    assert!(answer.is_ok_and(|answer| answer.status < 300));
                }
            });
        }
    });
}

/// Whether a member has said in its log that it was restored by its leader.
fn was_fed(cluster: &Cluster, member: usize, words: &str) {
    let path = cluster.dir().join(format!("infra{member}.log"));
    let log = fs::read_to_string(path).expect("a log");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("snap")).collect();
    assert!(said.iter().any(|line| line.contains(words)), "it was fed by the log alone: {said:#?}");
}

fn feeds_one_that_lags(etcd: &Path) {
    let mut cluster = started(etcd, &["-snapshot-count", "100"]);
    let_ours_lead(&mut cluster);
    cluster.kill(0);
    write_too_many(&cluster, OURS);
    for _ in 0..2 {
        cluster.start(0);
        cluster.await_ready();
        cluster.put(0, "/through", "etcd");
        cluster.await_equal("/");
        cluster.terminate(0);
    }
    was_fed(&cluster, 0, "restored snapshot [index");
}

#[test]
fn a_member_of_etcd_that_lags_is_fed_a_snapshot_and_can_be_restarted() {
    let Some(etcd) = etcd::server_for("feeding a member of etcd a snapshot") else { return };
    feeds_one_that_lags(&etcd);
}

#[test]
fn a_member_of_2_3_that_lags_is_fed_a_snapshot_and_can_be_restarted() {
    let Some(etcd) = etcd::old_server_for("feeding a member of etcd a snapshot") else { return };
    feeds_one_that_lags(&etcd);
}

fn is_fed_when_it_lags(etcd: &Path) {
    let mut cluster = started(etcd, &["-snapshot-count", "100"]);
    cluster.kill(OURS);
    // It may have led.
    cluster.await_ready();
    write_too_many(&cluster, 0);
    for _ in 0..2 {
        cluster.start(OURS);
        cluster.await_ready();
        cluster.put(OURS, "/through", "quorate");
        cluster.await_equal("/");
        cluster.terminate(OURS);
    }
    was_fed(&cluster, OURS, "installed a snapshot of the leader");
}

#[test]
fn it_is_fed_a_snapshot_of_etcd_when_it_lags() {
    let Some(etcd) = etcd::server_for("being fed a snapshot of etcd") else { return };
    is_fed_when_it_lags(&etcd);
}

#[test]
fn it_is_fed_a_snapshot_of_2_3_when_it_lags() {
    let Some(etcd) = etcd::old_server_for("being fed a snapshot of etcd") else { return };
    is_fed_when_it_lags(&etcd);
}

/// etcdctl with the v3 API at one member, within a time after which it gives up.
fn v3(etcdctl: &Path, cluster: &Cluster, member: usize, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(etcdctl);
    isolate(&mut command);
    command.env("ETCDCTL_API", "3").args(["--command-timeout", "10s", "--endpoints"]);
    command.arg(cluster.url(member, "")).args(words);
    let output = command.output().expect("etcdctl can be started");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A member of etcd asks its leader before it answers a read of the v3 API, and before it says of
/// itself that it is healthy.
#[test]
fn reads_that_etcd_asks_its_leader_about_are_answered() {
    let Some(etcd) = etcd::server_for("reads of the v3 API at members of etcd") else { return };
    let Some(etcdctl) = etcd::client_for("reads of the v3 API at members of etcd") else { return };
    let mut cluster = started(&etcd, &[]);
    let_ours_lead(&mut cluster);
    for member in [0, 1] {
        let (done, said) = v3(&etcdctl, &cluster, member, &["get", "--consistency=l", "nothing"]);
        assert!(done && said.is_empty(), "{said}");
        let (done, said) = v3(&etcdctl, &cluster, member, &["endpoint", "health"]);
        assert!(done, "{said}");
        let health = cluster.client.get(&cluster.url(member, "/health")).expect("an answer");
        assert_eq!((health.status, health.body.contains("true")), (200, true), "{health:?}");
    }
    assert_eq!(cluster.leader(), OURS);
    cluster.await_equal("/");
}

/// The learners among the members that one knows.
fn learners(cluster: &Cluster, asked: usize) -> usize {
    let listed = cluster.client.get(&format!("{}/members", cluster.peer_url(asked)));
    listed.map_or(0, |listed| listed.body.matches("\"isLearner\":true").count())
}

/// The v3 API can add members that do not vote: they are in the log like any other.
#[test]
fn learners_that_etcd_adds_count_here_as_there() {
    let what = "learners of etcd";
    let Some(etcd) = etcd::server_for(what) else { return };
    let Some(etcdctl) = etcd::client_for(what) else { return };
    let new = 3;
    let mut cluster = Cluster::new(4).listing(&[0, 1, OURS]).with_etcd(&etcd, &[0, 1, new]);
    [0, 1, OURS].into_iter().for_each(|member| cluster.start(member));
    cluster.await_ready();
    // Members of etcd ask the leader to promote, in a way that only their own kind knows.
    let_lead(&mut cluster, 0);
    let urls = format!("--peer-urls={}", cluster.peer_url(new));
    wait_until("it is added", || {
        v3(&etcdctl, &cluster, 0, &["member", "add", "infra3", "--learner", &urls]).0
    });
    wait_until("it is known as a learner", || learners(&cluster, OURS) == 1);
    let mut command = cluster.command_of(&etcd, new);
    command.args(["-enable-v2", "-initial-cluster-state", "existing"]);
    command.args(["-initial-cluster", &cluster.list_of(&[0, 1, OURS, new])]);
    cluster.start_as(new, command);
    let id = wait_for("it is listed", || {
        let listed = cluster.client.get(&cluster.url(OURS, "/v2/members")).ok()?.at("/members");
        let url = cluster.peer_url(new);
        let found = listed.as_array()?.iter().find(|other| other["peerURLs"][0] == url.as_str())?;
        Some(found["id"].as_str()?.to_owned())
    });
    wait_until("it is promoted", || v3(&etcdctl, &cluster, 0, &["member", "promote", &id]).0);
    wait_until("it is known as a voter", || learners(&cluster, OURS) == 0);
    cluster.await_member(new);
    cluster.put(OURS, "/after", "1");
    cluster.await_equal("/");
    cluster.kill(OURS);
    cluster.put(new, "/without", "1");
    cluster.start(OURS);
    cluster.await_ready();
    cluster.await_equal("/");
    assert_eq!(learners(&cluster, OURS), 0);
}

#[test]
fn a_write_of_the_v3_api_stops_it_with_words() {
    let what = "a write of the v3 API among members of etcd";
    let Some(etcd) = etcd::server_for(what) else { return };
    let Some(etcdctl) = etcd::client_for(what) else { return };
    let mut cluster = started(&etcd, &[]);
    cluster.put(OURS, "/before", "1");
    cluster.await_equal("/");
    let (_, said) = v3(&etcdctl, &cluster, 0, &["put", "key", "value"]);
    for _ in 0..2 {
        let status = cluster.process(OURS).wait();
        let log = cluster.process(OURS).log();
        assert_eq!(status.code(), Some(70), "{said} {log}");
        for words in [
            "cannot carry out entry",
            "the log holds a request of the v3 API (put)",
            "  hint: only requests of the v2 API can be carried out",
        ] {
            assert!(log.contains(words), "{words}: {log}");
        }
        // It says the same whenever it is started: the entry is in its log.
        cluster.forget(OURS);
        cluster.start(OURS);
    }
    cluster.kill(OURS);
    // The others go on, and have what was written before.
    cluster.put(0, "/after", "1");
    assert_eq!(cluster.get_quorum(1, "/before").at("/node/value"), "1");
}
