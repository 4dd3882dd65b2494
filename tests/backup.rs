//! Backups of clusters that run, and new clusters made of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::support::QUORATE;
use crate::support::cluster::{Cluster, isolate, name};
use crate::support::cut_off::kill_in_the_middle;
use crate::support::refusal::{assert_refused, is_absent};
use crate::support::wait::wait_until;

/// `quorate backup` from these members.
pub(crate) fn backup(endpoints: &str, to: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(QUORATE);
    command.args(["backup", "-endpoints", endpoints, "-to"]).arg(to).args(more);
    isolate(&mut command);
    command.output().expect("the program can be started")
}

fn taken(cluster: &Cluster, member: usize, to: &Path) -> String {
    let output = backup(&cluster.url(member, ""), to, &[]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("words")
}

/// `quorate restore` of a member of the cluster, with the list that it is started with, into the
/// directory on which it is started.
fn restore_command(cluster: &Cluster, member: usize, from: &Path) -> Command {
    let mut command = Command::new(QUORATE);
    command
        .args(["restore", "-from"])
        .arg(from)
        .args(["-name", &name(member), "-data-dir"])
        .arg(cluster.data_dir(member))
        .args(["-initial-advertise-peer-urls", &cluster.peer_url(member)])
        .args(["-initial-cluster", &cluster.list()]);
    isolate(&mut command);
    command
}

pub(crate) fn restored(cluster: &Cluster, member: usize, from: &Path) -> String {
    let output = restore_command(cluster, member, from).output().expect("it can be started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("words")
}

/// A cluster of one member with some keys, and a backup of it.
fn a_backup() -> (Cluster, PathBuf) {
    let cluster = Cluster::started(1);
    for key in 0..20 {
        cluster.put(0, &format!("/key{key}"), &"value".repeat(1000));
    }
    let file = cluster.dir().join("backup");
    taken(&cluster, 0, &file);
    (cluster, file)
}

/// The nodes of a tree, without what is counted down.
fn tree(cluster: &Cluster, member: usize) -> Value {
    let mut answer = cluster.get_local(member, "/?recursive=true&sorted=true").at("/node/nodes");
    for node in answer.as_array_mut().into_iter().flatten() {
        node.as_object_mut().map(|node| node.remove("ttl"));
    }
    answer
}

/// Writes numbers one after the other, at one member after the other, while `during` runs. Gives
/// the index of each that was acknowledged.
fn while_writing(cluster: &Cluster, during: impl FnOnce(&AtomicUsize)) -> Vec<u64> {
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (client, stopped, counted) = (cluster.client.clone(), stop.clone(), written.clone());
    let urls: Vec<String> = cluster.client_urls();
    let writer = thread::spawn(move || {
        let mut indexes = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let number = indexes.len();
            let url = format!("{}/v2/keys/written/{number:06}", urls[number % urls.len()]);
            let answer = client.put(&url, &format!("value={number}")).expect("answered");
            indexes.push(answer.ok().at("/node/modifiedIndex").as_u64().expect("an index"));
            counted.store(indexes.len(), Ordering::Relaxed);
        }
        indexes
    });
    during(&written);
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("every write was acknowledged")
}

#[test]
fn a_backup_under_a_writer_becomes_a_cluster_with_the_same_keys_and_indexes() {
    let old = Cluster::started(3);
    let expires = old.client.put(&old.url(0, "/v2/keys/expires"), "value=late&ttl=80000");
    let expires = expires.expect("answered").ok().at("/node/expiration");
    let file = old.dir().join("backup");
    let mut before = 0;
    let mut said = String::new();
    let indexes = while_writing(&old, |written| {
        wait_until("some is written", || written.load(Ordering::Relaxed) >= 100);
        before = written.load(Ordering::Relaxed);
        said = taken(&old, 1, &file);
        let then = written.load(Ordering::Relaxed);
        wait_until("more is written", || written.load(Ordering::Relaxed) > then + 50);
    });
    let of_backup: u64 = said
        .split("X-Etcd-Index ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("no index in {said}"));
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");

    let mut new = Cluster::new(3);
    for member in 0..3 {
        restored(&new, member, &file);
    }
    new.start_all();
    new.await_ready();
    new.await_equal("/");
    let trees: Vec<Value> = (0..3).map(|member| tree(&new, member)).collect();
    assert!(trees.iter().all(|other| *other == trees[0]));
    // What is there is what was written up to one moment, without a gap.
    let listing = new.get_local(2, "/written?sorted=true").at("/node/nodes");
    let listing = listing.as_array().expect("a directory");
    for (number, node) in listing.iter().enumerate() {
        assert_eq!(node["value"], number.to_string());
        assert_eq!(node["modifiedIndex"].as_u64(), Some(indexes[number]));
    }
    let kept = indexes.iter().filter(|index| **index <= of_backup).count();
    assert_eq!(listing.len(), kept, "all up to the index of the backup, and nothing else");
    assert!(kept >= before, "all that was acknowledged when it was begun");
    assert_eq!(new.get_quorum(0, "/expires").at("/node/expiration"), expires);
    // Indexes go on, and watchers find what happened before.
    let next = new.put(1, "/next", "1").at("/node/createdIndex").as_u64();
    assert!(next > Some(of_backup), "{next:?} behind {of_backup}");
    let event =
        new.get_local(0, &format!("/written?wait=true&recursive=true&waitIndex={}", indexes[9]));
    assert_eq!(event.at("/node/modifiedIndex"), indexes[9]);
    // It is a cluster as every other: one is lost, and comes back.
    new.kill(0);
    new.put(1, "/without", "1");
    new.start(0);
    new.await_ready();
    assert_eq!(new.await_equal("/without").at("/node/value"), "1");
}

/// List, token and addresses are those of the old cluster: only the backup makes the difference.
#[test]
fn old_and_restored_members_do_not_mix() {
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "before");
    let file = cluster.dir().join("backup");
    taken(&cluster, 0, &file);
    cluster.put(0, "/kept", "after");
    let aside = |cluster: &Cluster, member: usize, to: &str| {
        let to = cluster.dir().join(format!("{to}{member}"));
        fs::rename(cluster.data_dir(member), to).expect("a directory is put aside");
    };
    let put_back = |cluster: &Cluster, member: usize, from: &str| {
        let from = cluster.dir().join(format!("{from}{member}"));
        fs::rename(from, cluster.data_dir(member)).expect("a directory is put back");
    };
    let is_refused = |cluster: &mut Cluster, member: usize| {
        wait_until("it is told that the clusters differ", || {
            cluster.process(member).log().contains("cluster ID")
        });
        let read = cluster.client.get(&cluster.url(member, "/v2/keys/kept")).expect("answered");
        assert_eq!(read.status, 500, "{read:?}");
    };

    // One that was restored, among the old ones.
    cluster.terminate(2);
    aside(&cluster, 2, "old");
    restored(&cluster, 2, &file);
    cluster.start(2);
    is_refused(&mut cluster, 2);
    // Both ends say both clusters, and why that may be; each says it once.
    let id = |log: &str| -> String {
        let rest = log.split(" in cluster ").nth(1).expect("it says its cluster");
        rest.split_whitespace().next().expect("an ID").to_owned()
    };
    let (own, other) = (id(&cluster.process(2).log()), id(&cluster.process(0).log()));
    assert_ne!(own, other);
    for (member, line) in [
        (0, format!("it is of cluster {own} at {}", cluster.peer_url(2))),
        (2, format!("it is of cluster {other} at {}", cluster.peer_url(0))),
        (0, format!("it is of cluster {own} with the members ")),
        (2, format!("it is of cluster {other} with the members ")),
    ] {
        wait_until("it is told who that is", || {
            cluster.process(member).log().lines().any(|said| {
                said.contains(&line) && said.contains("one of them was restored from a backup")
            })
        });
    }
    let refused = |cluster: &mut Cluster| {
        let log = cluster.process(0).log();
        log.lines().filter(|line| line.contains("refused peer")).count()
    };
    let before = refused(&mut cluster);
    let url = cluster.url(0, "/metrics");
    let counted = |cluster: &Cluster| {
        let text = cluster.client.get(&url).expect("answered").body;
        let name = "quorate_peer_requests_refused_total ";
        let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        value.parse::<f64>().expect("a number")
    };
    let then = counted(&cluster);
    wait_until("it tries again and again", || counted(&cluster) > then + 5.0);
    assert_eq!(refused(&mut cluster), before, "nothing is said twice");
    cluster.put(0, "/kept", "by the old ones");
    assert_eq!(cluster.get_quorum(1, "/kept").at("/node/value"), "by the old ones");

    // An old one, among those that were restored.
    for member in 0..3 {
        cluster.terminate(member);
    }
    for member in [0, 1] {
        aside(&cluster, member, "old");
        restored(&cluster, member, &file);
    }
    aside(&cluster, 2, "new");
    put_back(&cluster, 2, "old");
    cluster.start_all();
    cluster.await_member(0);
    cluster.await_member(1);
    is_refused(&mut cluster, 2);
    assert_eq!(cluster.get_quorum(0, "/kept").at("/node/value"), "before");
    cluster.put(1, "/kept", "by the new ones");

    // The one that belongs to them.
    cluster.terminate(2);
    aside(&cluster, 2, "old");
    put_back(&cluster, 2, "new");
    cluster.start(2);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/kept").at("/node/value"), "by the new ones");
}

#[test]
fn a_backup_replaces_no_file() {
    let (cluster, file) = a_backup();
    let before = fs::read(&file).expect("a file can be read");
    let url = cluster.url(0, "");
    assert_refused(&backup(&url, &file, &[]), "exists already");
    assert_eq!(fs::read(&file).expect("a file can be read"), before);
    let gone = cluster.dir().join("nowhere/backup");
    assert_refused(&backup(&url, &gone, &[]), "cannot write");
    // Nobody is there; then somebody is.
    let nobody = format!("http://{}:1", cluster.host());
    let other = cluster.dir().join("other");
    assert_refused(&backup(&nobody, &other, &[]), "no member gave a backup");
    assert!(is_absent(&other));
    let output = backup(&format!("{nobody},{url}"), &other, &[]);
    assert!(output.status.success() && other.exists(), "{output:?}");
    let left = fs::read_dir(cluster.dir()).expect("a directory can be listed");
    let left = left.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().starts_with(".quorate-backup")
    });
    assert_eq!(left.count(), 0, "nothing is left of those that failed");
    let syntax = Command::new(QUORATE).arg("backup").output().expect("the program can be started");
    assert_eq!(syntax.status.code(), Some(2));
}

/// What is there of a member that has no quorum any more can be saved, if that is asked for.
#[test]
fn without_a_quorum_a_member_gives_what_it_has() {
    let mut cluster = Cluster::started(2);
    cluster.put(0, "/kept", "yes");
    cluster.await_equal("/");
    cluster.kill(1);
    let file = cluster.dir().join("backup");
    let url = cluster.url(0, "");
    assert_refused(&backup(&url, &file, &[]), "no member gave a backup");
    assert!(is_absent(&file));
    let output = backup(&url, &file, &["-local"]);
    assert!(output.status.success(), "{output:?}");
    let mut new = Cluster::new(1);
    restored(&new, 0, &file);
    new.start_all();
    new.await_ready();
    assert_eq!(new.get_quorum(0, "/kept").at("/node/value"), "yes");
}

#[test]
fn what_cannot_be_restored_leaves_no_trace() {
    let (old, file) = a_backup();
    let new = Cluster::new(3);
    let sound = fs::read(&file).expect("a file can be read");
    let with = |file: &Path, more: &[&str]| {
        let mut command = restore_command(&new, 0, file);
        command.args(more).output().expect("the program can be started")
    };
    let check = |file: &Path| with(file, &["-check"]);
    let checked = check(&file);
    assert!(checked.status.success(), "{checked:?}");
    assert!(String::from_utf8_lossy(&checked.stdout).contains("it is sound"), "{checked:?}");

    let broken = old.dir().join("broken");
    let refused = |content: &[u8], words: &str| {
        fs::write(&broken, content).expect("a file can be written");
        assert_refused(&with(&broken, &[]), words);
        assert_refused(&check(&broken), words);
    };
    let mut damaged = sound.clone();
    damaged[70_000] ^= 1;
    let second = 92 + (64 << 10) + 4;
    refused(&damaged, &format!("bytes at offset {second} does not hold"));
    let cut = &sound[..80_000];
    let missing = sound.len() - cut.len();
    refused(cut, &format!("it ends at offset 80000, and {missing} bytes are missing"));
    refused(b"something else", "it is no backup");
    refused(b"", "it ends at offset 0");
    assert_refused(&with(&new.dir().join("absent"), &[]), "cannot read");
    assert_refused(&with(&file, &["-name", "x"]), "x not listed in the initial cluster config");
    assert_refused(
        &with(&file, &["-initial-advertise-peer-urls", "http://127.0.0.1:1"]),
        "infra0 has different advertised URLs in the cluster",
    );
    assert!(is_absent(&new.data_dir(0)));

    // Nor does a restore touch what is there.
    let dir = new.data_dir(0);
    fs::create_dir(&dir).expect("a directory can be made");
    fs::write(dir.join("notes"), "mine").expect("a file can be written");
    assert_refused(&with(&file, &[]), "is not empty");
    assert_eq!(fs::read(dir.join("notes")).expect("it is there"), b"mine");
    let running = old.data_dir(0);
    let running = running.to_str().expect("a path in UTF-8");
    assert_refused(&with(&file, &["-data-dir", running]), "is not empty");
    fs::remove_dir_all(&dir).expect("a directory can be removed");
    fs::create_dir(&dir).expect("a directory can be made");
    restored(&new, 0, &file);
}

/// Whoever ends a restore in the middle finds nothing that could be started.
#[test]
fn a_restore_that_is_killed_can_be_repeated() {
    let (_old, file) = a_backup();
    let mut new = Cluster::new(1);
    let (to, staging) = (new.data_dir(0), new.dir().join("infra0.restoring"));
    let command = || restore_command(&new, 0, &file);
    kill_in_the_middle(command, (&staging, &to), |again| {
        assert_refused(again, "infra0.restoring already");
    });
    restored(&new, 0, &file);
    new.start_all();
    new.await_ready();
    assert_eq!(new.get_quorum(0, "/key7").status, 200);
}
