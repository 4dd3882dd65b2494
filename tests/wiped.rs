//! Members that took part and have lost their data directories.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use crate::support::client::Client;
use crate::support::cluster::{Cluster, isolate, name};
use crate::support::membership::{add, join, learners, listed};
use crate::support::process::Process;
use crate::support::wait::wait_until;
use crate::support::{QUORATE, sandbox};

/// One cluster at a time: each has several processes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> impl Drop {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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

/// The two of three that lose what they have; the survivor is the first.
const WIPED: [usize; 2] = [1, 2];

/// Starts two members with the flags of their first start and nothing in their directories.
fn start_wiped(cluster: &mut Cluster) {
    for member in WIPED {
        if cluster.runs(member) {
            cluster.kill(member);
        }
        fs::remove_dir_all(cluster.data_dir(member)).expect("the directory is removed");
    }
    WIPED.iter().for_each(|member| cluster.start(*member));
}

/// Whether no write is acknowledged at a member: it is refused, or nobody answers.
fn refuses_writes(client: &Client, key: &str) {
    if let Ok(answer) = client.put(key, "value=1") {
        assert!(answer.status >= 500, "a write is acknowledged: {answer:?}");
    }
}

/// Waits until both have ended with the words for a member that was there before. Until then they
/// acknowledge nothing.
fn both_are_told(cluster: &mut Cluster) {
    wait_until("both have ended", || {
        WIPED
            .iter()
            .for_each(|m| refuses_writes(&cluster.client, &cluster.url(*m, "/v2/keys/lost")));
        WIPED.iter().all(|member| !cluster.process(*member).runs())
    });
    for member in WIPED {
        assert_eq!(cluster.process(member).wait().code(), Some(1));
        let log = cluster.process(member).log();
        assert!(log.contains(" has already been bootstrapped\n"), "{log}");
        cluster.forget(member);
    }
    assert!(cluster.process(0).runs());
    // It has no quorum, and nobody else makes one.
    refuses_writes(&cluster.client, &cluster.url(0, "/v2/keys/alone"));
}

/// A member that has lost its quorum goes on alone, with what it had.
fn goes_on_alone(cluster: &mut Cluster, member: usize) {
    cluster.terminate(member);
    let mut command = cluster.command(member);
    command.arg("-force-new-cluster");
    cluster.start_as(member, command);
    cluster.await_member(member);
    assert_eq!(cluster.get_quorum(member, "/kept").at("/node/value"), "yes");
}

/// The survivor has what it had, and one of the others gets it from there.
fn the_survivor_has_everything(cluster: &mut Cluster) {
    goes_on_alone(cluster, 0);
    assert_eq!(cluster.get_quorum(0, "/lost").status, 404);
    add(cluster, 0, 1);
    join(cluster, 1, &[0, 1]);
    cluster.await_member(1);
    assert_eq!(cluster.get_quorum(1, "/kept").at("/node/value"), "yes");
}

/// etcd's issue 12227: two of three members lose their disks and are started with the flags of their
/// first start. There they form a new cluster, and the third one's data is replaced by nothing.
#[test]
fn two_wiped_members_replace_nothing_of_one_that_runs() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "yes");
    start_wiped(&mut cluster);
    both_are_told(&mut cluster);
    assert_eq!(cluster.get_local(0, "/kept").ok().at("/node/value"), "yes");
    assert_eq!(listed(&cluster, 0).len(), 3);
    the_survivor_has_everything(&mut cluster);
}

/// The same where the survivor is stopped: nobody forms anything without it, and once it comes back
/// they are told.
#[test]
fn two_wiped_members_replace_nothing_of_one_that_is_stopped() {
    let _turn = turn();
    let mut cluster = Cluster::started(3);
    cluster.put(0, "/kept", "yes");
    cluster.terminate(0);
    start_wiped(&mut cluster);
    for member in WIPED {
        wait_until("it says for whom it waits", || {
            assert!(cluster.process(member).runs(), "member {member} gave up");
            cluster.process(member).log().contains("waiting to form the cluster: infra0 (")
        });
        refuses_writes(&cluster.client, &cluster.url(member, "/v2/keys/lost"));
    }
    cluster.start(0);
    both_are_told(&mut cluster);
    the_survivor_has_everything(&mut cluster);
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
    for member in WIPED {
        wait_until("it says for whom it waits", || {
            assert!(members[member].runs(), "member {member} gave up");
            members[member].log().contains("waiting to form the cluster: infra0 (")
        });
        refuses_writes(&client, &key(member, "lost"));
    }
    link(0, "up");
    wait_until("both have ended", || {
        WIPED.iter().for_each(|member| refuses_writes(&client, &key(*member, "lost")));
        WIPED.iter().all(|member| !members[*member].runs())
    });
    for member in WIPED {
        assert_eq!(members[member].wait().code(), Some(1));
        let log = members[member].log();
        assert!(log.contains(" has already been bootstrapped\n"), "{log}");
    }
    assert!(members[0].runs());
    assert_eq!(client.get(&key(0, "kept")).expect("answered").at("/node/value"), "yes");
    let listed = client.get(&format!("{}/v2/members", place(0, 2379))).expect("answered");
    assert_eq!(listed.at("/members").as_array().map(Vec::len), Some(3));
}

/// All on the list lose what they have. The one that was added later and still has it is on nobody's
/// list; but it speaks to them, so they do not form a second cluster beside it.
#[test]
fn all_of_a_list_form_nothing_beside_one_that_was_added() {
    let _turn = turn();
    let mut cluster = Cluster::new(4).listing(&[0, 1, 2]);
    (0..3).for_each(|member| cluster.start(member));
    (0..3).for_each(|member| cluster.await_member(member));
    cluster.put(0, "/kept", "yes");
    let added = add(&cluster, 0, 3);
    join(&mut cluster, 3, &[0, 1, 2, 3]);
    cluster.await_member(3);
    wait_until("it has a vote", || learners(&cluster, 3) == 0);
    for member in 0..3 {
        cluster.kill(member);
        fs::remove_dir_all(cluster.data_dir(member)).expect("the directory is removed");
    }
    (0..3).for_each(|member| cluster.start(member));
    for member in 0..3 {
        wait_until("it says for whom it waits", || {
            refuses_writes(&cluster.client, &cluster.url(member, "/v2/keys/lost"));
            assert!(cluster.process(member).runs(), "member {member} gave up");
            let log = cluster.process(member).log();
            log.contains(&format!("{added} (it speaks to this member for the same cluster"))
        });
    }
    assert_eq!(cluster.get_local(3, "/kept").ok().at("/node/value"), "yes");

    // What they are told to do.
    goes_on_alone(&mut cluster, 3);
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
