//! What only members of Quorate write into the log does no harm to etcd, should it ever come upon
//! it: in a log that it replays, or from a leader.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::etcd;
use crate::support::raftpb::{proposal, request};
use crate::support::wait::{wait_for, wait_until};

/// Any member other than the one that is asked.
const SENDER: u64 = 0x1234;

/// A member of etcd that makes a snapshot every few entries.
fn started(etcd: &Path) -> Cluster {
    let mut cluster = Cluster::new(1).with_flags(&["-snapshot-count", "20"]).with_etcd(etcd, &[0]);
    cluster.start_all();
    cluster.await_ready();
    cluster
}

/// Has the member write a request with the method of Quorate into its log.
fn write_unknown(cluster: &Cluster, version: [&str; 2]) {
    let members = cluster.client.get(&format!("{}/members", cluster.peer_url(0))).expect("members");
    let id = members.at("/0/id").as_u64().expect("an ID");
    let nonce = "0123456789abcdef0123456789abcdef";
    let message = proposal(SENDER, id, &request(77, "QUORATE", "nonce", nonce));
    let headers = [
        ("Content-Type", "application/protobuf"),
        ("X-Etcd-Cluster-ID", members.header("X-Etcd-Cluster-ID").expect("a cluster ID")),
        ("X-Server-From", "1234"),
        ("X-Server-Version", version[0]),
        ("X-Min-Cluster-Version", version[1]),
    ];
    let headers: BTreeMap<_, _> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let before = raft_index(cluster);
    let url = format!("{}/raft", cluster.peer_url(0));
    let answer = Client::new().post_bytes(&url, &headers, &message).expect("an answer");
    assert_eq!(answer.status, 204, "{answer:?}");
    // 2.3 writes into its log by itself: what matters is that this is behind it.
    wait_until("it is in the log", || raft_index(cluster) > before);
}

fn raft_index(cluster: &Cluster) -> u64 {
    let answer = cluster.get_local(0, "/");
    let index = answer.header("X-Raft-Index").and_then(|index| index.parse().ok());
    index.expect("an X-Raft-Index")
}

fn survives(etcd: &Path, version: [&str; 2]) {
    let mut cluster = started(etcd);
    let first = cluster.put(0, "/first", "1").at("/node/createdIndex").as_u64();
    let mut next = first.expect("an index");
    for _ in 0..3 {
        write_unknown(&cluster, version);
        next += 1;
        let created = cluster.put(0, &format!("/key{next}"), "1").at("/node/createdIndex");
        assert_eq!(created, next, "it took no index of the store");
    }
    // It is replayed, and lies under a snapshot afterwards.
    for _ in 0..2 {
        let before = cluster.get_quorum(0, "/?recursive=true&sorted=true").body;
        cluster.kill(0);
        cluster.start(0);
        cluster.await_ready();
        assert_eq!(cluster.get_quorum(0, "/?recursive=true&sorted=true").body, before);
        for _ in 0..30 {
            next += 1;
            let created = cluster.put(0, &format!("/key{next}"), "1").at("/node/createdIndex");
            // The name that a member publishes at its start counts too.
            let created = created.as_u64().expect("an index");
            assert!((next..=next + 1).contains(&created), "{created} {next}");
            next = created;
        }
    }
    let snapshots = wait_for("there is a snapshot", || {
        let dir = std::fs::read_dir(cluster.data_dir(0).join("member/snap")).ok()?;
        let names = dir.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let found = names.filter(|name| name.ends_with(".snap")).count();
        (found > 0).then_some(found)
    });
    assert!(snapshots > 0);
    assert!(cluster.process(0).runs());
}

#[test]
fn an_unknown_method_does_no_harm_to_3_4() {
    let Some(etcd) = etcd::server_for("what Quorate writes in a log of etcd") else { return };
    survives(&etcd, ["3.4.23", "3.0.0"]);
}

#[test]
fn an_unknown_method_does_no_harm_to_2_3() {
    let Some(etcd) = etcd::old_server_for("what Quorate writes in a log of etcd") else { return };
    survives(&etcd, ["2.3.8", "2.2.0"]);
}
