//! Members whose data directory was replaced by an older copy of itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::cluster::Cluster;
use crate::support::wait::{wait_for, wait_until};

/// One cluster at a time: each has several processes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> impl Drop {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

const BEHIND: &str = "the data directory is an older copy, or was cut";
const BROUGHT_BACK: &str = "the leader has brought this member back";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory of the copy is made");
    for entry in fs::read_dir(from).expect("the directory can be read") {
        let entry = entry.expect("an entry can be read");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file is copied");
        }
    }
}

/// Copies the directory of a member as it is now.
fn keep(cluster: &Cluster, member: usize) -> PathBuf {
    let aside = cluster.dir().join("aside");
    copy(&cluster.data_dir(member), &aside);
    aside
}

/// Puts the copy in the place of the directory.
fn put_back(cluster: &Cluster, member: usize, aside: &Path) {
    fs::remove_dir_all(cluster.data_dir(member)).expect("the directory is removed");
    copy(aside, &cluster.data_dir(member));
}

fn fill(cluster: &Cluster, member: usize, keys: usize) {
    for key in 0..keys {
        cluster.put(member, &format!("/key{key}"), "x");
    }
}

/// Waits until a member has written down that another one was started twice. In its file of the
/// peers the number of the last start stands behind the ID and the incarnation.
fn await_second_start(cluster: &Cluster, by: usize, of: usize) {
    let answer = cluster.client.get(&cluster.url(of, "/v2/stats/self")).expect("an answer").ok();
    let id = answer.at("/id").as_str().expect("the ID is text").to_owned();
    let id = u64::from_str_radix(&id, 16).expect("the ID is a number");
    let file = cluster.data_dir(by).join("quorate/peers");
    wait_until("the second start is written down", || {
        let file = fs::read(&file).expect("the file of the peers can be read");
        let record = file.windows(8 + 16 + 8).find(|part| part.starts_with(&id.to_le_bytes()));
        record.is_some_and(|record| record.ends_with(&2_u64.to_le_bytes()))
    });
}

/// A cluster whose third member has been started again since its directory was copied.
fn with_a_copy_of_an_earlier_start() -> (Cluster, PathBuf) {
    let mut cluster = Cluster::started(3);
    fill(&cluster, 0, 3);
    cluster.kill(2);
    let aside = keep(&cluster, 2);
    cluster.start(2);
    cluster.await_ready();
    (cluster, aside)
}

#[test]
fn a_copy_of_an_earlier_start_is_brought_back() {
    let _turn = turn();
    let (mut cluster, aside) = with_a_copy_of_an_earlier_start();
    fill(&cluster, 0, 10);
    cluster.kill(2);

    put_back(&cluster, 2, &aside);
    cluster.start(2);
    wait_until("it knows", || cluster.process(2).log().contains(BEHIND));
    wait_until("it is brought back", || cluster.process(2).log().contains(BROUGHT_BACK));
    cluster.await_equal("/");

    // It counts as before, and at the next start nothing is left of it.
    cluster.kill(0);
    fill(&cluster, 2, 3);
    cluster.kill(2);
    cluster.start(2);
    cluster.await_ready();
    assert!(!cluster.process(2).log().contains(BEHIND));
}

#[test]
fn a_copy_of_the_same_start_is_brought_back() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    let member = (cluster.leader() + 1) % 3;
    fill(&cluster, 0, 3);
    let aside = keep(&cluster, member);
    fill(&cluster, 0, 10);
    cluster.kill(member);
    put_back(&cluster, member, &aside);
    cluster.start(member);
    wait_until("it knows", || cluster.process(member).log().contains(BEHIND));
    wait_until("it is brought back", || cluster.process(member).log().contains(BROUGHT_BACK));
    cluster.await_ready();
    cluster.await_equal("/");
}

/// In etcd two of three that do not have them replace writes that the third one has acknowledged.
#[test]
fn a_copy_and_a_member_that_lags_are_no_quorum() {
    let _turn = turn();
    let (mut cluster, aside) = with_a_copy_of_an_earlier_start();
    await_second_start(&cluster, 1, 2);
    cluster.kill(1);
    cluster.put(0, "/acknowledged", "yes");
    cluster.kill(0);
    cluster.kill(2);

    put_back(&cluster, 2, &aside);
    cluster.start(1);
    cluster.start(2);
    wait_until("it knows", || cluster.process(2).log().contains(BEHIND));
    let written = cluster.client.put(&cluster.url(1, "/v2/keys/other"), "value=x");
    assert!(written.is_ok_and(|answer| answer.status >= 500), "there is no quorum");
    assert!(!cluster.process(2).log().contains(BROUGHT_BACK));

    cluster.start(0);
    wait_until("it is brought back", || cluster.process(2).log().contains(BROUGHT_BACK));
    cluster.await_ready();
    let kept = wait_for("it is there", || {
        Some(cluster.get_quorum(2, "/acknowledged")).filter(|answer| answer.status == 200)
    });
    assert_eq!(kept.at("/node/value"), "yes");
    cluster.await_equal("/");
}
