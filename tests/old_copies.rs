//! Members whose data directory was replaced by an older copy of itself, or whose log was cut or
//! damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::cluster::{Cluster, contents};
use crate::support::damage::{cut, last_segment, overwrite, written};
use crate::support::membership::{add, id_of, join, remove};
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

/// A log that ends below what its member has acknowledged, be it in the middle of its last batch or
/// many batches before, looks like one that a crash has torn. etcd then panics: `tocommit is out of
/// range`. Here the others know better, and without the leader nothing is decided with it.
#[test]
fn a_log_that_was_cut_below_its_acknowledgements_is_brought_back() {
    const WRITES: usize = 20;
    let _turn = turn();
    for batches in [1, WRITES / 2] {
        let mut cluster = Cluster::started(3);
        let leader = cluster.leader();
        let (short, away) = ((leader + 1) % 3, (leader + 2) % 3);
        fill(&cluster, leader, 3);
        let log = last_segment(&cluster.data_dir(short));
        // Each write needs the one whose log will be cut.
        cluster.kill(away);
        let begin = written(&log);
        for number in 0..WRITES {
            cluster.put(leader, &format!("/acknowledged{number}"), "yes");
        }
        cluster.kill(short);
        let end = written(&log);
        // In the middle of a batch: they are all of about the same length.
        cut(&log, end - (end - begin) * (2 * batches - 1) / (2 * WRITES));
        cluster.start(short);
        wait_until("it knows", || cluster.process(short).log().contains(BEHIND));
        let other = cluster.client.put(&cluster.url(leader, "/v2/keys/other"), "value=x");
        assert!(other.is_ok_and(|answer| answer.status >= 500), "there is no quorum");
        assert!(!cluster.process(short).log().contains(BROUGHT_BACK));

        cluster.start(away);
        wait_until("it is brought back", || cluster.process(short).log().contains(BROUGHT_BACK));
        cluster.await_ready();
        for member in 0..3 {
            for number in 0..WRITES {
                let kept = cluster.get_quorum(member, &format!("/acknowledged{number}"));
                assert_eq!(kept.at("/node/value"), "yes", "{number} of {batches}");
            }
            assert!(!cluster.process(member).log().contains("panic"));
        }
        // It counts as before.
        cluster.kill(away);
        cluster.put(short, "/after", "it");
    }
}

/// Damage in the middle of the log is no crash's work: the start is refused with the place and the
/// way out, the others go on, and the way out works.
#[test]
fn a_member_with_a_damaged_log_is_refused_and_replaced() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    fill(&cluster, 2, 20);
    cluster.kill(2);
    let dir = cluster.data_dir(2);
    let log = last_segment(&dir);
    let at = (256 + written(&log)) / 2;
    let byte = fs::read(&log).expect("the log is read")[at];
    overwrite(&log, at, &[byte ^ 1]);
    let before = contents(&dir);
    cluster.start(2);
    assert_eq!(cluster.process(2).wait().code(), Some(1));
    let said = cluster.process(2).log();
    let name = log.strip_prefix(&dir).expect("it is in there").display();
    for words in [
        format!("quorate: {name}: the log is damaged at offset "),
        "  hint: it was durable up to offset ".to_owned(),
        "  hint: nothing was changed; replace the member, or bring back a sound copy".to_owned(),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
    cluster.forget(2);
    assert!(contents(&dir) == before, "a refused start has changed the files");
    cluster.put(0, "/without", "it");

    assert_eq!(remove(&cluster, 0, &id_of(&cluster, 0, 2)).status, 204);
    fs::remove_dir_all(&dir).expect("the directory is removed");
    add(&cluster, 1, 2);
    join(&mut cluster, 2, &[0, 1, 2]);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/without").at("/node/value"), "it");
    assert_eq!(cluster.get_quorum(2, "/key19").at("/node/value"), "x");
}
