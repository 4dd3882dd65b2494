//! What a member tells of itself: statistics, metrics, and how much it logs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::cluster::Cluster;
use crate::support::etcd;
use crate::support::wait::wait_until;

/// The value of a metric, with its labels; 0 if it is absent.
fn metric(cluster: &Cluster, member: usize, name: &str) -> f64 {
    let text = cluster.client.get(&cluster.url(member, "/metrics")).expect("answered").ok().body;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().expect("a number"))
}

#[test]
fn the_leader_counts_its_followers() {
    let cluster = Cluster::started(3);
    let leader = cluster.leader();
    for number in 0..10 {
        cluster.put(leader, "/counted", &number.to_string());
    }
    for member in 0..3 {
        let stats = |what: &str| {
            let url = cluster.url(member, &format!("/v2/stats/{what}"));
            cluster.client.get(&url).expect("answered")
        };
        let own = stats("self").ok();
        let state = if member == leader { "StateLeader" } else { "StateFollower" };
        assert_eq!(own.at("/state"), state);
        assert_eq!(own.at("/name"), format!("infra{member}"));
        let sent = own.at("/sendAppendRequestCnt").as_u64().expect("a number");
        let received = own.at("/recvAppendRequestCnt").as_u64().expect("a number");
        let followers = stats("leader");
        if member == leader {
            assert!(sent >= 10, "{own:?}");
            let followers = followers.ok().at("/followers");
            let followers = followers.as_object().expect("an object");
            assert_eq!(followers.len(), 2, "{followers:?}");
            for follower in followers.values() {
                assert!(follower["counts"]["success"].as_u64() > Some(0), "{follower}");
                assert!(follower["latency"]["average"].as_f64() > Some(0.0), "{follower}");
            }
        } else {
            assert!(received >= 5, "{own:?}");
            assert_eq!(followers.status, 403);
        }
        let store = stats("store").ok();
        wait_until("the writes are applied and counted", || {
            stats("store").at("/setsSuccess").as_u64() >= Some(10)
        });
        assert_eq!(store.at("/watchers"), 0);
    }
}

#[test]
fn metrics_say_what_dashboards_ask_for() {
    let cluster = Cluster::started(3);
    let leader = cluster.leader();
    let _watch = cluster.client.watch(&cluster.url(leader, "/v2/keys/m?wait=true"));
    for number in 0..10 {
        cluster.put(leader, "/metered", &number.to_string());
    }
    cluster.client.get(&cluster.url(leader, "/v2/keys/absent")).expect("answered");
    let leads = |member| metric(&cluster, member, "etcd_server_is_leader");
    assert_eq!((0..3).map(leads).sum::<f64>(), 1.0);
    for (name, least) in [
        ("etcd_server_has_leader", 1.0),
        ("etcd_server_proposals_committed_total", 10.0),
        ("etcd_server_proposals_applied_total", 10.0),
        ("etcd_disk_wal_fsync_duration_seconds_count", 5.0),
        ("etcd_debugging_store_writes_total{action=\"set\"}", 10.0),
        ("etcd_debugging_store_watchers", 1.0),
        ("etcd_debugging_store_watch_requests_total", 1.0),
        ("etcd_http_received_total{method=\"PUT\"}", 10.0),
        ("etcd_http_failed_total{code=\"404\",method=\"GET\"}", 1.0),
        ("etcd_server_version{server_version=\"3.4.23\"}", 1.0),
        ("process_open_fds", 5.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_start_time_seconds", 1e9),
    ] {
        let value = metric(&cluster, leader, name);
        assert!(value >= least, "{name} is {value}");
    }
    let members = cluster.client.get(&cluster.url(leader, "/v2/members")).expect("answered");
    let members = members.at("/members");
    for member in members.as_array().expect("a list") {
        let (id, name) = (member["id"].as_str().expect("an ID"), &member["name"]);
        if *name == format!("infra{leader}") {
            continue;
        }
        for metric_name in [
            format!("etcd_network_peer_sent_bytes_total{{To=\"{id}\"}}"),
            format!("etcd_network_peer_received_bytes_total{{From=\"{id}\"}}"),
            format!("etcd_network_peer_round_trip_time_seconds_count{{To=\"{id}\"}}"),
        ] {
            wait_until(&metric_name, || metric(&cluster, leader, &metric_name) > 0.0);
        }
    }
}

/// Beginnings of names of etcd that there is nothing behind here; `docs/compatibility.md` has them.
const ABSENT: &[&str] = &[
    // Go's runtime, and its library for Prometheus.
    "go_",
    "promhttp_",
    "etcd_server_go_version",
    // The v3 API and its database.
    "grpc_",
    "etcd_grpc_",
    "etcd_mvcc_",
    "etcd_debugging_mvcc_",
    "etcd_debugging_lease_",
    "etcd_debugging_auth_",
    "etcd_debugging_server_lease_",
    "etcd_debugging_disk_backend_",
    "etcd_disk_backend_",
    "etcd_disk_defrag_",
    "etcd_snap_db_",
    "etcd_server_quota_backend_bytes",
    "etcd_server_read_indexes_",
    "etcd_server_slow_read_indexes_",
    "etcd_network_client_grpc_",
    // Steps of its own.
    "etcd_debugging_snap_save_",
    "etcd_server_slow_apply_",
    "etcd_server_heartbeat_send_failures_",
    "etcd_server_snapshot_apply_in_progress_",
    "etcd_server_learner_promote_",
];

/// The metrics of a single member, with their types.
fn metrics(server: Option<&Path>) -> BTreeMap<String, String> {
    let mut cluster = Cluster::new(1);
    match server {
        Some(server) => {
            let mut command = cluster.command_of(server, 0);
            command.args(["-enable-v2", "-initial-cluster", &cluster.list()]);
            cluster.start_as(0, command);
        }
        None => cluster.start(0),
    }
    cluster.await_ready();
    cluster.put(0, "/metered", "1");
    for path in ["/v2/keys/absent", "/health", "/metrics"] {
        cluster.client.get(&cluster.url(0, path)).expect("answered");
    }
    let text = cluster.client.get(&cluster.url(0, "/metrics")).expect("answered").ok().body;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// A dashboard that was made for etcd finds what it asks for.
#[test]
fn metrics_of_etcd_are_here_or_have_nothing_to_measure() {
    let Some(server) = etcd::server_for("metrics beside etcd's") else { return };
    let (theirs, ours) = (metrics(Some(&server)), metrics(None));
    assert!(theirs.len() > 50, "{theirs:?}");
    for (name, kind) in &theirs {
        let absent = ABSENT.iter().any(|beginning| name.starts_with(beginning));
        assert_eq!(ours.get(name), (!absent).then_some(kind), "{name}");
    }
    for beginning in ABSENT {
        assert!(theirs.keys().any(|name| name.starts_with(beginning)), "{beginning} is not etcd's");
    }
}

#[test]
fn how_much_is_logged_can_be_changed() {
    let mut cluster = Cluster::started(1);
    let set = |cluster: &Cluster, level: &str| {
        let (url, body) =
            (cluster.url(0, "/config/local/log"), format!("{{\"Level\":\"{level}\"}}"));
        let answer = cluster.client.request("PUT", &url, &BTreeMap::new(), Some(&body));
        assert_eq!(answer.expect("answered").status, 204);
    };
    let traces = |cluster: &mut Cluster| cluster.process(0).log().matches("TRACE").count();
    assert_eq!(traces(&mut cluster), 0);
    set(&cluster, "TRACE");
    cluster.put(0, "/logged", "1");
    wait_until("it traces", || traces(&mut cluster) > 0);
    set(&cluster, "INFO");
    let before = traces(&mut cluster);
    cluster.put(0, "/logged", "2");
    assert_eq!(traces(&mut cluster), before);
}
