//! A member among members of real etcd 3.4, which vote, lead and follow by their own code.

mod support;

use std::path::Path;

use support::cluster::Cluster;
use support::etcd;
use support::left_out;
use support::wait::wait_until;

/// The member that is Quorate's; the others are etcd's.
const OURS: usize = 2;

fn start(cluster: &mut Cluster, etcd: &Path, member: usize) {
    if member == OURS {
        cluster.start(member);
        return;
    }
    let mut command = cluster.command_of(etcd, member);
    command
        .args(["-enable-v2", "-initial-cluster-state", "new"])
        .args(["-initial-cluster", &cluster.list()]);
    cluster.start_as(member, command);
}

#[test]
fn it_follows_and_leads_and_has_the_same_indexes() {
    let Some(etcd) = etcd::server() else {
        left_out("a member among etcd's", "etcd 3.4 is not installed");
        return;
    };
    let mut cluster = Cluster::new(3);
    (0..3).for_each(|member| start(&mut cluster, &etcd, member));
    cluster.await_ready();
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/from{member}"), "a")));
    cluster.await_equal("/");

    // An etcd member that leads is killed until it is this one's turn.
    for round in 0.. {
        let leader = cluster.leader();
        if leader == OURS {
            break;
        }
        assert!(round < 30, "it never leads");
        cluster.kill(leader);
        wait_until("another one leads", || {
            cluster.running().iter().all(|member| {
                let answer = cluster.get_quorum(*member, "/from0");
                answer.status == 200
            }) && cluster.leader() != leader
        });
        start(&mut cluster, &etcd, leader);
        cluster.await_ready();
    }
    (0..3).for_each(|member| drop(cluster.put(member, &format!("/under{member}"), "b")));
    cluster.await_equal("/");

    // And it follows one of them again, from what it missed on.
    cluster.kill(OURS);
    cluster.put(0, "/without", "c");
    start(&mut cluster, &etcd, OURS);
    cluster.await_ready();
    assert_ne!(cluster.leader(), OURS);
    let all = cluster.await_equal("/");
    assert_eq!(all.at("/node/nodes").as_array().map(Vec::len), Some(7));
}
