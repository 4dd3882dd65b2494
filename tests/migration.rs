//! From three members of etcd to three of Quorate, one by one, while clients write.
//!
//! `QUORATE_MIGRATION_KEYS` says how many keys there are before. The longest time in which nothing
//! could be written is printed for each kind of step; `QUORATE_MIGRATION_GAPS=1` holds it to three
//! election timeouts after a SIGKILL and one otherwise.

use std::path::Path;
use std::process::Command;

use crate::support::chance::number;
use crate::support::client::Watch;
use crate::support::cluster::{Cluster, isolate, name};
use crate::support::etcd;
use crate::support::pulse::{Cause, Gaps, Pulse};
use crate::support::wait::{wait_for, wait_until};
use crate::support::writer::{ACKED, Writer};
use serde_json::{Value, json};

/// The members that are etcd's at the beginning; those that take their places are the three behind.
const OLD: [usize; 3] = [0, 1, 2];

fn old(etcd: &Path) -> Cluster {
    let mut cluster = Cluster::new(6).listing(&OLD).with_etcd(etcd, &OLD);
    OLD.iter().for_each(|member| cluster.start(*member));
    cluster.await_ready();
    cluster
}

/// Keys of every kind, with their times and their order.
fn fill(cluster: &Cluster) {
    for key in 0..number("QUORATE_MIGRATION_KEYS").unwrap_or(200) {
        let member = usize::try_from(key % 3).expect("a small number");
        cluster.put(member, &format!("/dir{}/key{key}", key % 7), "value");
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

/// The ID of a member, as text.
fn id_of(cluster: &Cluster, asked: usize, member: usize) -> String {
    wait_for("the members are listed", || {
        let answer = cluster.client.get(&cluster.url(asked, "/v2/members")).ok()?;
        let listed = answer.at("/members").as_array()?.clone();
        let found = listed.into_iter().find(|other| other["name"] == json!(name(member)))?;
        found["id"].as_str().map(str::to_owned)
    })
}

/// Removes a member by the API; its process ends by itself, if it runs.
fn remove(cluster: &mut Cluster, asked: usize, member: usize) {
    let id = id_of(cluster, asked, member);
    let url = cluster.url(asked, &format!("/v2/members/{id}"));
    wait_until("it is removed", || {
        let answer = cluster.client.delete(&url);
        answer.is_ok_and(|answer| [204, 410].contains(&answer.status))
    });
    if cluster.runs(member) {
        cluster.process(member).wait();
        cluster.forget(member);
    }
}

/// Has a member of etcd 3.4 hand leadership over before it is removed, as it does not by itself.
fn move_leader(cluster: &Cluster, from: usize, to: usize) {
    let Some(etcdctl) = etcd::client() else { return };
    let mut command = Command::new(etcdctl);
    isolate(&mut command);
    command.env("ETCDCTL_API", "3").args(["--endpoints", &cluster.url(from, "")]);
    command.args(["move-leader", &id_of(cluster, from, to)]);
    let output = command.output().expect("etcdctl can be started");
    assert!(output.status.success(), "{output:?}");
    wait_until("the new member leads", || cluster.leader() == to);
}

/// Events of a member as its watchers see them, without what is counted down.
fn next_event(watch: &mut Watch) -> Value {
    let mut event = watch.next_event().expect("an event");
    for node in ["node", "prevNode"] {
        if let Some(fields) = event.get_mut(node).and_then(Value::as_object_mut) {
            fields.remove("ttl");
        }
    }
    // Among members of 2.3 a directory that expires is not called one.
    if event["action"] == "expire" {
        event["node"].as_object_mut().expect("a node").remove("dir");
    }
    event
}

/// Changes of every kind, each through another member; says how many events they make.
fn change_everything(cluster: &Cluster, members: &[usize]) -> usize {
    let mut turn = members.iter().cycle();
    let mut ask = |method: &str, path: &str, form: &str| {
        let url = cluster.url(*turn.next().expect("a cycle"), &format!("/v2/keys/watched{path}"));
        let answer = match method {
            "PUT" => cluster.client.put(&url, form),
            "POST" => cluster.client.post(&url, form),
            _ => cluster.client.delete(&url),
        };
        let answer = answer.expect("an answer");
        assert!(answer.status < 300, "{method} {path} {form}: {answer:?}");
    };
    let changes = [
        ("PUT", "/a", "value=1"),
        ("PUT", "/a", "value=2&prevValue=1"),
        ("PUT", "/a", "value=3&prevExist=true"),
        ("PUT", "/deep/down", "value=1"),
        ("POST", "/queue", "value=1"),
        ("POST", "/queue", "value=2"),
        ("PUT", "/dir", "dir=true"),
        ("PUT", "/dir/dated", "value=1&ttl=1"),
        ("PUT", "/brief", "dir=true&ttl=1"),
        ("PUT", "/brief/below", "value=1"),
        ("DELETE", "/a?prevValue=3", ""),
        ("DELETE", "/deep?recursive=true", ""),
    ];
    changes.iter().for_each(|(method, path, form)| ask(method, path, form));
    // Two of them expire.
    changes.len() + 2
}

fn joins_and_lists_the_same(etcd: &Path) {
    let mut cluster = old(etcd);
    fill(&cluster);
    let members = [0, 1, 2, 3];
    add(&mut cluster, 0, 3, &members);
    await_same(&cluster, &members);
    let path = "/v2/keys/watched?wait=true&recursive=true&stream=true";
    let mut watches =
        members.map(|member| cluster.client.watch(&cluster.url(member, path)).expect("a watch"));
    let count = change_everything(&cluster, &members);
    for _ in 0..count {
        let events = watches.each_mut().map(next_event);
        assert!(events.iter().all(|event| *event == events[0]), "{events:#?}");
    }
    // And whoever comes later finds them in the history of each.
    let index = cluster.put(3, "/watched/last", "1").at("/node/modifiedIndex");
    for member in members {
        let path = format!("/watched?wait=true&recursive=true&waitIndex={index}");
        assert_eq!(cluster.get_local(member, &path).at("/node/key"), "/watched/last");
    }
    await_same(&cluster, &members);
}

#[test]
fn a_member_joins_three_of_etcd_and_lists_the_same() {
    let Some(etcd) = etcd::server_for("joining a cluster of etcd") else { return };
    joins_and_lists_the_same(&etcd);
}

#[test]
fn a_member_joins_three_of_2_3_and_lists_the_same() {
    let Some(etcd) = etcd::old_server_for("joining a cluster of etcd") else { return };
    joins_and_lists_the_same(&etcd);
}

/// How the members of etcd go.
#[derive(Clone, Copy, PartialEq)]
enum Going {
    /// They are removed, after leadership was moved away.
    Planned,
    /// They are removed, and the others find out if it was the leader.
    Unprepared,
    /// They are killed first.
    Killed,
}

fn one_by_one(etcd: &Path, going: Going) {
    let mut cluster = old(etcd);
    fill(&cluster);
    let writer = Writer::start(&cluster.client_urls());
    let pulse = Pulse::start(cluster.client_urls());
    let mut gaps = Gaps::default();
    let mut members: Vec<usize> = OLD.to_vec();
    pulse.take();
    for (old, new) in [(0, 3), (1, 4), (2, 5)] {
        members.push(new);
        add(&mut cluster, old, new, &members.clone());
        gaps.note(Cause::Planned, "addition", pulse.take());
        match going {
            Going::Planned if cluster.leader() == old => {
                move_leader(&cluster, old, new);
                gaps.note(Cause::Planned, "hand-over", pulse.take());
            }
            Going::Killed => {
                cluster.kill(old);
                cluster.put(new, "/killed", "one");
                gaps.note(Cause::Sigkill, "SIGKILL", pulse.take());
            }
            Going::Planned | Going::Unprepared => {}
        }
        remove(&mut cluster, new, old);
        cluster.put(new, "/removed", "one");
        let unprepared = going == Going::Unprepared;
        let cause = if unprepared { Cause::Unprepared } else { Cause::Planned };
        gaps.note(cause, "removal", pulse.take());
        members.retain(|member| *member != old);
    }
    cluster.put(3, "/last", "1");
    pulse.stop();
    let acknowledged = writer.stop();
    gaps.print();
    println!("{} writes were acknowledged", acknowledged.len());
    await_same(&cluster, &members);
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let listed = cluster.get_local(3, &format!("{ACKED}?recursive=true"));
    acknowledged.assert_kept(&listed);
    stands_alone(&mut cluster, &members);
    if number("QUORATE_MIGRATION_GAPS").is_some_and(|held| held > 0) {
        gaps.hold();
    }
}

/// What has become of the cluster is one of Quorate, whatever release it was of.
fn stands_alone(cluster: &mut Cluster, members: &[usize]) {
    wait_until("the cluster is of Quorate's version", || {
        members.iter().all(|member| {
            let answer = cluster.client.get(&cluster.url(*member, "/version"));
            answer.is_ok_and(|answer| {
                answer.body == r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#
            })
        })
    });
    let before = listing(cluster, members[0]);
    for member in members {
        assert_eq!(cluster.terminate(*member).code(), Some(0));
    }
    members.iter().for_each(|member| cluster.start(*member));
    cluster.await_ready();
    await_same(cluster, members);
    assert_eq!(listing(cluster, members[0]), before);
}

#[test]
fn one_by_one_under_a_continuous_writer() {
    let Some(etcd) = etcd::server_for("moving over one by one") else { return };
    one_by_one(&etcd, Going::Planned);
}

#[test]
fn one_by_one_after_each_was_killed() {
    let Some(etcd) = etcd::server_for("moving over killed members") else { return };
    one_by_one(&etcd, Going::Killed);
}

#[test]
fn one_by_one_from_2_3() {
    let Some(etcd) = etcd::old_server_for("moving over one by one") else { return };
    one_by_one(&etcd, Going::Unprepared);
}
