//! From three members of etcd to three of Quorate, one by one, while clients write.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use support::cluster::{Cluster, name};
use support::etcd;
use support::left_out;
use support::wait::{wait_for, wait_until};
use support::writer::{ACKED, Writer};

/// The members that are etcd's at the beginning; those that take their places are the three behind.
const OLD: [usize; 3] = [0, 1, 2];

fn old(etcd: &Path) -> Cluster {
    let mut cluster = Cluster::new(6).listing(&OLD).with_etcd(etcd, &OLD);
    OLD.iter().for_each(|member| cluster.start(*member));
    cluster.await_ready();
    cluster
}

/// Says how many keys there are before a member of Quorate joins.
const KEYS: &str = "QUORATE_MIGRATION_KEYS";

/// Keys of every kind, with their times and their order.
fn fill(cluster: &Cluster) {
    let keys = std::env::var(KEYS).map_or(200, |keys| keys.parse().expect("a number"));
    for key in 0..keys {
        cluster.put(key % 3, &format!("/dir{}/key{key}", key % 7), "value");
    }
    let url = cluster.url(0, "/v2/keys");
    for n in 0..20 {
        let queued = cluster.client.post(&format!("{url}/queue"), &format!("value={n}"));
        assert_eq!(queued.expect("an answer").status, 201);
        let dated = cluster.client.put(&format!("{url}/dated/{n}"), "value=late&ttl=80000");
        assert_eq!(dated.expect("an answer").status, 201);
    }
}

/// What a member lists, without what is counted down.
fn listing(cluster: &Cluster, member: usize) -> Value {
    let answer = cluster.get_local(member, "/?recursive=true&sorted=true");
    let mut nodes = answer.at("/node");
    forget_ttl(&mut nodes);
    nodes
}

fn forget_ttl(node: &mut Value) {
    let Some(fields) = node.as_object_mut() else { return };
    fields.remove("ttl");
    fields
        .get_mut("nodes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .for_each(forget_ttl);
}

/// Waits until these members list the same.
fn await_same(cluster: &Cluster, members: &[usize]) {
    wait_until("all of them list the same", || {
        let first = listing(cluster, members[0]);
        members[1..].iter().all(|member| listing(cluster, *member) == first)
    });
}

/// Adds a member of Quorate by the API, starts it, and waits until it takes part.
fn add(cluster: &mut Cluster, asked: usize, member: usize, members: &[usize]) {
    let body = format!("{{\"peerURLs\":[\"{}\"]}}", cluster.peer_url(member));
    let added = wait_for("the addition is answered", || {
        let url = cluster.url(asked, "/v2/members");
        cluster.client.post_json(&url, &body).ok().filter(|answer| answer.status != 500)
    });
    assert_eq!(added.status, 201, "{added:?}");
    let mut command = cluster.command(member);
    command.args(["-initial-cluster", &cluster.list_of(members)]);
    command.args(["-initial-cluster-state", "existing"]);
    cluster.start_as(member, command);
    cluster.await_member(member);
}

/// Removes a member by the API; its process ends by itself.
fn remove(cluster: &mut Cluster, asked: usize, member: usize) {
    let id = wait_for("the members are listed", || {
        let answer = cluster.client.get(&cluster.url(asked, "/v2/members")).ok()?;
        let listed = answer.at("/members").as_array()?.clone();
        let found = listed.into_iter().find(|other| other["name"] == json!(name(member)))?;
        found["id"].as_str().map(str::to_owned)
    });
    let url = cluster.url(asked, &format!("/v2/members/{id}"));
    wait_until("it is removed", || {
        let answer = cluster.client.delete(&url);
        answer.is_ok_and(|answer| [204, 410].contains(&answer.status))
    });
    cluster.process(member).wait();
    cluster.forget(member);
}

#[test]
fn a_member_joins_three_of_etcd_and_lists_the_same() {
    let Some(etcd) = etcd::server() else {
        left_out("joining a cluster of etcd", "etcd 3.4 is not installed");
        return;
    };
    let mut cluster = old(&etcd);
    fill(&cluster);
    add(&mut cluster, 0, 3, &[0, 1, 2, 3]);
    await_same(&cluster, &[0, 1, 2, 3]);
    let changed = cluster.put(3, "/through/quorate", "1");
    let events = [0, 1, 2, 3].map(|member| {
        let index = changed.at("/node/modifiedIndex").as_u64().expect("an index");
        let path = format!("/through?wait=true&recursive=true&waitIndex={index}");
        cluster.get_local(member, &path).body
    });
    assert_eq!(BTreeSet::from(events).len(), 1, "watchers see the same event everywhere");
}

#[test]
fn one_by_one_under_a_continuous_writer() {
    let Some(etcd) = etcd::server() else {
        left_out("moving over one by one", "etcd 3.4 is not installed");
        return;
    };
    let mut cluster = old(&etcd);
    fill(&cluster);
    let writer = Writer::start(&cluster.client_urls());
    let mut members: Vec<usize> = OLD.to_vec();
    for (old, new) in [(0, 3), (1, 4), (2, 5)] {
        members.push(new);
        add(&mut cluster, old, new, &members.clone());
        remove(&mut cluster, new, old);
        members.retain(|member| *member != old);
    }
    cluster.put(3, "/last", "1");
    let acknowledged = writer.stop();
    await_same(&cluster, &members);
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let listed = cluster.get_local(3, &format!("{ACKED}?recursive=true"));
    acknowledged.assert_kept(&listed);
}
