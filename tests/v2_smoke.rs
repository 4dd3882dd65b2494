//! The v2 API through the whole HTTP stack, and the cluster that one command starts.

use std::process::Command;
use std::thread;

use crate::support::client::{Client, value};
use crate::support::cluster::{Cluster, isolate};
use crate::support::process::{Process, Signal};
use crate::support::wait::{wait_for, wait_until};
use crate::support::{QUORATE, address, left_out};
use serde_json::json;

#[test]
fn every_verb_of_keys() {
    let cluster = Cluster::started(1);
    let (http, at) = (&cluster.client, |path: &str| cluster.url(0, path));
    let created = http.put(&at("/v2/keys/dir/a"), "value=one").expect("answered");
    assert_eq!((created.status, created.at("/action")), (201, json!("set")));
    assert_eq!(created.header("Content-Type"), Some("application/json"));
    for header in ["X-Etcd-Index", "X-Raft-Index", "X-Raft-Term", "X-Etcd-Cluster-ID"] {
        assert!(created.header(header).is_some(), "{header} in {created:?}");
    }
    assert_eq!(json!(created.index()), created.at("/node/modifiedIndex"));

    let set = http.put(&at("/v2/keys/dir/a"), "value=a%20b%26c").expect("answered");
    assert_eq!((set.status, set.at("/prevNode/value")), (200, json!("one")));
    let read = http.get(&at("/v2/keys/dir/a")).expect("answered");
    assert_eq!((read.status, read.at("/node/value")), (200, json!("a b&c")));
    let head = http.head(&at("/v2/keys/dir/a")).expect("answered");
    assert_eq!((head.status, head.body.as_str(), head.index()), (200, "", read.index()));

    let index = set.at("/node/modifiedIndex");
    for (form, status, code) in [
        ("value=x&prevExist=false", 412, json!(105)),
        ("value=x&prevValue=wrong", 412, json!(101)),
        ("value=x&prevIndex=1", 412, json!(101)),
        ("value=x&ttl=soon", 400, json!(202)),
    ] {
        let refused = http.put(&at("/v2/keys/dir/a"), form).expect("answered");
        assert_eq!((refused.status, refused.at("/errorCode")), (status, code), "{form}");
    }
    let swap = format!("value=two&prevIndex={index}");
    let swapped = http.put(&at("/v2/keys/dir/a"), &swap).expect("answered");
    assert_eq!((swapped.status, swapped.at("/action")), (200, json!("compareAndSwap")));
    assert_eq!(swapped.at("/node/createdIndex"), index);

    let full = http.delete(&at("/v2/keys/dir?dir=true")).expect("answered");
    assert_eq!((full.status, full.at("/errorCode")), (403, json!(108)));
    let deleted = http.delete(&at("/v2/keys/dir?recursive=true")).expect("answered");
    assert_eq!((deleted.status, deleted.at("/action")), (200, json!("delete")));
    let gone = http.get(&at("/v2/keys/dir/a")).expect("answered");
    assert_eq!(
        (gone.status, gone.at("/errorCode"), gone.at("/cause")),
        (404, json!(100), json!("/dir"))
    );
}

#[test]
fn posted_keys_are_in_order() {
    let cluster = Cluster::started(1);
    let url = cluster.url(0, "/v2/keys/queue");
    let mut keys = Vec::new();
    for number in 0..5 {
        let posted = cluster.client.post(&url, &format!("value=job{number}")).expect("answered");
        assert_eq!((posted.status, posted.at("/action")), (201, json!("create")));
        let index = posted.at("/node/createdIndex").as_u64().expect("an index");
        assert_eq!(posted.at("/node/key"), format!("/queue/{index:020}"));
        keys.push(posted.at("/node/key"));
    }
    let listed = cluster.client.get(&format!("{url}?sorted=true")).expect("answered").ok();
    let nodes = listed.at("/node/nodes");
    let nodes = nodes.as_array().expect("a directory");
    assert_eq!(nodes.iter().map(|node| node["key"].clone()).collect::<Vec<_>>(), keys);
    assert_eq!(nodes[3]["value"], "job3");
}

#[test]
fn keys_expire_and_say_so() {
    let cluster = Cluster::started(3);
    let url = cluster.url(0, "/v2/keys/short");
    let mut watch = cluster.client.watch(&cluster.url(1, "/v2/keys/short?wait=true&stream=true"));
    let watch = watch.as_mut().expect("the watch begins");
    let set = cluster.client.put(&url, "value=1&ttl=1").expect("answered").ok();
    assert_eq!(set.at("/node/ttl"), 1);
    assert!(set.at("/node/expiration").is_string());
    let first = watch.next_event().expect("the write is seen");
    assert_eq!((&first["action"], value(&first)), (&json!("set"), Some("1")));
    let second = watch.next_event().expect("the end is seen");
    assert_eq!(second["action"], "expire");
    assert_eq!(second["prevNode"]["value"], "1");
    for member in 0..3 {
        wait_until("the key is gone at every member", || {
            cluster.get_local(member, "/short").status == 404
        });
    }
}

/// A watch has its headers before anything happens, and ends with the first event.
#[test]
fn a_long_poll_waits_for_one_event() {
    let cluster = Cluster::started(3);
    let before = cluster.put(0, "/watched/a", "1").index();
    wait_until("member 2 has it", || cluster.get_local(2, "/watched/a").status == 200);
    let url = cluster.url(2, "/v2/keys/watched?wait=true&recursive=true");
    let mut watch = cluster.client.watch(&url).expect("the headers come at once");
    assert_eq!(watch.head.status, 200);
    assert!(watch.head.index() >= before);
    let written = cluster.put(1, "/watched/b", "2");
    let event = watch.next_event().expect("an event");
    assert_eq!(event["node"], written.at("/node"));
    assert_eq!(watch.next_event(), None, "one event is all");
    // What has happened since an index is known too.
    let url = cluster.url(2, &format!("/v2/keys/watched/a?wait=true&waitIndex={before}"));
    let mut past = cluster.client.watch(&url).expect("the headers come at once");
    assert_eq!(value(&past.next_event().expect("an event")), Some("1"));
    assert_eq!(past.next_event(), None);
}

#[test]
fn a_stream_gives_every_event_in_order() {
    const EVENTS: usize = 50;
    let cluster = Cluster::started(3);
    let url = cluster.url(1, "/v2/keys/stream?wait=true&recursive=true&stream=true");
    let mut watch = cluster.client.watch(&url).expect("the headers come at once");
    let reader = thread::spawn(move || {
        let mut next = || watch.next_event().expect("the stream goes on");
        (0..EVENTS).map(|_| next()).collect::<Vec<_>>()
    });
    for number in 0..EVENTS {
        cluster.put(number % 3, &format!("/stream/{}", number % 7), &number.to_string());
    }
    let events = reader.join().expect("the stream was read");
    let values: Vec<_> = events.iter().map(|event| value(event).unwrap_or("").to_owned()).collect();
    assert_eq!(values, (0..EVENTS).map(|number| number.to_string()).collect::<Vec<_>>());
    let indexes: Vec<_> = events.iter().map(|e| e["node"]["modifiedIndex"].as_u64()).collect();
    assert!(indexes.is_sorted());
}

#[test]
fn the_rest_of_the_front_door() {
    let cluster = Cluster::started(1);
    let get = |path: &str| cluster.client.get(&cluster.url(0, path)).expect("answered");
    let decided = r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#;
    wait_until("the cluster version is decided", || get("/version").body == decided);
    let health = get("/health");
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"health":"true"}"#));
    let machines = get("/v2/machines");
    assert_eq!(machines.body, cluster.url(0, ""));
    let leader = get("/v2/members/leader");
    assert_eq!(leader.at("/name"), "infra0");
    assert_eq!(leader.at("/clientURLs"), json!([cluster.url(0, "")]));
    let unknown = get("/nothing");
    assert_eq!((unknown.status, unknown.body.as_str()), (404, "404 page not found\n"));
}

/// Where `quorate dev` listens: always the same, so that examples can be copied.
const DEV: [[&str; 2]; 3] = [
    ["127.0.0.1:2379", "127.0.0.1:2380"],
    ["127.0.0.1:22379", "127.0.0.1:22380"],
    ["127.0.0.1:32379", "127.0.0.1:32380"],
];

#[test]
fn dev_is_a_whole_cluster() {
    let _fixed = match address::Fixed::claim(DEV.as_flattened()) {
        Ok(fixed) => fixed,
        Err(why) => return left_out("dev_is_a_whole_cluster", why),
    };
    let dir = tempfile::tempdir().expect("a directory for the test");
    let data = dir.path().join("data");
    let start = || {
        let mut command = Command::new(QUORATE);
        command.args(["dev", "-dir"]).arg(&data);
        isolate(&mut command);
        Process::start(command, &dir.path().join("output"))
    };
    let mut dev = start();
    let client = Client::new();
    for [endpoint, _] in DEV {
        let url = format!("http://{endpoint}/v2/keys/?quorum=true");
        wait_for("the member answers", || {
            assert!(dev.runs(), "{}", dev.log());
            client.get(&url).ok().filter(|answer| answer.status == 200)
        });
        assert!(dev.log().contains(&format!("http://{endpoint}")), "{}", dev.log());
    }
    let printed = dev.log();
    let curl = printed.lines().find(|line| line.contains("curl ") && line.contains("-XPUT"));
    let words: Vec<&str> = curl.expect("a first command is shown").split_whitespace().collect();
    assert_eq!((words[0], words[2], words[3]), ("curl", "-XPUT", "-d"), "{curl:?}");
    client.put(words[1], words[4]).expect("the shown command works").ok();
    let path = words[1].split_once("/v2").expect("it is about a key").1;
    let url = format!("http://{}/v2{path}?quorum=true", DEV[2][0]);
    let read = |url: &str| client.get(url).expect("answered").ok().at("/node/value");
    assert_eq!(format!("value={}", read(&url).as_str().unwrap_or("")), words[4]);
    let members = client.get(&format!("http://{}/v2/members", DEV[1][0])).expect("answered");
    assert_eq!(members.at("/members").as_array().map(Vec::len), Some(3));

    dev.signal(Signal::INT);
    assert_eq!(dev.wait().code(), Some(0), "one Ctrl-C stops it: {}", dev.log());
    let mut dev = start();
    wait_for("the key is there again", || {
        let answer = client.get(&url).ok().filter(|answer| answer.status == 200)?;
        (format!("value={}", answer.at("/node/value").as_str()?) == words[4]).then_some(())
    });
    dev.signal(Signal::TERM);
    assert_eq!(dev.wait().code(), Some(0), "{}", dev.log());
}
