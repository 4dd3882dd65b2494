//! The guide's *DNS Discovery* section, and what it says nothing about: records that are late,
//! partial, wrong or cannot be had.

use std::process::Command;

use crate::support::certificates::Authority;
use crate::support::client::Client;
use crate::support::cluster::{self, Cluster, name};
use crate::support::dns::NameServer;
use crate::support::identity::recorded;
use crate::support::process::Process;
use crate::support::refusal::{is_absent, run};
use crate::support::wait::{wait_for, wait_until};
use crate::support::{QUORATE, sandbox};

const SIZE: usize = 3;
const PLAIN: &str = "_etcd-server._tcp.example.com";
const SSL: &str = "_etcd-server-ssl._tcp.example.com";

fn host(member: usize) -> String {
    format!("{}.example.com", name(member))
}

/// The port of a member's peer URL.
fn port(cluster: &Cluster, member: usize) -> u16 {
    let url = cluster.peer_url(member);
    url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a URL has a port")
}

/// A name server with a record for each of these members under `service`.
fn zone(cluster: &Cluster, service: &str, members: &[usize]) -> NameServer {
    let server = NameServer::start();
    publish(&server, cluster, service, members);
    server
}

/// Puts the records of these members in the place of those that were there.
fn publish(server: &NameServer, cluster: &Cluster, service: &str, members: &[usize]) {
    let hosts: Vec<(String, u16)> =
        members.iter().map(|member| (host(*member), port(cluster, *member))).collect();
    let records: Vec<(&str, u16)> = hosts.iter().map(|(host, port)| (&**host, *port)).collect();
    server.services(service, &records);
    for (host, _) in &hosts {
        server.host(host, &[cluster.host().trim_matches(['[', ']'])]);
    }
}

fn command(cluster: &Cluster, server: &NameServer, member: usize) -> Command {
    let mut command = cluster.command(member);
    command.args(["-discovery-srv", "example.com", "-discovery-srv-resolver", &server.address()]);
    command
}

fn start(cluster: &mut Cluster, server: &NameServer, member: usize) {
    let command = command(cluster, server, member);
    cluster.start_as(member, command);
}

fn await_log(cluster: &mut Cluster, member: usize, part: &str) {
    let process = cluster.process(member);
    wait_until(&format!("member {member} says {part:?}"), || {
        assert!(process.runs(), "member {member} ended");
        process.log().contains(part)
    });
}

/// Each member reads what another has written, and knows all by their real names.
fn assert_serves(cluster: &mut Cluster) {
    cluster.await_ready();
    for member in 0..cluster.size() {
        let key = format!("/from{member}");
        cluster.put(member, &key, "1");
        let reader = (member + 1) % cluster.size();
        assert_eq!(cluster.get_quorum(reader, &key).at("/node/value"), "1");
    }
    let url = cluster.url(0, "/v2/members");
    let size = cluster.size();
    wait_for("all members are known by the names they have", || {
        let answer = cluster.client.get(&url).ok()?;
        let mut names: Vec<String> = (0..size)
            .filter_map(|at| Some(answer.at(&format!("/members/{at}/name")).as_str()?.to_owned()))
            .collect();
        names.sort();
        (names == (0..size).map(name).collect::<Vec<_>>()).then_some(())
    });
}

#[test]
fn members_that_advertise_addresses_and_names_form_one_cluster() {
    let mut cluster = Cluster::new(SIZE);
    let server = zone(&cluster, PLAIN, &[0, 1, 2]);
    for member in 0..SIZE {
        let mut command = command(&cluster, &server, member);
        if member == 1 {
            let url = format!("http://{}:{}", host(member), port(&cluster, member));
            command.args(["-initial-advertise-peer-urls", &url, "-listen-peer-urls", &url]);
        }
        cluster.start_as(member, command);
    }
    assert_serves(&mut cluster);

    // With data DNS is asked for no list, whatever it has become.
    server.services(PLAIN, &[("nobody.example.com", 1)]);
    cluster.kill_all();
    let before = server.asked().iter().filter(|asked| asked.starts_with('_')).count();
    for member in 0..SIZE {
        start(&mut cluster, &server, member);
    }
    assert_serves(&mut cluster);
    await_log(&mut cluster, 0, "-discovery-srv is ignored: the data directory");
    let after = server.asked().iter().filter(|asked| asked.starts_with('_')).count();
    assert_eq!(before, after, "SRV records were asked for again");
}

/// The same flags on every machine: for those that form the cluster, for one that is added later, and
/// for all of them ever after.
#[test]
fn auto_joins_the_cluster_of_the_records() {
    let mut cluster = Cluster::new(SIZE);
    let server = zone(&cluster, PLAIN, &[0, 1]);
    let auto = |cluster: &mut Cluster, member: usize| {
        let mut command = command(cluster, &server, member);
        command.args(["-initial-cluster-state", "auto"]);
        cluster.start_as(member, command);
    };
    for member in [0, 1] {
        auto(&mut cluster, member);
    }
    cluster.await_ready();
    cluster.put(0, "/before", "it came");
    publish(&server, &cluster, PLAIN, &[0, 1, 2]);
    auto(&mut cluster, 2);
    assert_eq!(cluster.process(2).wait().code(), Some(1), "nobody has added it");
    assert!(cluster.process(2).log().contains("have it added to the cluster"));
    cluster.forget(2);

    let url = format!("http://{}:{}", host(2), port(&cluster, 2));
    let body = format!("{{\"peerURLs\":[\"{url}\"]}}");
    let added = cluster.client.post_json(&cluster.url(0, "/v2/members"), &body);
    assert_eq!(added.expect("answered").status, 201);
    auto(&mut cluster, 2);
    cluster.await_ready();
    assert_eq!(cluster.await_equal("/before").at("/node/value"), "it came");
    cluster.kill_all();
    for member in 0..SIZE {
        auto(&mut cluster, member);
    }
    assert_serves(&mut cluster);
}

#[test]
fn records_that_are_late_are_waited_for() {
    let mut cluster = Cluster::new(SIZE);
    let server = NameServer::start();
    start(&mut cluster, &server, 0);
    await_log(&mut cluster, 0, &format!("{PLAIN}: no SRV record"));

    // Somebody else is there already, and then a target that does not resolve.
    publish(&server, &cluster, PLAIN, &[1, 2]);
    await_log(&mut cluster, 0, "not this member: the host of");
    publish(&server, &cluster, PLAIN, &[0, 1, 2]);
    server.host(&host(2), &[]);
    start(&mut cluster, &server, 1);
    await_log(&mut cluster, 1, &format!("{}:2400 → not resolved: no such name", host(2)));
    publish(&server, &cluster, PLAIN, &[0, 1, 2]);
    start(&mut cluster, &server, 2);
    assert_serves(&mut cluster);
}

#[test]
fn records_that_reach_some_resolvers_late_are_taken_over_before_anything_is_formed() {
    let mut cluster = Cluster::new(SIZE);
    let (late, whole) = (zone(&cluster, PLAIN, &[0, 1]), zone(&cluster, PLAIN, &[0, 1, 2]));
    start(&mut cluster, &late, 0);
    start(&mut cluster, &whole, 1);
    await_log(&mut cluster, 0, "it has another list or token");
    publish(&late, &cluster, PLAIN, &[0, 1, 2]);
    start(&mut cluster, &whole, 2);
    assert_serves(&mut cluster);
}

#[test]
fn resolvers_that_go_on_to_differ_are_shown() {
    let mut cluster = Cluster::new(SIZE);
    let (late, whole) = (zone(&cluster, PLAIN, &[0, 1]), zone(&cluster, PLAIN, &[0, 1, 2]));
    start(&mut cluster, &whole, 1);
    let mut command = command(&cluster, &late, 0);
    command.args(["-discovery-srv-timeout", "1000"]);
    let ended = run(command);
    ended.assert_refused(
        1,
        "error setting up initial cluster: members have different lists from DNS under example.com \
         after 1s",
    );
    let (own, theirs) = (ended.hints()[0], ended.hints()[1]);
    assert!(own.starts_with("infra0, here, has ") && !own.contains(&host(2)), "{ended:#?}");
    assert!(theirs.contains("it has another list") && theirs.contains(&host(2)), "{ended:#?}");
}

#[test]
fn a_failing_name_server_is_no_reason_to_do_without_tls() {
    let mut cluster = Cluster::new(1);
    let server = zone(&cluster, PLAIN, &[0]);
    server.fail(SSL, true);
    start(&mut cluster, &server, 0);
    await_log(&mut cluster, 0, &format!("{SSL}: not answered"));
    assert!(!server.asked().iter().any(|asked| asked == PLAIN));
    server.fail(SSL, false);
    assert_serves(&mut cluster);
}

#[test]
fn a_list_that_does_not_become_whole_is_refused_with_its_table() {
    let cluster = Cluster::new(2);
    let server = zone(&cluster, PLAIN, &[0, 1]);
    server.host(&host(1), &[]);
    let refused = |server: &NameServer, lines: &[&str]| {
        let mut command = command(&cluster, server, 0);
        command.args(["-discovery-srv-timeout", "300"]);
        let ended = run(command);
        ended.assert_refused(
            1,
            "error setting up initial cluster: no list of members in DNS under example.com after \
             300ms",
        );
        for line in lines {
            assert!(ended.hints().iter().any(|hint| hint == line), "no {line:?} in {ended:#?}");
        }
        assert!(is_absent(&cluster.data_dir(0)));
    };
    let own = cluster.host();
    refused(
        &server,
        &[
            &format!("{}:2380 → {own}: this member", host(0)),
            &format!("{}:2390 → not resolved: no such name", host(1)),
        ],
    );
    publish(&server, &cluster, PLAIN, &[1]);
    let elsewhere =
        format!("not this member: the host of {}, at another port", cluster.peer_url(0));
    refused(&server, &[&format!("{}:2390 → {own}: {elsewhere}", host(1))]);
    let nothing = NameServer::start();
    refused(&nothing, &[&format!("{SSL}: no SRV record"), &format!("{PLAIN}: no SRV record")]);
}

#[test]
fn a_member_that_advertises_http_does_not_fit_records_for_tls() {
    let cluster = Cluster::new(1);
    let server = zone(&cluster, SSL, &[0]);
    let ended = run(command(&cluster, &server, 0));
    ended.assert_refused(
        1,
        "error setting up initial cluster: infra0 has different advertised URLs in the cluster and \
         advertised peer URLs list",
    );
    let line =
        format!("{}:2380 → {}: this member, but the record is for https", host(0), cluster.host());
    assert!(ended.hints().contains(&line.as_str()), "{ended:#?}");
}

/// Three members with certificates on both ports, found by the records of TLS, next to which those
/// without TLS count for nothing.
#[test]
fn a_cluster_over_tls_forms_from_the_records_of_tls_alone() {
    let authority = Authority::new("members and clients");
    let own = authority.issue(&["client"]);
    let mut cluster = Cluster::new(SIZE).speaking_tls(Client::secure(&authority, Some(&own)));
    let server = zone(&cluster, SSL, &[0, 1, 2]);
    server.services(PLAIN, &[("nobody.example.com", 1)]);
    let dir = cluster.dir().to_owned();
    authority.write(&dir.join("ca.pem"));
    for member in 0..SIZE {
        // Members meet under the names of the records, and clients come to the address.
        let issued = authority.issue(&[&host(member), cluster.host()]);
        issued.write(&dir, &name(member));
        let mut command = command(&cluster, &server, member);
        for side in ["", "peer-"] {
            command
                .arg(format!("-{side}cert-file"))
                .arg(dir.join(format!("{}.pem", name(member))))
                .arg(format!("-{side}key-file"))
                .arg(dir.join(format!("{}.key", name(member))))
                .arg(format!("-{side}trusted-ca-file"))
                .arg(dir.join("ca.pem"))
                .arg(format!("-{side}client-cert-auth"));
        }
        cluster.start_as(member, command);
    }
    assert_serves(&mut cluster);
}

#[test]
fn ipv6_alone_is_enough_for_a_list_for_records_and_for_discovery() {
    let name = "ipv6_alone_is_enough_for_a_list_for_records_and_for_discovery";
    if !sandbox::inside(module_path!(), name, &["--net"], &["ip"]) {
        return;
    }
    // The name server of the test is at the only address of IPv4.
    sandbox::run(Command::new("ip").args(["link", "set", "lo", "up"])).expect("a loopback");
    let mut cluster = Cluster::new(SIZE).at("[::1]");
    cluster.start_all();
    cluster.await_ready();
    drop(cluster);
    let mut cluster = Cluster::new(SIZE).at("[::1]");
    let server = zone(&cluster, PLAIN, &[0, 1, 2]);
    for member in 0..SIZE {
        start(&mut cluster, &server, member);
    }
    assert_serves(&mut cluster);

    // That cluster is the discovery service of the next one.
    let token = cluster.url(0, "/v2/keys/discovery/token");
    cluster.put(0, "/discovery/token/_config/size", "3");
    let dir = tempfile::tempdir().expect("a directory for the test");
    let members: Vec<Process> = (0..SIZE)
        .map(|member| {
            let url = |port: usize| format!("http://[::1]:{}", port + 10 * member);
            let (peer, client) = (url(3380), url(3379));
            let mut command = Command::new(QUORATE);
            command.args(["-name", &cluster::name(member), "-discovery", &token]);
            command.args(["-initial-advertise-peer-urls", &peer, "-listen-peer-urls", &peer]);
            command.args(["-advertise-client-urls", &client, "-listen-client-urls", &client]);
            cluster::isolate(&mut command);
            command.current_dir(dir.path());
            Process::start(command, &dir.path().join(format!("{member}.log")))
        })
        .collect();
    wait_until("the cluster takes a write", || {
        let answer = cluster.client.put("http://[::1]:3379/v2/keys/message", "value=Hello");
        answer.is_ok_and(|answer| answer.status < 300)
    });
    drop(members);
}

/// The guide's records, with the guide's commands in both variants, on three machines with a real
/// name server.
#[test]
fn the_guides_commands_with_its_own_records() {
    let test = "the_guides_commands_with_its_own_records";
    let tools = ["ip", "nsenter", "mount", "dnsmasq"];
    if !sandbox::inside(module_path!(), test, &["--net", "--mount"], &tools) {
        return;
    }
    sandbox::make_machines(SIZE);
    sandbox::run(Command::new("ip").args(["link", "set", "lo", "up"])).expect("a loopback");
    let dir = tempfile::tempdir().expect("a directory for the test");
    let resolv = dir.path().join("resolv.conf");
    std::fs::write(&resolv, "nameserver 10.0.1.1\n").expect("a file is written");
    sandbox::run(Command::new("mount").arg("--bind").arg(&resolv).arg("/etc/resolv.conf"))
        .expect("a resolv.conf of one's own");
    let mut dnsmasq = Command::new("dnsmasq");
    dnsmasq.args([
        "--keep-in-foreground",
        "--no-hosts",
        "--no-resolv",
        "--user=root",
        "--pid-file=",
    ]);
    dnsmasq.args([
        "--listen-address=10.0.1.1",
        "--bind-interfaces",
        "--conf-file=/dev/null",
        "--local=/example.com/",
    ]);
    for member in 0..SIZE {
        dnsmasq.arg(format!("--srv-host={PLAIN},{},2380", host(member)));
        dnsmasq.arg(format!("--host-record={},10.0.1.1{member}", host(member)));
    }
    let _dnsmasq = Process::start(dnsmasq, &dir.path().join("dnsmasq.log"));

    let list: Vec<String> =
        (0..SIZE).map(|member| format!("{}=http://{}:2380", name(member), host(member))).collect();
    let expected = recorded(&list.join(","), "etcd-cluster-1");
    for at in [host, |member| format!("10.0.1.1{member}")] {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let _members: Vec<Process> = (0..SIZE)
            .map(|member| {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/run/netns/{}", name(member))).arg(QUORATE);
                let (peer, client) =
                    (format!("http://{}:2380", at(member)), format!("http://{}:2379", at(member)));
                command.args(["-name", &name(member), "-discovery-srv", "example.com"]);
                command.args(["-initial-advertise-peer-urls", &peer]);
                command.args(["-initial-cluster-token", "etcd-cluster-1"]);
                command.args(["-initial-cluster-state", "new"]);
                command.args(["-advertise-client-urls", &client, "-listen-client-urls", &client]);
                command.args(["-listen-peer-urls", &peer]);
                cluster::isolate(&mut command);
                command.current_dir(dir.path());
                Process::start(command, &dir.path().join(format!("{member}.log")))
            })
            .collect();
        let client = Client::new();
        let keys = |member: usize| format!("http://10.0.1.1{member}:2379/v2/keys/message");
        let written = wait_for("the cluster takes a write", || {
            let answer = client.put(&keys(0), "value=Hello world").ok()?;
            (answer.status < 300).then_some(answer)
        });
        let cluster = written.header("X-Etcd-Cluster-ID");
        assert_eq!(cluster, Some(expected.cluster.as_str()), "whichever way they advertise");
        for member in 0..SIZE {
            let read = client.get(&format!("{}?quorum=true", keys(member))).expect("answered");
            assert_eq!(read.ok().at("/node/value"), "Hello world");
        }
        // With the directory that it makes the proxy needs no records any more.
        for flags in [&["--proxy", "on", "-discovery-srv", "example.com"][..], &["--proxy", "on"]] {
            let mut command = Command::new(QUORATE);
            cluster::isolate(&mut command);
            command.args(flags).current_dir(dir.path());
            let _proxy = Process::start(command, &dir.path().join("proxy.log"));
            wait_until("the proxy forwards", || {
                let read = client.get("http://localhost:2379/v2/keys/message?quorum=true");
                read.is_ok_and(|read| read.at("/node/value") == "Hello world")
            });
        }
    }
}
