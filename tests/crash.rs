//! Members that are killed lose nothing, and catch up.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use crate::support::cluster::Cluster;
use crate::support::lag::{CLIENTS, fill_log};
use crate::support::wait::{wait_for, wait_until};
use crate::support::writer::{ACKED, Writer};

/// One cluster at a time: each has several processes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> impl Drop {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn writes_go_on_while_a_minority_is_killed() {
    let _turn = turn();
    let mut cluster = Cluster::started(5);
    let writer = Writer::start(&cluster.client_urls());
    for pair in [[0, 1], [2, 3], [4, 0]] {
        for member in pair {
            cluster.kill(member);
        }
        let left = cluster.running();
        cluster.put(left[0], "/without", &format!("{}and{}", pair[0], pair[1]));
        cluster.start_all();
        cluster.await_ready();
    }
    let acknowledged = writer.stop();
    assert!(acknowledged.len() > 10, "the writer wrote: {}", acknowledged.len());
    acknowledged.assert_kept(&cluster.await_equal(ACKED));
    assert_eq!(cluster.await_equal("/without").at("/node/value"), "4and0");
}

#[test]
fn a_whole_cluster_is_killed_and_started_again() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    for round in 0..3 {
        let writer = Writer::start(&cluster.client_urls());
        wait_until("there are writes", || {
            cluster.get_local(round, &format!("{ACKED}/last0")).status == 200
        });
        // Once amid writes; then when the last entry of the log is one that was acknowledged.
        let acknowledged = if round == 0 {
            cluster.put(round, "/round", &round.to_string());
            cluster.kill_all();
            writer.stop()
        } else {
            let acknowledged = writer.stop();
            cluster.put(round, "/round", &round.to_string());
            cluster.kill_all();
            acknowledged
        };
        for member in [(round + 1) % 3, (round + 2) % 3, round] {
            cluster.start(member);
        }
        cluster.await_ready();
        acknowledged.assert_kept(&cluster.await_equal(ACKED));
        assert_eq!(cluster.await_equal("/round").at("/node/value"), round.to_string());
        let cleared =
            cluster.client.delete(&cluster.url(0, &format!("/v2/keys{ACKED}?recursive=true")));
        cleared.expect("answered").ok();
    }
}

/// However far a first start has come when it is killed, the same command begins again.
#[test]
fn a_first_start_is_killed_at_any_point() {
    let _turn = turn();
    for pause in (0..90).step_by(7).map(Duration::from_millis) {
        let mut cluster = Cluster::new(3);
        cluster.start_all();
        sleep(pause);
        cluster.kill_all();
        cluster.start_all();
        cluster.await_ready();
        cluster.put(0, "/after", "yes");
        assert_eq!(cluster.await_equal("/after").at("/node/value"), "yes");
    }
}

#[test]
fn one_member_keeps_keys_and_indexes() {
    let _turn = turn();
    let mut cluster = Cluster::started(1);
    cluster.put(0, "/a", "1");
    cluster.put(0, "/b", "2");
    cluster.put(0, "/a", "3");
    let before = cluster.get_local(0, "/?recursive=true&sorted=true").ok();
    for graceful in [false, true] {
        if graceful {
            assert_eq!(cluster.terminate(0).code(), Some(0), "asked to stop is no failure");
        } else {
            cluster.kill(0);
        }
        cluster.start(0);
        cluster.await_ready();
        let after = cluster.get_local(0, "/?recursive=true&sorted=true").ok();
        assert_eq!(after.body, before.body);
        assert!(after.index() >= before.index(), "the index went back: {before:?} {after:?}");
    }
    let index = cluster.get_local(0, "/").index();
    assert!(cluster.put(0, "/c", "4").at("/node/modifiedIndex").as_u64() > Some(index));
}

#[test]
fn a_leader_that_is_asked_to_stop_hands_over() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    let leader = cluster.leader();
    cluster.put(leader, "/a", "1");
    let log = cluster.process(leader).log_file();
    assert_eq!(cluster.terminate(leader).code(), Some(0));
    let said = std::fs::read_to_string(log).expect("the log is read");
    assert!(said.contains("handing leadership over to"), "{said}");
    let left = cluster.running();
    assert_eq!(cluster.put(left[0], "/a", "2").at("/prevNode/value"), "1");
    cluster.start(leader);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/a").at("/node/value"), "2");
}

/// What is said about the first start does not matter at later ones, not even when it is no list.
#[test]
fn the_list_is_not_read_again() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "yes");
    let other = cluster.list().replace("infra0", "stranger");
    for (member, lists) in [
        (0, &[][..]),
        (1, &["-initial-cluster", "%%%", "-initial-cluster-state", "existing"][..]),
        (2, &["-initial-cluster", &other, "-initial-cluster-token", "another"][..]),
    ] {
        cluster.kill(member);
        let mut command = cluster.command(member);
        command.args(lists);
        cluster.start_as(member, command);
        cluster.await_member(member);
        let log = cluster.process(member).log();
        for flag in lists.iter().step_by(2) {
            let said = log.matches(&format!("{flag} is ignored")).count();
            assert_eq!(said, 1, "{flag} in {log}");
        }
        assert_eq!(cluster.get_quorum(member, "/kept").ok().at("/node/value"), "yes");
    }
    let ids: Vec<_> = (0..3).map(|member| cluster.get_local(member, "/")).collect();
    let id = |member: usize| ids[member].header("X-Etcd-Cluster-ID").map(str::to_owned);
    assert!(id(0).is_some() && id(0) == id(1) && id(1) == id(2));
}

/// The leader keeps some thousand entries for those who lag; whoever is behind that gets its state.
#[test]
fn a_member_behind_the_compaction_point_gets_a_snapshot() {
    let _turn = turn();
    let mut cluster = Cluster::new(3).with_flags(&["-snapshot-count", "100"]);
    cluster.start_all();
    cluster.await_ready();
    cluster.put(0, "/before", "it went");
    cluster.kill(2);
    // It may have been the leader.
    cluster.await_ready();
    // Many entries over few keys.
    fill_log(&cluster, [0, 1], |client, url, number, round| {
        client.put(&format!("{url}/v2/keys/many{number}"), &format!("value={round}"))
    });
    let before = cluster.put(0, "/while", "it was away").index();
    cluster.start(2);
    cluster.await_ready();
    wait_for("the snapshot is installed", || {
        cluster.process(2).log().contains("installed a snapshot").then_some(())
    });
    let all = cluster.await_equal("/");
    assert!(all.index() >= before);
    for (key, value) in [("/before", "it went"), ("/while", "it was away")] {
        assert_eq!(cluster.get_quorum(2, key).ok().at("/node/value"), value);
    }
    // Its own log goes on from there, and is enough to start again.
    cluster.put(2, "/after", "it came");
    cluster.kill(2);
    cluster.start(2);
    cluster.await_ready();
    let again = cluster.await_equal("/");
    assert_eq!(cluster.get_quorum(2, "/after").ok().at("/node/value"), "it came");
    assert_eq!(again.at("/node/nodes").as_array().map(Vec::len), Some(CLIENTS + 3));
}
