//! A member among members of real etcd 3.4, which vote, lead and follow by their own code.

mod support;

use std::fs;
use std::path::Path;
use std::thread;

use support::client::Client;
use support::cluster::Cluster;
use support::etcd;
use support::left_out;
use support::wait::wait_until;

/// The member that is Quorate's; the others are etcd's.
const OURS: usize = 2;

/// A cluster of two members of etcd and one of Quorate, with a leader.
fn started(etcd: &Path, flags: &[&str]) -> Cluster {
    let mut cluster = Cluster::new(3).with_flags(flags).with_etcd(etcd, &[0, 1]);
    cluster.start_all();
    cluster.await_ready();
    cluster
}

/// Kills the etcd member that leads until it is this one's turn.
fn let_ours_lead(cluster: &mut Cluster) {
    for round in 0.. {
        let leader = cluster.leader();
        if leader == OURS {
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

#[test]
fn it_follows_and_leads_and_has_the_same_indexes() {
    let Some(etcd) = etcd::server() else {
        left_out("a member among etcd's", "etcd 3.4 is not installed");
        return;
    };
    let mut cluster = started(&etcd, &[]);
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/from{member}"), "a")));
    cluster.await_equal("/");

    let_ours_lead(&mut cluster);
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/under{member}"), "b")));
    cluster.await_equal("/");

    // And it follows one of them again, from what it missed on.
    cluster.kill(OURS);
    cluster.put(0, "/without", "c");
    cluster.start(OURS);
    cluster.await_ready();
    assert_ne!(cluster.leader(), OURS);
    let all = cluster.await_equal("/");
    assert_eq!(all.at("/node/nodes").as_array().map(Vec::len), Some(7));
}

/// More entries than are kept for a follower that lags.
const TOO_MANY: usize = 5500;

#[test]
fn a_member_of_etcd_that_lags_is_fed_a_snapshot_and_can_be_restarted() {
    let Some(etcd) = etcd::server() else {
        left_out("feeding a member of etcd a snapshot", "etcd 3.4 is not installed");
        return;
    };
    let mut cluster = started(&etcd, &["-snapshot-count", "100"]);
    let_ours_lead(&mut cluster);

    cluster.kill(0);
    let url = cluster.url(OURS, "/v2/keys");
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
    for _ in 0..2 {
        cluster.start(0);
        cluster.await_ready();
        cluster.put(0, "/through", "etcd");
        cluster.await_equal("/");
        cluster.terminate(0);
    }
    let log = fs::read_to_string(cluster.dir().join("infra0.log")).expect("a log");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("snap")).collect();
    let fed = said.iter().any(|line| line.contains("recovered store from snapshot"));
    assert!(fed, "it was fed by the log alone: {said:#?}");
}
