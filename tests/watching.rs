//! What watchers are told, and what readers are shown, by members that were away.

use std::thread;
use std::time::Duration;

use crate::support::client::{Answer, Client, NoAnswer, Watch};
use crate::support::cluster::Cluster;
use crate::support::lag::fill_log;
use crate::support::process::Signal;
use crate::support::wait::{wait_for, wait_until};
use serde_json::Value;

/// The member that is away.
const AWAY: usize = 2;

/// A cluster with a member that has stopped running, and that others will not reach by connections
/// that stood before: what is on its way in them would be delivered later.
fn pause(cluster: &mut Cluster) {
    cluster.process(AWAY).signal(Signal::STOP);
    for member in [0, 1] {
        cluster.kill(member);
    }
    for member in [0, 1] {
        cluster.start(member);
    }
    for member in [0, 1] {
        cluster.await_member(member);
    }
}

/// Lets the member run again, which has to end in a snapshot.
fn resume(cluster: &mut Cluster) {
    let installed =
        |cluster: &mut Cluster| cluster.process(AWAY).log().matches("installed a snapshot").count();
    let before = installed(cluster);
    cluster.process(AWAY).signal(Signal::CONT);
    wait_until("the snapshot is installed", || installed(cluster) > before);
}

fn watch(cluster: &Cluster, path: &str) -> Watch {
    let watch = cluster.client.watch(&cluster.url(AWAY, path)).expect("the head comes at once");
    assert_eq!(watch.head.status, 200);
    watch
}

/// What a watcher is told next.
fn told(watch: &mut Watch) -> Value {
    let line = watch.lines.next().expect("something").expect("the answer goes on");
    serde_json::from_str(&line).expect("it is JSON")
}

/// Reads through the log, which leave no event.
fn read(client: &Client, url: &str, _: usize, _: usize) -> Result<Answer, NoAnswer> {
    client.get(&format!("{url}/v2/keys/?quorum=true"))
}

fn write(client: &Client, url: &str, number: usize, round: usize) -> Result<Answer, NoAnswer> {
    client.put(&format!("{url}/v2/keys/many{number}"), &format!("value={round}"))
}

/// Real etcd has its watchers wait for ever for events that came with a snapshot.
#[test]
fn a_snapshot_leaves_no_watcher_in_silence() {
    let mut cluster = Cluster::new(3).with_flags(&["-snapshot-count", "100"]);
    cluster.start_all();
    cluster.await_ready();
    let last = cluster.put(0, "/told/first", "0").index();
    wait_until("the member has it", || cluster.get_local(AWAY, "/told/first").index() >= last);
    let mut stream = watch(&cluster, "/v2/keys/told?wait=true&recursive=true&stream=true");
    let mut poll = watch(&cluster, "/v2/keys/told/b?wait=true");
    let future = last + 5_800;
    let mut late =
        watch(&cluster, &format!("/v2/keys/told?wait=true&recursive=true&waitIndex={future}"));
    pause(&mut cluster);
    fill_log(&cluster, [0, 1], read);
    for key in ["a", "b", "c"] {
        cluster.put(0, &format!("/told/{key}"), "1");
    }
    resume(&mut cluster);
    for key in ["/told/a", "/told/b", "/told/c"] {
        assert_eq!(told(&mut stream)["node"]["key"], key);
    }
    assert_eq!(told(&mut poll)["node"]["key"], "/told/b");
    assert!(poll.lines.next().is_none(), "a poll ends with its event");

    // Far more events than are kept.
    pause(&mut cluster);
    fill_log(&cluster, [0, 1], write);
    resume(&mut cluster);
    let error = told(&mut stream);
    assert_eq!(error["errorCode"], 401, "{error}");
    assert!(stream.lines.next().is_none(), "nothing follows what was missed");

    // Who waits for what is yet to come has missed nothing.
    let late = thread::spawn(move || told(&mut late));
    wait_until("it comes", || {
        cluster.put(0, "/told/late", "1");
        late.is_finished()
    });
    let event = late.join().expect("it was told");
    assert_eq!(event["node"]["key"], "/told/late");
    assert!(event["node"]["modifiedIndex"].as_u64() >= Some(future), "{event}");
}

/// A member that is started again does not know what was committed without it. Before it does, it
/// answers no reads, not even of what it had shown before.
#[test]
fn a_restart_shows_nothing_older_than_before() {
    let mut cluster = Cluster::started(3);
    let shown = cluster.put(AWAY, "/shown", "1").index();
    assert_eq!(cluster.get_local(AWAY, "/shown").index(), shown);
    cluster.kill_all();
    cluster.start(AWAY);
    let hasty = Client::with_patience(Duration::from_millis(200));
    let url = cluster.url(AWAY, "/v2/keys/shown");
    // As many questions as it takes until it takes connections, and some more.
    let mut asked = 0;
    wait_until("it is asked without a quorum", || {
        let listens = cluster.client.get(&cluster.url(AWAY, "/nothing")).is_ok();
        asked += usize::from(listens);
        assert!(hasty.get(&url).map_or(true, |answer| answer.status >= 500), "it is alone");
        asked > 5
    });
    cluster.start(0);
    let answer =
        wait_for("it answers", || hasty.get(&url).ok().filter(|answer| answer.status < 500));
    assert_eq!((answer.status, answer.at("/node/value")), (200, "1".into()));
    assert!(answer.index() >= shown, "{answer:?}");
}
