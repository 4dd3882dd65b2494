//! Joining a cluster that runs: `-initial-cluster-state existing`.

use std::fs;

use crate::support::cluster::{Cluster, name};
use crate::support::membership::{add, id_of, join, joining, learners, remove};
use crate::support::refusal::{Ended, run};
use crate::support::wait::wait_until;
use serde_json::json;

/// A cluster of `running` members, and room for others.
fn with_room(running: usize, size: usize) -> Cluster {
    let first: Vec<usize> = (0..running).collect();
    let mut cluster = Cluster::new(size).listing(&first);
    first.iter().for_each(|member| cluster.start(*member));
    cluster.await_ready();
    cluster
}

fn refused(cluster: &Cluster, member: usize, list: &str) -> Ended {
    let ended = run(joining(cluster, member, list));
    assert!(!cluster.data_dir(member).join("quorate").exists(), "nothing is left: {ended:?}");
    ended
}

#[test]
fn a_cluster_grows_from_one_to_three() {
    let mut cluster = with_room(1, 3);
    cluster.put(0, "/before", "1");
    for member in [1, 2] {
        let id = add(&cluster, 0, member);
        join(&mut cluster, member, &(0..=member).collect::<Vec<_>>());
        cluster.await_ready();
        wait_until("it is listed by its name", || {
            let listed = cluster.client.get(&cluster.url(member, "/v2/members")).expect("answered");
            let listed = listed.at("/members");
            let mut listed = listed.as_array().expect("a list").iter();
            listed.any(|other| other["id"] == id.as_str() && other["name"] == name(member))
        });
    }
    wait_until("all of them vote", || learners(&cluster, 0) == 0);
    cluster.put(2, "/after", "1");
    assert_eq!(cluster.await_equal("/before").at("/node/value"), "1");
    // It counts: with the first one gone, the two others go on.
    cluster.kill(0);
    cluster.put(1, "/without", "it");
    // Restarted, it asks nobody how it once joined.
    cluster.kill(2);
    cluster.start(2);
    cluster.await_ready();
    assert_eq!(cluster.get_quorum(2, "/without").at("/node/value"), "it");
}

/// In etcd a wrong URL in the addition of the second member costs the quorum at once, and nothing
/// can be done about it (its issue 3505).
#[test]
fn a_member_that_never_comes_costs_nothing() {
    let mut cluster = with_room(1, 2);
    let url = cluster.url(0, "/v2/members");
    let body = r#"{"peerURLs":["http://127.0.0.1:9"]}"#;
    let added = cluster.client.post_json(&url, body).expect("answered");
    assert_eq!(added.status, 201, "{added:?}");
    cluster.put(0, "/with", "it");
    cluster.kill(0);
    cluster.start(0);
    cluster.await_ready();
    cluster.put(0, "/again", "1");
    // Another one is removed while there is nobody but the first.
    let other = cluster.client.post_json(&url, r#"{"peerURLs":["http://127.0.0.1:10"]}"#);
    let other = other.expect("answered").ok().at("/id");
    let path = format!("{url}/{}", other.as_str().expect("an ID"));
    assert_eq!(cluster.client.delete(&path).expect("answered").status, 204);
    cluster.kill(0);
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(learners(&cluster, 0), 1);
    // A proper one is taken in meanwhile, and the wrong one can go.
    add(&cluster, 0, 1);
    let list = format!("{},infra9=http://127.0.0.1:9", cluster.list_of(&[0, 1]));
    let command = joining(&cluster, 1, &list);
    cluster.start_as(1, command);
    cluster.await_ready();
    let wrong = added.at("/id");
    let path = format!("{url}/{}", wrong.as_str().expect("an ID"));
    assert_eq!(cluster.client.delete(&path).expect("answered").status, 204);
    wait_until("the other votes", || learners(&cluster, 1) == 0);
    assert_eq!(cluster.get_quorum(1, "/again").at("/node/value"), "1");
}

/// Whoever has added a member finds out why it is no voter yet.
#[test]
fn a_learner_says_what_it_waits_for() {
    let mut cluster = with_room(2, 3);
    let leader = cluster.leader();
    let member = |cluster: &Cluster, id: &str| {
        let url = cluster.url(leader, "/quorate/members");
        let progress = cluster.client.get(&url).expect("answered").ok();
        let members = progress.at("/members");
        let mut members = members.as_array().expect("a list").iter();
        members.find(|member| member["id"] == id).expect("it is listed").clone()
    };
    let id = add(&cluster, 0, 2);
    wait_until("the leader knows of it", || {
        let url = cluster.url(leader, "/quorate/members");
        cluster.client.get(&url).expect("answered").body.contains(&id)
    });
    let added = member(&cluster, &id);
    assert_eq!((&added["role"], &added["healthy"]), (&json!("learner"), &json!(false)));
    let words = added["waitsFor"].as_str().expect("words");
    assert!(words.contains("it has to be started"), "{added}");
    let other = cluster.client.get(&cluster.url(1 - leader, "/quorate/members")).expect("answered");
    assert_eq!(other.status, 403);
    assert!(other.body.contains(&name(leader)), "{other:?}");

    join(&mut cluster, 2, &[0, 1, 2]);
    cluster.await_ready();
    wait_until("it votes", || member(&cluster, &id)["role"] == "voter");
    wait_until("it is level", || member(&cluster, &id)["behind"] == 0);
    let level = member(&cluster, &id);
    assert_eq!((&level["name"], &level["healthy"]), (&json!(name(2)), &json!(true)), "{level}");
    let since = level["healthySince"].as_str().expect("a time").to_owned();
    assert!(level["match"].as_u64() > Some(0) && level["waitsFor"].is_null(), "{level}");
    // It goes, and comes back.
    cluster.kill(2);
    wait_until("that is noticed", || {
        cluster.put(leader, "/on", "it goes");
        member(&cluster, &id)["healthy"] == false
    });
    assert!(member(&cluster, &id)["behind"].as_u64() > Some(0));
    cluster.start(2);
    cluster.await_ready();
    wait_until("that is noticed too", || member(&cluster, &id)["healthy"] == true);
    assert_ne!(member(&cluster, &id)["healthySince"], since.as_str());
}

/// Nor do several, when one of the others is lost.
#[test]
fn members_that_never_start_do_not_count() {
    let mut cluster = with_room(3, 5);
    add(&cluster, 0, 3);
    add(&cluster, 1, 4);
    cluster.kill(2);
    cluster.put(1, "/without", "three");
    assert_eq!(cluster.get_quorum(0, "/without").at("/node/value"), "three");
    assert_eq!(learners(&cluster, 0), 2);
}

/// What the log no longer holds comes as a snapshot.
#[test]
fn a_newcomer_catches_up_by_snapshot() {
    let mut cluster = Cluster::new(2).listing(&[0]).with_flags(&["-snapshot-count", "20"]);
    cluster.start(0);
    cluster.await_ready();
    for number in 0..100 {
        cluster.put(0, &format!("/key{}", number % 10), &number.to_string());
    }
    cluster.terminate(0);
    cluster.start(0);
    cluster.await_ready();
    add(&cluster, 0, 1);
    join(&mut cluster, 1, &[0, 1]);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/key9").at("/node/value"), "99");
}

/// As the guide for reconfiguration says: removed, added again, and started with a new directory.
#[test]
fn a_member_that_lost_its_data_is_replaced() {
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "1");
    cluster.kill(2);
    fs::remove_dir_all(cluster.data_dir(2)).expect("the directory is removed");
    let ended = refused(&cluster, 2, &cluster.list());
    let old = id_of(&cluster, 0, 2);
    ended.assert_refused(1, &format!("member {old} has already been bootstrapped"));
    assert!(ended.output.contains("remove the member from the cluster and add it again"));
    assert_eq!(remove(&cluster, 0, &old).status, 204);
    let new = add(&cluster, 1, 2);
    assert_ne!(new, old);
    join(&mut cluster, 2, &[0, 1, 2]);
    cluster.await_ready();
    assert_eq!(id_of(&cluster, 0, 2), new);
    assert_eq!(cluster.await_equal("/kept").at("/node/value"), "1");
}

/// In etcd one that lags takes in again who has lost its data: it has not heard that it was there.
/// The two of them then write without the members that have everything.
#[test]
fn a_member_that_lags_takes_nobody_in() {
    let mut cluster = with_room(3, 4);
    let id = add(&cluster, 0, 3);
    wait_until("all know of it", || learners(&cluster, 2) == 1);
    cluster.kill(2);
    join(&mut cluster, 3, &[0, 1, 2, 3]);
    wait_until("it votes", || learners(&cluster, 0) == 0);
    cluster.put(0, "/kept", "1");
    for member in [0, 1, 3] {
        cluster.kill(member);
    }
    fs::remove_dir_all(cluster.data_dir(3)).expect("the directory is removed");
    cluster.start(2);
    let url = format!("{}/members", cluster.peer_url(2));
    let listed = || cluster.client.get(&url).is_ok_and(|answer| answer.body.contains("isLearner"));
    wait_until("the one that lags tells of the learner", listed);
    join(&mut cluster, 3, &[0, 1, 2, 3]);
    let waits = "waiting to join the cluster: ";
    wait_until("it says for whom it waits", || cluster.process(3).log().contains(waits));
    let log = cluster.process(3).log();
    let line = log.lines().find(|line| line.contains(waits)).expect("it is there");
    assert!(line.contains("infra2 (no quorum confirms what it says"), "{line}");
    assert!(line.contains("infra0 (") && line.contains("infra1 ("), "{line}");
    assert!(!cluster.data_dir(3).join("quorate").exists(), "it takes no place before");
    cluster.start(0);
    cluster.start(1);
    assert_eq!(cluster.process(3).wait().code(), Some(1));
    let log = cluster.process(3).log();
    assert!(log.contains(&format!("quorate: member {id} has already been bootstrapped")), "{log}");
    cluster.forget(3);
    cluster.await_ready();
    for member in 0..3 {
        assert_eq!(cluster.get_quorum(member, "/kept").at("/node/value"), "1");
    }
}

#[test]
fn a_list_that_is_not_the_clusters_is_refused() {
    let cluster = with_room(3, 4);
    let (all, running) = (cluster.list_of(&[0, 1, 2, 3]), cluster.list_of(&[0, 1, 2]));
    let cases = [
        (all, "member count is unequal", "infra3 is no member yet: add it first"),
        (
            cluster.list_of(&[0, 1, 3]),
            "unmatched member while checking PeerURLs",
            "infra3 is no member yet: add it first",
        ),
    ];
    for (list, cause, hint) in cases {
        let ended = refused(&cluster, 3, &list);
        assert!(ended.output.contains("quorate: error validating peerURLs "), "{ended:?}");
        assert!(ended.output.contains(cause) && ended.output.contains(hint), "{ended:?}");
        assert!(ended.output.contains("only in -initial-cluster: infra3=http://"), "{ended:?}");
        assert_eq!(ended.status, Some(1));
    }
    let ended = refused(&cluster, 3, &running);
    ended.assert_refused(1, "infra3 not listed in the initial cluster config");
}

#[test]
fn nobody_to_join() {
    let cluster = Cluster::new(2);
    let ended = refused(&cluster, 1, &cluster.list());
    ended.assert_refused(
        1,
        "cannot fetch cluster info from peer urls: could not retrieve cluster information from the \
         given urls",
    );
    let asked = format!("hint: {}/members: ", cluster.peer_url(0));
    assert!(ended.output.contains(&asked), "{ended:?}");
    assert!(ended.output.contains("-initial-cluster-state new"), "{ended:?}");
}

/// A list may name what the cluster knows by address.
#[test]
fn places_are_compared_and_not_texts() {
    let mut cluster = with_room(1, 2);
    let port = cluster.peer_url(1).rsplit(':').next().expect("a port").to_owned();
    let address = cluster.peer_url(0);
    let address = address.trim_start_matches("http://").split(':').next().expect("a host");
    let mapped = format!("http://[::ffff:{address}]:{port}");
    let body = format!("{{\"peerURLs\":[\"{mapped}\"]}}");
    let url = cluster.url(0, "/v2/members");
    let added = cluster.client.post_json(&url, &body).expect("answered");
    assert_eq!(added.status, 201, "{added:?}");
    join(&mut cluster, 1, &[1, 0]);
    cluster.await_ready();
    wait_until("both have started", || {
        let listed = cluster.client.get(&url).expect("answered").at("/members");
        listed.as_array().expect("a list").iter().all(|member| member["name"] != "")
    });
}

/// One command line for every machine and every start: it forms, comes late, joins and replaces.
#[test]
fn auto_finds_out() {
    let mut cluster = Cluster::new(4).listing(&[0, 1, 2]);
    let auto = |cluster: &mut Cluster, member: usize, list: &[usize]| {
        let mut command = cluster.command(member);
        let list = cluster.list_of(list);
        command.args(["-initial-cluster", &list, "-initial-cluster-state", "auto"]);
        cluster.start_as(member, command);
    };
    for member in 0..3 {
        auto(&mut cluster, member, &[0, 1, 2]);
    }
    for member in 0..3 {
        cluster.await_member(member);
    }
    cluster.put(0, "/kept", "1");
    // A machine whose disk was replaced is nobody's member until it is added again.
    cluster.kill(2);
    fs::remove_dir_all(cluster.data_dir(2)).expect("the directory is removed");
    auto(&mut cluster, 2, &[0, 1, 2]);
    assert_eq!(cluster.process(2).wait().code(), Some(1));
    assert!(cluster.process(2).log().contains(" has already been bootstrapped\n"));
    cluster.forget(2);
    let old = id_of(&cluster, 0, 2);
    assert_eq!(remove(&cluster, 0, &old).status, 204);
    add(&cluster, 1, 2);
    auto(&mut cluster, 2, &[0, 1, 2]);
    cluster.await_member(2);
    // A fourth one knows of all; the others still have the list of the first day.
    add(&cluster, 0, 3);
    auto(&mut cluster, 3, &[0, 1, 2, 3]);
    cluster.await_member(3);
    cluster.kill(0);
    auto(&mut cluster, 0, &[0, 1, 2]);
    cluster.await_member(0);
    assert_eq!(cluster.await_equal("/kept").at("/node/value"), "1");
}
