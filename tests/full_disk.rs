//! A disk without space, and one that fails: nothing that was acknowledged is lost.
//!
//! The disks are small file systems that the tests mount, in mount namespaces of their own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::support::client::Answer;
use crate::support::cluster::Cluster;
use crate::support::wait::{wait_for, wait_until};
use crate::support::{left_out, sandbox};

/// About as much as one write may carry.
const BIG: usize = 1 << 20;

fn sh(script: &str) -> Result<(), String> {
    sandbox::run(Command::new("sh").args(["-e", "-c", script]))
}

/// Writes big values one after the other until one is not taken: that answer, and the number of the
/// last one that was taken.
fn write_until_refused(cluster: &Cluster) -> (Answer, usize) {
    let url = cluster.url(0, "/v2/keys/big");
    let mut last = 0;
    let refused = wait_for("a write is refused", || {
        let number = last + 1;
        let answer = cluster.client.put(&url, &form(number)).expect("every write is answered");
        if matches!(answer.status, 200 | 201) {
            last = number;
            None
        } else {
            Some(answer)
        }
    });
    (refused, last)
}

fn form(number: usize) -> String {
    format!("value={number:08}{}", "x".repeat(BIG))
}

/// The number of the big value.
fn number(read: &Answer) -> usize {
    let value = read.at("/node/value");
    let value = value.as_str().unwrap_or_else(|| panic!("{}", read.status));
    value[..8].parse().expect("it begins with a number")
}

#[test]
fn a_full_disk_refuses_writes_until_it_has_space() {
    let name = "a_full_disk_refuses_writes_until_it_has_space";
    if !sandbox::inside(module_path!(), name, &["--mount"], &["mount"]) {
        return;
    }
    let mut cluster = Cluster::new(1);
    let disk = cluster.data_dir(0);
    fs::create_dir(&disk).expect("a directory is made");
    // Room for one segment of the log and not for a second one.
    sh(&format!("mount -t tmpfs -o size=80m,mode=700 none {}", disk.display())).expect("mounted");
    cluster.start(0);
    cluster.await_ready();

    let (refused, last) = write_until_refused(&cluster);
    assert!(last > 0, "nothing was taken: {refused:?}");
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("no space"), "{refused:?}");
    assert!(cluster.process(0).log().contains("the disk is full"), "the log says so");
    assert_eq!(number(&cluster.get_local(0, "/big").ok()), last, "reads go on");

    // A start on a disk that is full is none the worse, as there is room for what a member that
    // starts has to write.
    cluster.kill(0);
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(number(&cluster.get_local(0, "/big").ok()), last);
    let (refused, more) = write_until_refused(&cluster);
    assert_eq!((refused.status, more), (500, 0), "{refused:?}");

    sh(&format!("mount -o remount,size=400m {}", disk.display())).expect("there is more space");
    wait_until("writes are taken again", || {
        let url = cluster.url(0, "/v2/keys/after");
        cluster.client.put(&url, "value=1").is_ok_and(|answer| answer.status == 201)
    });
    wait_until("the log says so", || cluster.process(0).log().contains("has space again"));
    assert_eq!(number(&cluster.get_quorum(0, "/big").ok()), last);

    cluster.kill(0);
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(number(&cluster.get_quorum(0, "/big").ok()), last);
    assert_eq!(cluster.get_quorum(0, "/after").ok().at("/node/value"), "1");
}

/// One full disk does not stop a cluster, not even if it is the leader's.
#[test]
fn a_leader_with_a_full_disk_hands_over() {
    let name = "a_leader_with_a_full_disk_hands_over";
    if !sandbox::inside(module_path!(), name, &["--mount"], &["mount"]) {
        return;
    }
    let mut cluster = Cluster::started(3);
    // The member with the lowest ID leads a new cluster first. So the next one on this list is led
    // by the same member, which then has the small disk.
    let full = cluster.leader();
    cluster.kill_all();
    for member in 0..3 {
        fs::remove_dir_all(cluster.data_dir(member)).expect("the data is removed");
    }
    let disk = cluster.data_dir(full);
    fs::create_dir(&disk).expect("a directory is made");
    sh(&format!("mount -t tmpfs -o size=80m,mode=700 none {}", disk.display())).expect("mounted");
    cluster.start_all();
    cluster.await_ready();

    let other = (full + 1) % 3;
    for number in 1..=90 {
        wait_until("a write is taken", || {
            let url = cluster.url(other, "/v2/keys/big");
            let answer = cluster.client.put(&url, &form(number)).expect("every write is answered");
            matches!(answer.status, 200 | 201)
        });
    }
    assert_ne!(cluster.leader(), full, "it has no room for entries");
    assert_eq!(number(&cluster.get_quorum(other, "/big").ok()), 90);
    assert!(number(&cluster.get_local(full, "/big").ok()) < 90, "its reads go on");

    sh(&format!("mount -o remount,size=400m {}", disk.display())).expect("there is more space");
    assert_eq!(number(&cluster.await_equal("/big")), 90, "it catches up");
}

/// A start on a disk that has no room for a log is refused, and succeeds once there is room.
#[test]
fn a_full_disk_at_the_first_start() {
    let name = "a_full_disk_at_the_first_start";
    if !sandbox::inside(module_path!(), name, &["--mount"], &["mount"]) {
        return;
    }
    let mut cluster = Cluster::new(1);
    let disk = cluster.data_dir(0);
    fs::create_dir(&disk).expect("a directory is made");
    sh(&format!("mount -t tmpfs -o size=1m,mode=700 none {}", disk.display())).expect("mounted");
    cluster.start(0);
    assert_eq!(cluster.process(0).wait().code(), Some(1));
    let log = cluster.process(0).log();
    assert!(log.contains("quorate: cannot use the data directory "), "{log}");
    assert!(log.contains("  hint: the disk is full"), "{log}");
    cluster.forget(0);

    sh(&format!("mount -o remount,size=400m {}", disk.display())).expect("there is more space");
    cluster.start(0);
    cluster.await_ready();
    cluster.put(0, "/a", "1");
}

/// The member's disk is an image in a file. When there is no room for what the image is to hold,
/// writing it back fails, which the member learns from its fdatasync.
#[test]
fn a_failed_fsync_ends_the_process() {
    let name = "a_failed_fsync_ends_the_process";
    if !sandbox::inside(
        module_path!(),
        name,
        &["--mount"],
        &["mount", "mkfs.ext4", "truncate", "losetup"],
    ) {
        return;
    }
    let mut cluster = Cluster::new(1);
    let (below, disk) = (cluster.dir().join("below"), cluster.data_dir(0));
    for dir in [&below, &disk] {
        fs::create_dir(dir).expect("a directory is made");
    }
    let mounted = sh(&format!(
        "mount -t tmpfs -o size=40m none {0}
         truncate -s 400M {0}/image
         mkfs.ext4 -q -F {0}/image
         mount -o loop {0}/image {1}",
        below.display(),
        disk.display()
    ));
    if let Err(why) = mounted {
        left_out(name, format!("an image cannot be mounted here: {why}"));
        return;
    }
    cluster.start(0);
    cluster.await_ready();
    cluster.put(0, "/kept", "yes");
    fill(&below.join("filler"));

    let last = write_until_no_answer(&cluster);
    assert_eq!(cluster.process(0).wait().code(), Some(70));
    let log = cluster.process(0).log();
    assert!(log.contains("quorate: writing the log failed: "), "{log}");
    assert!(log.contains("  hint: "), "{log}");
    cluster.forget(0);

    // The image forgets what could not be written, and the member with it; all else is there.
    sh(&format!(
        "umount {1}
         rm {0}/filler
         mount -o remount,size=400m {0}
         mount -o loop {0}/image {1}",
        below.display(),
        disk.display()
    ))
    .expect("the disk is sound again");
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(cluster.get_quorum(0, "/kept").ok().at("/node/value"), "yes");
    let read = cluster.get_quorum(0, "/big");
    let found = if read.status == 404 { 0 } else { number(&read) };
    assert!(found >= last, "{last} was acknowledged, {found} is there");
    assert!(found <= last + 1, "{found} was never written");
}

/// Fills a file system with one file.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file is made");
    let block = vec![b'x'; 64 << 10];
    while file.write_all(&block).is_ok() {}
}

/// Writes big values one after the other until nobody answers; the number of the last one that was
/// taken.
fn write_until_no_answer(cluster: &Cluster) -> usize {
    let url = cluster.url(0, "/v2/keys/big");
    let mut last = 0;
    wait_for("the member is gone", || {
        let answer = cluster.client.put(&url, &form(last + 1));
        match answer {
            Ok(answer) if matches!(answer.status, 200 | 201) => {
                last += 1;
                None
            }
            _ => Some(()),
        }
    });
    last
}
