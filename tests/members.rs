//! Changes of the membership by `/v2/members`, with real processes.

use std::collections::BTreeSet;

use crate::support::cluster::Cluster;
use crate::support::membership::{add, id_of, join, learners, listed, remove};
use crate::support::wait::{wait_for, wait_until};
use serde_json::json;

/// The words are etcd's; so is the status, also when it is started again.
#[test]
fn a_removed_member_stops_and_stays_away() {
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "1");
    let leader = cluster.leader();
    let others: Vec<usize> = (0..3).filter(|member| *member != leader).collect();
    let gone = id_of(&cluster, others[0], leader);
    assert_eq!(remove(&cluster, others[0], &gone).status, 204, "a leader can be removed too");
    for again in 0..2 {
        assert_eq!(cluster.process(leader).wait().code(), Some(0));
        let log = cluster.process(leader).log();
        for line in [
            "the member has been permanently removed from the cluster",
            "the data-dir used by this member must be removed.",
        ] {
            assert!(log.contains(line), "start {again}: {log}");
        }
        cluster.forget(leader);
        if again == 0 {
            cluster.start(leader);
        }
    }
    let answer = remove(&cluster, others[1], &gone);
    assert_eq!(answer.status, 410);
    assert_eq!(answer.at("/message"), format!("Member permanently removed: {gone}"));
    let update = cluster.client.put_json(
        &cluster.url(others[0], &format!("/v2/members/{gone}")),
        r#"{"peerURLs":["http://127.0.0.1:1"]}"#,
    );
    assert_eq!(update.expect("answered").status, 410);
    cluster.put(others[0], "/kept", "2");
    assert_eq!(cluster.get_quorum(others[1], "/kept").at("/node/value"), "2");
    wait_until("both list two members", || {
        others.iter().all(|asked| listed(&cluster, *asked).len() == 2)
    });
}

/// An ID is made of the URLs and the second, and never used again.
#[test]
fn who_was_removed_can_be_added_again_within_a_second() {
    let mut cluster = Cluster::new(2).listing(&[0]);
    cluster.start(0);
    cluster.await_ready();
    let mut used = BTreeSet::new();
    for _ in 0..4 {
        let id = add(&cluster, 0, 1);
        assert_eq!(remove(&cluster, 0, &id).status, 204);
        assert!(used.insert(id), "{used:?}");
    }
}

/// What would leave too few started members is refused, and told why.
#[test]
fn the_quorum_is_kept() {
    let cluster = Cluster::started(1);
    let id = id_of(&cluster, 0, 0);
    let refused = cluster.client.delete(&cluster.url(0, &format!("/v2/members/{id}")));
    let refused = refused.expect("answered");
    assert_eq!((refused.status, refused.at("/message")), (500, json!("Internal Server Error")));
    let cause = refused.header("X-Quorate-Cause").expect("it says why");
    assert!(cause.contains("not enough started members"), "{cause}");
    assert_eq!(listed(&cluster, 0).len(), 1);
}

/// Members of a cluster can move: their URLs change, and the others find them there.
#[test]
fn peer_urls_change() {
    let cluster = Cluster::started(3);
    let id = id_of(&cluster, 0, 1);
    let path = format!("/v2/members/{id}");
    let put = |urls: &str| {
        let body = format!("{{\"peerURLs\":[{urls}]}}");
        wait_for("the change is answered", || {
            let answer = cluster.client.put_json(&cluster.url(2, &path), &body).ok()?;
            (answer.status != 500).then_some(answer)
        })
    };
    let (own, taken) = (cluster.peer_url(1), cluster.peer_url(0));
    let answer = put(&format!("\"{taken}\""));
    assert_eq!((answer.status, answer.at("/message")), (409, json!("membership: peerURL exists")));
    assert_eq!(put(&format!("\"{own}\",\"http://127.0.0.1:9\"")).status, 204);
    wait_until("all list both URLs", || {
        (0..3).all(|asked| {
            let listed = cluster.client.get(&cluster.url(asked, "/v2/members")).expect("answered");
            listed.body.contains("\"http://127.0.0.1:9\"")
        })
    });
    cluster.put(1, "/after", "1");
}

/// The last member of a cluster whose others are lost goes on alone, with everything that it has
/// acknowledged: etcd drops what it does not know to be committed.
#[test]
fn one_member_is_made_a_cluster() {
    let mut cluster = Cluster::new(4).listing(&[0, 1, 2]);
    (0..3).for_each(|member| cluster.start(member));
    cluster.await_ready();
    let ids: Vec<String> = (0..3).map(|member| id_of(&cluster, 0, member)).collect();
    let mut last = 0;
    for number in 0..50 {
        last = cluster.put(0, "/kept", &number.to_string()).index();
    }
    cluster.kill_all();
    let mut command = cluster.command(0);
    command.arg("-force-new-cluster");
    cluster.start_as(0, command);
    cluster.await_member(0);
    let kept = cluster.get_quorum(0, "/kept");
    assert_eq!(kept.at("/node/value"), "49");
    assert_eq!(kept.at("/node/modifiedIndex"), last);
    let left: Vec<_> = listed(&cluster, 0).iter().map(|member| member["id"].clone()).collect();
    assert_eq!(left, [json!(ids[0])]);
    // The others are told if they come back.
    cluster.start(1);
    assert_eq!(cluster.process(1).wait().code(), Some(0));
    assert!(cluster.process(1).log().contains("has been permanently removed"));
    cluster.forget(1);
    cluster.terminate(0);
    cluster.start(0);
    cluster.await_member(0);
    assert_eq!(cluster.get_quorum(0, "/kept").at("/node/value"), "49");
    assert_eq!(remove(&cluster, 0, &ids[2]).status, 410);
    // A new one is taken in, and has everything.
    let new = add(&cluster, 0, 3);
    join(&mut cluster, 3, &[0, 3]);
    cluster.await_member(3);
    wait_until("it votes", || learners(&cluster, 3) == 0);
    for read in [cluster.get_quorum(3, "/kept"), cluster.get_local(3, "/kept")] {
        assert_eq!(
            (read.at("/node/value"), read.at("/node/modifiedIndex")),
            (json!("49"), json!(last))
        );
    }
    cluster.put(3, "/kept", "50");
    assert_eq!(cluster.get_quorum(0, "/kept").at("/node/value"), "50");
    let members: BTreeSet<String> = [0, 3].map(|member| id_of(&cluster, 3, member)).into();
    assert_eq!(members, [ids[0].clone(), new].into());
    assert_eq!(listed(&cluster, 3).len(), 2);
}
