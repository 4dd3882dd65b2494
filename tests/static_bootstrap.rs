//! The guide's *Static* section, on real processes.

use std::process::Command;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use crate::support::client::{Answer, Client};
use crate::support::cluster::{self, Cluster};
use crate::support::identity::{Identity, recorded};
use crate::support::process::Process;
use crate::support::wait::wait_for;
use crate::support::{QUORATE, sandbox};
use serde_json::Value;

/// One cluster at a time: each has several processes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> impl Drop {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn three_members_form_in_any_order() {
    let _turn = turn();
    for (order, pause) in [([0, 1, 2], 0), ([2, 0, 1], 700), ([1, 2, 0], 1500)] {
        forms_in(&order, Duration::from_millis(pause));
    }
}

#[test]
fn five_members_form_in_any_order() {
    let _turn = turn();
    for (order, pause) in [([4, 2, 0, 3, 1], 0), ([1, 3, 0, 4, 2], 500)] {
        forms_in(&order, Duration::from_millis(pause));
    }
}

/// Members that are there do not form a cluster before the last one is.
fn forms_in(order: &[usize], pause: Duration) {
    let mut cluster = Cluster::new(order.len());
    let (last, others) = order.split_last().expect("somebody starts");
    for member in others {
        cluster.start(*member);
        sleep(pause);
    }
    cluster.start(*last);
    cluster.await_ready();
    assert_reads_everywhere(&cluster);
    let ids: Vec<String> = (0..cluster.size()).map(|member| cluster_id(&cluster, member)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one cluster: {ids:?}");
}

#[test]
fn nobody_forms_a_cluster_without_the_others() {
    let _turn = turn();
    let mut cluster = Cluster::new(3);
    cluster.start(0);
    cluster.start(1);
    let said = wait_for("somebody is waited for", || {
        let log = cluster.process(0).log();
        log.lines()
            .find(|line| line.contains("waiting to form") && line.contains("infra2"))
            .map(str::to_owned)
    });
    assert!(!said.contains("infra0 ("), "it does not wait for itself: {said}");
    for member in [0, 1] {
        assert!(!cluster.process(member).log().contains("became the leader"));
        assert!(!cluster.data_dir(member).join("quorate/wal").exists(), "no log without a cluster");
    }
    cluster.start(2);
    cluster.await_ready();
    assert_reads_everywhere(&cluster);
}

/// More than one address on either side, all of them in the list and all of them answering.
#[test]
fn a_member_listens_on_and_advertises_several_addresses() {
    let _turn = turn();
    let mut cluster = Cluster::new(2);
    let (first, second) = (cluster.peer_url(0), cluster.peer_url(1));
    let both =
        |url: &str| format!("{url},{}", url.replace(":2380", ":3380").replace(":2390", ":3390"));
    let clients =
        format!("{},{}", cluster.url(0, ""), cluster.url(0, "").replace(":2379", ":3379"));
    let list = [("infra0", both(&first)), ("infra1", both(&second))]
        .map(|(name, urls)| urls.split(',').map(|url| format!("{name}={url}")).collect::<Vec<_>>())
        .concat()
        .join(",");
    for (member, urls) in [both(&first), both(&second)].iter().enumerate() {
        let mut command = cluster.command(member);
        command.args(["-initial-advertise-peer-urls", urls, "-listen-peer-urls", urls]);
        command.args(["-initial-cluster", &list]);
        if member == 0 {
            command.args(["-listen-client-urls", &clients, "-advertise-client-urls", &clients]);
        }
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    cluster.put(1, "/a", "1");
    for url in clients.split(',') {
        let read = cluster.client.get(&format!("{url}/v2/keys/a?quorum=true")).expect("answered");
        assert_eq!(read.ok().at("/node/value"), "1");
    }
    for (member, url) in [(0, &first), (1, &second)] {
        for url in both(url).split(',') {
            let peer = cluster.client.get(&format!("{url}/members")).expect("answered");
            assert_eq!(peer.status, 200, "{url} of member {member}");
        }
    }
}

/// A write at each member is read through the quorum at every other.
fn assert_reads_everywhere(cluster: &Cluster) {
    for writer in 0..cluster.size() {
        let (key, value) = (format!("/from{writer}"), format!("value{writer}"));
        let written = cluster.put(writer, &key, &value);
        for reader in (0..cluster.size()).filter(|reader| *reader != writer) {
            let read = cluster.get_quorum(reader, &key).ok();
            assert_eq!(read.at("/node/value"), value);
            assert_eq!(read.at("/node/modifiedIndex"), written.at("/node/modifiedIndex"));
        }
    }
}

fn cluster_id(cluster: &Cluster, member: usize) -> String {
    let answer = cluster.get_local(member, "/");
    answer.header("X-Etcd-Cluster-ID").expect("keys say the cluster").to_owned()
}

/// What the guide's commands are moved to: the peer URLs of a recorded identity.
struct Guide {
    token: &'static str,
    /// Peer and client URL of each.
    members: [(&'static str, &'static str); 3],
}

impl Guide {
    fn list(&self) -> String {
        let pair = |(number, (peer, _)): (usize, &(&str, &str))| format!("infra{number}={peer}");
        self.members.iter().enumerate().map(pair).collect::<Vec<_>>().join(",")
    }

    /// The guide's command for one member, after the program's name. Each client port is also
    /// listened on at `local`, as in the guide.
    fn arguments(&self, number: usize, local: Option<&str>) -> Vec<String> {
        let (peer, client) = self.members[number];
        let clients = match local {
            Some(local) => format!("{client},{local}"),
            None => client.to_owned(),
        };
        let (name, list) = (format!("infra{number}"), self.list());
        [
            ["-name", &name],
            ["-initial-advertise-peer-urls", peer],
            ["-listen-peer-urls", peer],
            ["-listen-client-urls", &clients],
            ["-advertise-client-urls", client],
            ["-initial-cluster-token", self.token],
            ["-initial-cluster", &list],
            ["-initial-cluster-state", "new"],
        ]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
    }
}

/// Starts the guide's three commands with `program` before each, and checks the cluster.
fn run_guide(guide: &Guide, local: Option<&str>, program: impl Fn(usize) -> Command) {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let _members: Vec<Process> = (0..3)
        .map(|number| {
            let mut command = program(number);
            command.args(guide.arguments(number, local));
            cluster::isolate(&mut command);
            // The guide gives no data directory: it is made where the command is given.
            command.current_dir(dir.path());
            Process::start(command, &dir.path().join(format!("{number}.log")))
        })
        .collect();
    let expected = recorded(&guide.list(), guide.token);
    let client = Client::new();
    for (_, url) in &guide.members {
        assert_identity(&client, url, &expected);
    }
    let [(_, first), (_, second), (_, third)] = guide.members;
    client.put(&format!("{first}/v2/keys/message"), "value=Hello world").expect("answered").ok();
    for url in [second, third] {
        let read = client.get(&format!("{url}/v2/keys/message?quorum=true")).expect("answered");
        assert_eq!(read.ok().at("/node/value"), "Hello world");
    }
    for number in 0..3 {
        assert!(
            dir.path().join(format!("infra{number}.quorate")).is_dir(),
            "the default -data-dir"
        );
    }
}

/// Waits until all members of the guide have published themselves, and compares the IDs.
fn assert_identity(client: &Client, url: &str, expected: &Identity) {
    let members = wait_for("all members have a name", || {
        let answer = client.get(&format!("{url}/v2/members")).ok()?;
        let named = |member: &Value| member["name"] != "";
        let members = answer.at("/members");
        let members = members.as_array()?;
        (members.len() == expected.members.len() && members.iter().all(named)).then_some(answer)
    });
    let cluster = |answer: &Answer| answer.header("X-Etcd-Cluster-ID").map(str::to_owned);
    assert_eq!(cluster(&members).as_ref(), Some(&expected.cluster));
    let keys = client.get(&format!("{url}/v2/keys/?quorum=true")).expect("answered").ok();
    assert_eq!(cluster(&keys).as_ref(), Some(&expected.cluster));
    let list = members.at("/members");
    let mut found: Vec<(String, String)> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| (m["name"].as_str().unwrap_or("").into(), m["id"].as_str().unwrap_or("").into()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected.members);
}

#[test]
fn the_guides_commands_moved_to_loopback() {
    let guide = Guide {
        token: "etcd-cluster-1",
        members: [
            ("http://127.0.1.10:21380", "http://127.0.1.10:21379"),
            ("http://127.0.1.11:21380", "http://127.0.1.11:21379"),
            ("http://127.0.1.12:21380", "http://127.0.1.12:21379"),
        ],
    };
    let _turn = turn();
    let urls = guide.members.iter().flat_map(|(peer, client)| [peer, client]);
    let addresses: Vec<_> = urls.map(|url| url.trim_start_matches("http://")).collect();
    // The IDs hang on the addresses, so no others will do.
    let _fixed = match crate::support::address::Fixed::claim(&addresses) {
        Ok(fixed) => fixed,
        Err(why) => return crate::support::left_out("the_guides_commands_moved_to_loopback", why),
    };
    run_guide(&guide, None, |_| Command::new(QUORATE));
}

#[test]
fn the_guides_commands_with_its_own_addresses() {
    let guide = Guide {
        token: "etcd-cluster-1",
        members: [
            ("http://10.0.1.10:2380", "http://10.0.1.10:2379"),
            ("http://10.0.1.11:2380", "http://10.0.1.11:2379"),
            ("http://10.0.1.12:2380", "http://10.0.1.12:2379"),
        ],
    };
    assert_eq!(recorded(&guide.list(), guide.token).cluster, "acccc8912db0cd57");
    let name = "the_guides_commands_with_its_own_addresses";
    if !sandbox::inside(module_path!(), name, &["--net", "--mount"], &["ip", "nsenter", "mount"]) {
        return;
    }
    sandbox::make_machines(3);
    run_guide(&guide, Some("http://127.0.0.1:2379"), |number| {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/infra{number}")).arg(QUORATE);
        command
    });
}
