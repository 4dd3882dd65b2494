//! Members with an empty directory, and a cluster that runs already.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use crate::support::address::Fixed;
use crate::support::client::Client;
use crate::support::cluster::{Cluster, isolate, name};
use crate::support::process::Process;
use crate::support::refusal::{Ended, run};
use crate::support::wait::wait_until;
use crate::support::{QUORATE, left_out, sandbox};

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

/// The IDs that the guide shows are those of members at the ports 7001 to 7003 of one machine, and of
/// a fourth that lists itself too, under the token that was the default then.
#[test]
fn the_mismatch_of_the_guide_with_its_own_ids() {
    let _turn = turn();
    let addresses = [7001, 7002, 7003, 7004].map(|port| format!("127.0.0.1:{port}"));
    // The IDs hang on the addresses, so no others will do.
    let _fixed = match Fixed::claim(&addresses.each_ref().map(String::as_str)) {
        Ok(fixed) => fixed,
        Err(why) => return left_out("the_mismatch_of_the_guide_with_its_own_ids", &why),
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

/// Whoever took part once and has lost its directory does not begin anew under its old ID.
#[test]
fn a_member_whose_directory_was_emptied_is_refused() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    cluster.put(2, "/kept", "yes");
    let members = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered").ok();
    let members = members.at("/members");
    let members = members.as_array().expect("a list");
    let id = members.iter().find(|member| member["name"] == name(2)).expect("it is listed");
    let id = id["id"].as_str().expect("an ID").to_owned();

    cluster.kill(2);
    let (dir, aside) = (cluster.data_dir(2), cluster.dir().join("aside"));
    fs::rename(&dir, &aside).expect("the directory is put aside");
    cluster.start(2);
    assert_eq!(cluster.process(2).wait().code(), Some(1));
    let log = cluster.process(2).log();
    assert!(
        log.contains(&format!("quorate: member {id} has already been bootstrapped\n")),
        "{log}"
    );
    assert!(log.contains("  hint: if its data is lost, remove the member"), "{log}");
    cluster.forget(2);

    // The other way out: the directory was only elsewhere.
    fs::remove_dir_all(&dir).expect("what the refused start has made is removed");
    fs::rename(&aside, &dir).expect("the directory is put back");
    cluster.start(2);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/kept").at("/node/value"), "yes");
}

/// etcd's issue 12227: two of three members lose their disks and are started with the flags of their
/// first start. There they form a new cluster, and the third one's data is replaced by nothing.
#[test]
fn two_wiped_members_replace_nothing() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "yes");
    let wipe = |cluster: &mut Cluster, member: usize| {
        if cluster.runs(member) {
            cluster.kill(member);
        }
        fs::remove_dir_all(cluster.data_dir(member)).expect("the directory is removed");
    };
    // The survivor is stopped: nobody forms anything without it.
    cluster.terminate(0);
    for member in [1, 2] {
        wipe(&mut cluster, member);
        cluster.start(member);
    }
    for member in [1, 2] {
        wait_until("it says for whom it waits", || {
            assert!(cluster.process(member).runs(), "member {member} gave up");
            cluster.process(member).log().contains("waiting to form the cluster: infra0 (")
        });
        let url = cluster.url(member, "/v2/keys/lost");
        let written = cluster.client.put(&url, "value=1").expect("answered");
        assert_eq!(written.status, 500, "no write is acknowledged: {written:?}");
    }
    // It comes back: it knows who they were, and they are told.
    cluster.start(0);
    for member in [1, 2] {
        assert_eq!(cluster.process(member).wait().code(), Some(1));
        let log = cluster.process(member).log();
        assert!(log.contains(" has already been bootstrapped\n"), "{log}");
        cluster.forget(member);
        // It runs: at once.
        wipe(&mut cluster, member);
        cluster.start(member);
        assert_eq!(cluster.process(member).wait().code(), Some(1));
        cluster.forget(member);
    }
    assert!(cluster.process(0).runs());
    let kept = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered");
    assert_eq!(kept.at("/members").as_array().map(Vec::len), Some(3));
    assert!(cluster.data_dir(0).join("quorate/wal").exists());
}

/// The same where the survivor runs, and cannot be reached.
#[test]
fn two_wiped_members_replace_nothing_of_one_that_is_cut_off() {
    let test = "two_wiped_members_replace_nothing_of_one_that_is_cut_off";
    if !sandbox::inside(module_path!(), test, &["--net", "--mount"], &["ip", "nsenter", "mount"]) {
        return;
    }
    sandbox::make_machines(3);
    let dir = tempfile::tempdir().expect("a directory for the test");
    let place = |member: usize, port: u16| format!("http://10.0.1.1{member}:{port}");
    let pairs: Vec<String> =
        (0..3).map(|member| format!("{}={}", name(member), place(member, 2380))).collect();
    let start = |member: usize| {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/infra{member}")).arg(QUORATE);
        command.args(["-name", &name(member), "-data-dir"]).arg(dir.path().join(name(member)));
        for flag in ["-initial-advertise-peer-urls", "-listen-peer-urls"] {
            command.args([flag, &place(member, 2380)]);
        }
        for flag in ["-advertise-client-urls", "-listen-client-urls"] {
            command.args([flag, &place(member, 2379)]);
        }
        command.args(["-initial-cluster", &pairs.join(","), "-initial-cluster-state", "new"]);
        isolate(&mut command);
        Process::start(command, &dir.path().join(format!("{member}.log")))
    };
    let link = |member: usize, state: &str| {
        let port = format!("port{member}");
        sandbox::run(Command::new("ip").args(["link", "set", &port, state])).expect("it is set");
    };
    let key = |member: usize, key: &str| format!("{}/v2/keys/{key}", place(member, 2379));
    let client = Client::new();
    let mut members: Vec<Process> = (0..3).map(&start).collect();
    for member in &members {
        wait_until("it is ready", || member.log().contains("ready to serve client requests"));
    }
    client.put(&key(0, "kept"), "value=yes").expect("answered").ok();
    wait_until("the survivor has it", || {
        client.get(&key(0, "kept")).is_ok_and(|answer| answer.status == 200)
    });

    link(0, "down");
    // They go on without it, until they lose what they have.
    wait_until("the others write", || {
        client.put(&key(1, "kept"), "value=without").is_ok_and(|answer| answer.status < 500)
    });
    for member in [1, 2] {
        members[member].kill();
    }
    for member in [1, 2] {
        fs::remove_dir_all(dir.path().join(name(member))).expect("the directory is removed");
        members[member] = start(member);
    }
    for member in [1, 2] {
        wait_until("it says for whom it waits", || {
            assert!(members[member].runs(), "member {member} gave up");
            members[member].log().contains("waiting to form the cluster: infra0 (")
        });
        let written = client.put(&key(member, "lost"), "value=1").expect("answered");
        assert_eq!(written.status, 500, "no write is acknowledged: {written:?}");
    }
    link(0, "up");
    for member in [1, 2] {
        assert_eq!(members[member].wait().code(), Some(1));
        let log = members[member].log();
        assert!(log.contains(" has already been bootstrapped\n"), "{log}");
    }
    assert!(members[0].runs());
    assert_eq!(client.get(&key(0, "kept")).expect("answered").at("/node/value"), "yes");
    let listed = client.get(&format!("{}/v2/members", place(0, 2379))).expect("answered");
    assert_eq!(listed.at("/members").as_array().map(Vec::len), Some(3));
}

/// Where etcd's rule is asked for, nobody is asked before forming. A wiped member then begins anew
/// under its old ID; but the others know it by another directory.
#[test]
fn a_wiped_member_that_asks_nobody_is_known_by_its_directory() {
    let _turn = turn();
    let mut cluster = Cluster::new(3).with_flags(&["-initial-cluster-form", "majority"]);
    cluster.start_all();
    cluster.await_ready();
    cluster.put(0, "/kept", "yes");
    cluster.kill(2);
    fs::remove_dir_all(cluster.data_dir(2)).expect("the directory is removed");
    cluster.start(2);
    assert_eq!(cluster.process(2).wait().code(), Some(1));
    let log = cluster.process(2).log();
    assert!(log.contains(" is known by another data directory\n"), "{log}");
    assert!(log.contains("  hint: if its data is lost, remove the member"), "{log}");
    cluster.forget(2);
    assert_eq!(cluster.get_quorum(1, "/kept").at("/node/value"), "yes");
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
