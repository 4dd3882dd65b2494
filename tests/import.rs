//! Taking over what a stopped etcd has left: the same members, the same keys, the same indexes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::QUORATE;
use crate::support::client::Answer;
use crate::support::cluster::{Cluster, contents, isolate};
use crate::support::cut_off::kill_in_the_middle;
use crate::support::etcd;
use crate::support::refusal::assert_refused;
use crate::support::wait::wait_until;

/// Keys that are written to real etcd members; enough for several snapshots.
const KEYS: usize = 300;

fn import_command(from: &Path, to: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(QUORATE);
    command.arg("import").arg("-from").arg(from).arg("-data-dir").arg(to).args(more);
    isolate(&mut command);
    command
}

fn import(from: &Path, to: &Path, more: &[&str]) -> Output {
    import_command(from, to, more).output().expect("the program can be started")
}

fn imported(from: &Path, to: &Path) -> String {
    let output = import(from, to, &[]);
    assert!(output.status.success(), "{output:?}");
    let checked = import(from, to, &["-check"]);
    assert!(checked.status.success(), "{checked:?}");
    String::from_utf8(output.stdout).expect("words")
}

fn refused(from: &Path, to: &Path, more: &[&str], words: &str) {
    assert_refused(&import(from, to, more), words);
}

/// What a member of etcd has left, in the layout of a release.
fn recorded(name: &str, dir: &Path, layout: [&str; 2]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/tests/data").join(name);
    for folder in layout {
        fs::create_dir_all(dir.join(folder)).expect("a directory can be made");
    }
    for (path, content) in contents(&source) {
        let file = path.file_name().expect("a file has a name");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("wal") => fs::write(dir.join(layout[0]).join(file), content),
            Some("snap") => fs::write(dir.join(layout[1]).join(file), content),
            _ => Ok(()),
        }
        .expect("a file can be written");
    }
    dir.to_owned()
}

/// Starts a member of Quorate on a directory.
fn start(cluster: &mut Cluster, member: usize, dir: &Path) {
    let mut command = cluster.command(member);
    command.arg("-data-dir").arg(dir);
    cluster.start_as(member, command);
}

#[test]
fn a_recorded_member_goes_on_where_etcd_ended() {
    let (new, old) = (
        "26a80a9d98cd784b of cluster e267452e28e7a40e",
        "667880157b8812c8 of cluster dc50b8daae93b3e0",
    );
    let below = ["member/wal", "member/snap"];
    let top = ["wal", "snap"];
    // 2.0 had no version of the cluster: all indexes are one lower. Its in-order keys had no
    // zeros before the number; like 2.3, Quorate makes those that it finds in a log as it does.
    for (name, layout, owner, last, queued) in [
        ("etcd-3.4.23/plain", below, new, 22, "00000000000000000007"),
        ("etcd-3.4.23/snapped", below, new, 22, "00000000000000000007"),
        ("etcd-2.3.8/plain", below, old, 22, "00000000000000000007"),
        ("etcd-2.3.8/snapped", below, old, 22, "00000000000000000007"),
        ("etcd-2.0.0/plain", top, old, 21, "00000000000000000006"),
        ("etcd-2.0.0/snapped", top, old, 21, "6"),
    ] {
        let mut cluster = Cluster::new(1);
        let from = recorded(name, &cluster.dir().join("etcd"), layout);
        let before = contents(&from);
        let to = cluster.dir().join("quorate");
        let said = imported(&from, &to);
        assert!(said.contains(&format!("member {owner}")), "{said}");
        assert_eq!(contents(&from), before, "nothing of etcd's is touched");

        start(&mut cluster, 0, &to);
        cluster.await_ready();
        let counter = cluster.get_quorum(0, "/count");
        assert_eq!(counter.at("/node/value"), "12");
        assert_eq!(counter.at("/node/modifiedIndex"), last);
        let queued = format!("/queue/{queued}");
        assert_eq!(cluster.get_quorum(0, &queued).at("/node/value"), "first");
        assert_eq!(cluster.get_quorum(0, "/plain1").status, 404);
        wait_until("the cluster has a version", || {
            let answer = cluster.client.get(&cluster.url(0, "/version"));
            answer.is_ok_and(|answer| answer.body.contains(r#""etcdcluster":"3.4.0""#))
        });
        // A key of the recordings has a time to live, which is over some day; that counts as well.
        let left = || cluster.get_local(0, "/ttl");
        wait_until("what has expired is gone", || {
            let left = left();
            left.status == 404 || left.at("/node/ttl").as_i64().is_some_and(|ttl| ttl > 60)
        });
        let expired = u64::from(left().status == 404);
        // What etcd counted goes on: the name and the URLs under which the member is now came
        // between, and the version of the cluster where that is another.
        let written = cluster.put(0, "/after", "x");
        let between = expired + if name.contains("3.4") { 1 } else { 2 };
        assert_eq!(written.at("/node/createdIndex"), last + between + 1);
        // Watchers find the events of the time before.
        let deleted = last - 12;
        let event = cluster.get_local(0, &format!("/plain1?wait=true&waitIndex={deleted}"));
        assert_eq!(
            (event.at("/action"), event.at("/node/modifiedIndex")),
            ("delete".into(), deleted.into())
        );

        cluster.terminate(0);
        let checked = import(&from, &to, &["-check"]);
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(said.contains("it has run since"), "{checked:?}");
        refused(&from, &to, &[], "is not empty");
    }
}

#[test]
fn what_cannot_be_imported_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let (from, to) = (dir.path().join("etcd"), dir.path().join("quorate"));
    refused(&from, &to, &[], "there is no directory");
    fs::create_dir(&from).expect("a directory can be made");
    refused(&from, &to, &[], "there is no log of etcd");
    recorded("etcd-3.4.23/snapped", &from, ["member/wal", "member/snap"]);
    refused(&from, &to, &["-check"], "there is no directory");

    let segment = from.join("member/wal/0000000000000000-0000000000000000.wal");
    let sound = fs::read(&segment).expect("a file can be read");
    let mut damaged = sound.clone();
    damaged[700] ^= 1;
    fs::write(&segment, damaged).expect("a file can be written");
    refused(&from, &to, &[], "etcd's log is damaged: 0000000000000000-0000000000000000.wal at");
    fs::write(&segment, sound).expect("a file can be written");

    // As etcd 2 locks its segments.
    let held = fs::File::open(&segment).expect("a file can be opened");
    held.lock().expect("a file can be locked");
    refused(&from, &to, &[], "etcd still runs on");
    drop(held);
    assert!(!to.exists());

    // An import was cut off.
    fs::create_dir(dir.path().join("quorate.importing")).expect("a directory can be made");
    refused(&from, &to, &[], "already");
    fs::remove_dir(dir.path().join("quorate.importing")).expect("a directory can be removed");
    imported(&from, &to);

    let other = dir.path().join("other");
    imported(&recorded("etcd-3.4.23/plain", &dir.path().join("plain"), ["wal", "snap"]), &other);
    refused(&from, &other, &["-check"], "is not what");
    let syntax = Command::new(QUORATE).arg("import").output().expect("the program can be started");
    assert_eq!(syntax.status.code(), Some(2));
}

/// The nodes of a tree, without what is counted down.
fn tree(cluster: &Cluster, member: usize) -> serde_json::Value {
    let mut answer = cluster.get_local(member, "/?recursive=true&sorted=true").at("/node/nodes");
    for node in answer.as_array_mut().into_iter().flatten() {
        node.as_object_mut().map(|node| node.remove("ttl"));
    }
    answer
}

#[test]
fn a_cluster_of_etcd_is_killed_and_goes_on_as_one_of_quorate() {
    let Some(etcd) = etcd::server_for("taking over a cluster of etcd") else { return };
    taken_over(&etcd);
}

#[test]
fn a_cluster_of_2_3_is_killed_and_goes_on_as_one_of_quorate() {
    let Some(etcd) = etcd::old_server_for("taking over a cluster of etcd") else { return };
    taken_over(&etcd);
}

fn taken_over(etcd: &Path) {
    let mut cluster =
        Cluster::new(3).with_etcd(etcd, &[0, 1, 2]).with_flags(&["-snapshot-count", "100"]);
    cluster.start_all();
    cluster.await_ready();
    let mut last: Option<Answer> = None;
    for key in 0..KEYS {
        last = Some(cluster.put(key % 3, &format!("/dir{}/key{key}", key % 7), "value"));
    }
    let url = cluster.url(0, "/v2/keys/expires");
    cluster.client.put(&url, "value=late&ttl=80000").expect("an answer");
    let before = cluster.await_equal("/");
    let (index, kept) = (before.index(), tree(&cluster, 0));
    assert!(last.is_some_and(|answer| answer.status == 201));
    let running = cluster.data_dir(0);
    refused(&running, &cluster.dir().join("none"), &[], "etcd still runs on");
    cluster.kill_all();

    for member in 0..3 {
        let to = cluster.dir().join(format!("quorate{member}"));
        let said = imported(&cluster.data_dir(member), &to);
        assert!(said.contains("its snapshot ends with entry"), "{said}");
        start(&mut cluster, member, &to);
    }
    cluster.await_ready();
    for member in 0..3 {
        assert_eq!(tree(&cluster, member), kept, "member {member}");
    }
    let next = cluster.put(1, "/after", "x");
    let created = next.at("/node/createdIndex").as_u64();
    assert!(created > Some(index), "{created:?} behind {index:?}");
}

/// Whoever ends an import in the middle finds nothing that could be started.
#[test]
fn an_import_that_is_killed_can_be_repeated() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let from = recorded("etcd-3.4.23/snapped", &dir.path().join("etcd"), ["wal", "snap"]);
    let to = dir.path().join("quorate");
    let staging = dir.path().join("quorate.importing");
    let command = || import_command(&from, &to, &[]);
    kill_in_the_middle(command, (&staging, &to), |again| assert_refused(again, "already"));
    imported(&from, &to);
}
