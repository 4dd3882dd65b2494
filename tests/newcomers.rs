//! Members with an empty directory, and a cluster that runs already.

use std::process::Command;
use std::sync::Mutex;

use crate::support::address::Fixed;
use crate::support::cluster::{Cluster, isolate, name};
use crate::support::membership::{add, id_of, join, learners, listed};
use crate::support::process::Process;
use crate::support::refusal::{Ended, run};
use crate::support::wait::wait_until;
use crate::support::{QUORATE, left_out};

/// One cluster at a time: each has several processes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> impl Drop {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A cluster of three that runs, and room for a fourth member that its list does not have.
fn three_and_a_place() -> Cluster {
    let mut cluster = Cluster::new(4).listing(&[0, 1, 2]);
    for member in 0..3 {
        cluster.start(member);
    }
    cluster.await_ready();
    cluster
}

/// The first start of the fourth member, with a list of its own.
fn stranger(cluster: &Cluster, list: &str) -> Command {
    let mut command = cluster.command(3);
    command.args(["-initial-cluster", list, "-initial-cluster-state=new"]);
    command
}

/// Whether it is the guide's refusal, with the ID of the cluster on the left and another one on the
/// right.
fn assert_conflict(cluster: &Cluster, ended: &Ended) {
    let target = cluster.get_local(0, "/");
    let target = target.header("X-Etcd-Cluster-ID").expect("a formed cluster has an ID");
    let line = ended.output.lines().find_map(|line| line.strip_prefix("quorate: "));
    let line = line.unwrap_or_else(|| panic!("no refusal in {ended:?}"));
    let start = format!("conflicting cluster ID to the target cluster ({target} != ");
    let own = line.strip_prefix(&start).and_then(|rest| rest.strip_suffix("). Exiting."));
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_hexdigit());
    assert!(own.is_some_and(|own| is_id(own) && own != target), "{line}");
    ended.assert_refused(1, line);
}

/// The third error case of the guide.
#[test]
fn a_member_with_another_list_is_refused() {
    let _turn = turn();
    let cluster = three_and_a_place();
    cluster.put(0, "/kept", "yes");
    let list = cluster.list_of(&[0, 1, 3]);
    assert_conflict(&cluster, &run(stranger(&cluster, &list)));
    let mut other_token = stranger(&cluster, &cluster.list_of(&[0, 1, 2, 3]));
    other_token.args(["-initial-cluster-token", "another"]);
    assert_conflict(&cluster, &run(other_token));
    for member in 0..3 {
        assert_eq!(cluster.get_quorum(member, "/kept").ok().at("/node/value"), "yes");
    }
}

/// Nothing of a stranger stays in its own way: once it is added it is started on the directory that
/// the refused start had. Nor does the cluster take any notice of it before.
#[test]
fn who_was_refused_is_taken_in_with_its_directory() {
    let _turn = turn();
    // A leader that this machine keeps waiting is not followed by another one.
    let slow = ["-heartbeat-interval", "100", "-election-timeout", "5000"];
    let mut cluster = Cluster::new(4).listing(&[0, 1, 2]).with_flags(&slow);
    (0..3).for_each(|member| cluster.start(member));
    cluster.await_ready();
    cluster.put(0, "/kept", "yes");
    let known = |cluster: &Cluster| {
        let term = cluster.get_quorum(0, "/kept").header("X-Raft-Term").map(str::to_owned);
        let lists: Vec<_> = (0..3).map(|member| listed(cluster, member)).collect();
        (lists, cluster.leader(), term.expect("an answer has a term"))
    };
    wait_until("all have published themselves", || {
        let (lists, ..) = known(&cluster);
        lists.iter().flatten().all(|member| member["name"] != "")
    });
    let before = known(&cluster);
    let list = cluster.list_of(&[0, 1, 2, 3]);
    for _ in 0..2 {
        assert_conflict(&cluster, &run(stranger(&cluster, &list)));
        assert_eq!(known(&cluster), before);
    }
    assert!(cluster.data_dir(3).exists(), "the directory is the same");
    for member in 0..3 {
        assert_eq!(cluster.get_quorum(member, "/kept").ok().at("/node/value"), "yes");
        cluster.put(member, &format!("/after{member}"), "1");
    }

    let id = add(&cluster, 1, 3);
    join(&mut cluster, 3, &[0, 1, 2, 3]);
    cluster.await_member(3);
    assert_eq!(id_of(&cluster, 3, 3), id);
    wait_until("it votes", || learners(&cluster, 3) == 0);
    cluster.put(3, "/after3", "1");
    assert_eq!(cluster.await_equal("/").at("/node/nodes").as_array().map(Vec::len), Some(5));
    assert_eq!(cluster.get_local(3, "/kept").at("/node/value"), "yes");
}

/// The IDs that the guide shows are those of members at the ports 7001 to 7003 of one machine, and of
/// a fourth that lists itself too, under the token that was the default then.
#[test]
fn the_mismatch_of_the_guide_with_its_own_ids() {
    let _turn = turn();
    let addresses = [7001, 7002, 7003, 7004].map(|port| format!("127.0.0.1:{port}"));
    // The IDs hang on the addresses, so no others will do.
    let _fixed = match Fixed::claim(&addresses.each_ref().map(String::as_str)) {
        Ok(fixed) => fixed,
        Err(why) => return left_out("the_mismatch_of_the_guide_with_its_own_ids", why),
    };
    let dir = tempfile::tempdir().expect("a directory for the test");
    let start = |member: u16, size: u16| {
        let pair = |member: u16| format!("infra{member}=http://localhost:{}", 7001 + member);
        let list: Vec<String> = (0..size).map(pair).collect();
        let url = format!("http://localhost:{}", 7001 + member);
        let mut command = Command::new(QUORATE);
        isolate(&mut command);
        command
            .args(["-name", &name(member.into()), "-data-dir"])
            .arg(dir.path().join(name(member.into())));
        command.args(["-initial-advertise-peer-urls", &url, "-listen-peer-urls", &url]);
        command.args(["-listen-client-urls", "http://127.0.0.1:0"]);
        command.args(["-advertise-client-urls", "http://127.0.0.1:2379"]);
        command.args(["-initial-cluster-token", "etcd", "-initial-cluster", &list.join(",")]);
        command.arg("-initial-cluster-state=new");
        Process::start(command, &dir.path().join(format!("{member}.log")))
    };
    let members: Vec<Process> = (0..3).map(|member| start(member, 3)).collect();
    for member in &members {
        wait_until("it is ready", || member.log().contains("ready to serve client requests"));
    }
    let mut stranger = start(3, 4);
    let ended = Ended { status: stranger.wait().code(), output: stranger.log() };
    ended.assert_refused(
        1,
        "conflicting cluster ID to the target cluster (c6ab534d07e8fcc4 != bc25ea2a74fb18b0). \
         Exiting.",
    );
}

/// Who is listed and comes for the first time is taken in.
#[test]
fn a_listed_member_may_come_late() {
    let _turn = turn();
    let mut cluster = Cluster::new(3).with_flags(&["-initial-cluster-form", "majority"]);
    cluster.start(0);
    cluster.start(1);
    cluster.await_ready();
    cluster.put(0, "/before", "it came");
    cluster.start(2);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/before").at("/node/value"), "it came");
    cluster.kill(0);
    cluster.put(2, "/with", "it");
}

/// As long as nothing is formed a wrong list is a mistake that can be put right.
#[test]
fn a_differing_list_is_waited_out() {
    let _turn = turn();
    let mut cluster = Cluster::new(3);
    cluster.start(0);
    cluster.start(1);
    let mut wrong = cluster.command(2);
    let list = format!("{},typo=http://127.0.0.1:1", cluster.list());
    wrong.args(["-initial-cluster", &list, "-initial-cluster-state", "new"]);
    cluster.start_as(2, wrong);
    for member in 0..3 {
        wait_until("the wait is explained", || {
            assert!(cluster.process(member).runs(), "member {member} gave up");
            cluster.process(member).log().contains("waiting to form the cluster: ")
        });
    }
    wait_until("both lists are named", || {
        let log = cluster.process(0).log();
        log.lines().any(|line| line.contains("infra2") && line.contains("typo="))
    });
    cluster.kill(2);
    cluster.start(2);
    cluster.await_ready();
    cluster.put(0, "/a", "1");
    assert_eq!(cluster.await_equal("/a").at("/node/value"), "1");
}
