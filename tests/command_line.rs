//! The command line: what is refused leaves no trace, and what a member with data ignores.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::QUORATE;
use crate::support::cluster::{Cluster, contents, isolate};
use crate::support::refusal::{Ended, run};
use tempfile::TempDir;

/// The command in a directory of its own, which is where a member without `-data-dir` would begin.
fn quorate(args: &[&str], environment: &[(&str, &str)]) -> (Command, TempDir) {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let mut command = Command::new(QUORATE);
    isolate(&mut command);
    command.args(args).envs(environment.iter().copied()).current_dir(dir.path());
    (command, dir)
}

/// Runs a command that is to be refused, and finds nothing afterwards.
fn refused(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let (command, dir) = quorate(args, environment);
    let log = tempfile::tempdir().expect("a directory for the output");
    let mut process = crate::support::process::Process::start(command, &log.path().join("output"));
    let ended = Ended { status: process.wait().code(), output: process.log() };
    let left = fs::read_dir(dir.path()).expect("a directory can be listed").count();
    assert_eq!(left, 0, "{args:?} left something");
    assert!(!ended.hints().is_empty(), "{args:?}: {ended:?}");
    ended
}

const LIST: &str = "infra0=http://10.0.1.10:2380";
const ADVERTISED: [&str; 4] =
    ["-name", "infra0", "-initial-advertise-peer-urls", "http://10.0.1.10:2380"];

#[test]
fn what_is_wrong_is_refused_without_a_trace() {
    let table: [(&[&str], i32, &str); 19] = [
        (&["-nosuchflag"], 2, "flag provided but not defined: -nosuchflag"),
        (&["---name", "x"], 2, "bad flag syntax: ---name"),
        (&["-name"], 2, "flag needs an argument: -name"),
        (&["-name", "a", "foo"], 1, "error verifying flags, 'foo' is not a valid flag"),
        (
            &["-force-new-cluster=maybe"],
            2,
            "invalid boolean value \"maybe\" for -force-new-cluster: parse error",
        ),
        (&["-proxy", "foo"], 2, "invalid value \"foo\" for flag -proxy: invalid value"),
        (
            &["-initial-cluster-state", ""],
            2,
            "invalid value \"\" for flag -initial-cluster-state: invalid value",
        ),
        (
            &["-peers", "127.0.0.1:7001"],
            2,
            "invalid value \"127.0.0.1:7001\" for flag -peers: flag \"-peers\" is no longer \
             supported.",
        ),
        (
            &["-addr", "127.0.1.10"],
            2,
            "invalid value \"127.0.1.10\" for flag -addr: address 127.0.1.10: missing port in \
             address",
        ),
        (
            &["-addr", "h:1", "-advertise-client-urls", "http://h:1"],
            1,
            "error verifying flags, Set only one of flags -advertise-client-urls and -addr.",
        ),
        (
            &["-peer-addr", "h:1", "-initial-advertise-peer-urls", "http://h:1"],
            1,
            "error verifying flags, Set only one of flags -initial-advertise-peer-urls and \
             -peer-addr.",
        ),
        (
            &["-discovery", "http://127.0.0.1:1/token", "-initial-cluster", LIST],
            1,
            "error verifying flags, multiple discovery or bootstrap flags are set. Choose one of \
             \"initial-cluster\", \"discovery\" or \"discovery-srv\"",
        ),
        (
            &["-discovery", "http://127.0.0.1:1/token", "-initial-cluster-state", "existing"],
            1,
            "discovery URL should not be set when joining existing initial cluster",
        ),
        (
            &["-election-timeout", "60000"],
            1,
            "error verifying flags, -election-timeout[60000ms] is too long, and should be set \
             less than 50000ms",
        ),
        (
            &["-listen-peer-urls", "http://127.0.0.1:1,http://127.0.0.1:1"],
            1,
            "listen tcp 127.0.0.1:1: bind: address already in use",
        ),
        (
            &["-cert-file", "server.crt"],
            1,
            "error verifying flags, -cert-file and -key-file go together",
        ),
        (
            &["-initial-cluster-state", "existing"],
            1,
            "cannot fetch cluster info from peer urls: could not retrieve cluster information from \
             the given urls",
        ),
        (
            &["-force-new-cluster"],
            1,
            "-force-new-cluster needs the data of a member, and there is none",
        ),
        (
            &["-listen-peer-urls", "https://127.0.0.1:1"],
            1,
            "cannot listen on TLS for https://127.0.0.1:1: KeyFile and CertFile are not presented",
        ),
    ];
    for (args, status, line) in table {
        refused(args, &[]).assert_refused(status, line);
    }
}

#[test]
fn what_is_wrong_in_the_environment_is_refused_too() {
    let table: [(&[(&str, &str)], &str); 3] = [
        (
            &[("ETCD_INITIAL_CLUSTER_STATE", "foo")],
            "invalid value \"foo\" for ETCD_INITIAL_CLUSTER_STATE: invalid value",
        ),
        (
            &[("ETCD_INITIAL_ADVERTISE_PEER_URLS", "foo"), ("ETCD_PROXY", "q")],
            "invalid value \"q\" for ETCD_PROXY: invalid value",
        ),
        (
            &[("ETCD_PEERS", "127.0.0.1:7001")],
            "invalid value \"127.0.0.1:7001\" for ETCD_PEERS: flag \"-peers\" is no longer \
             supported.",
        ),
    ];
    for (environment, line) in table {
        refused(&[], environment).assert_refused(1, line);
    }
    let args = [&ADVERTISED[..], &["-discovery", "http://127.0.0.1:1/token"]].concat();
    let ended = refused(&args, &[("ETCD_INITIAL_CLUSTER", LIST)]);
    assert!(ended.hints()[0].contains("ETCD_INITIAL_CLUSTER is infra0="), "{ended:?}");
}

#[test]
fn what_only_prints_makes_nothing() {
    for (args, shown) in [
        (&["-help"][..], "Clustering flags:"),
        (&["--version"], "etcd API 3.4.23"),
        (&["man"], ".TH quorate"),
        (&["completions", "bash"], "--initial-cluster-token"),
        (&["-print-config"], "  initial-cluster-token = \"etcd-cluster\" (default)"),
        (&["--print-config=json", "-name", "infra0"], "\"origin\": \"flag\""),
    ] {
        let (mut command, dir) = quorate(args, &[]);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(shown), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
    }
}

/// The settings are shown also if they are refused, and then they are refused.
#[test]
fn printed_settings_are_judged() {
    let ended = refused(&["-print-config", "-election-timeout", "400"], &[]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.output.contains("election-timeout = \"400\" (flag)"), "{ended:?}");
    assert!(ended.output.contains("should be at least as 5 times"), "{ended:?}");
    let ended = refused(&["-print-config", "-initial-cluster-state", "%%%"], &[]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.hints().iter().any(|hint| hint.contains("has data ignores")), "{ended:?}");
}

/// A refused start on the data of a member leaves it as it was, and the member starts afterwards.
#[test]
fn refused_flags_do_not_touch_data() {
    let mut cluster = Cluster::started(1);
    cluster.put(0, "/kept", "yes");
    cluster.kill(0);
    let before = contents(&cluster.data_dir(0));
    for args in [
        &["-nosuchflag"][..],
        &["-election-timeout", "x"],
        &["-heartbeat-interval", "900"],
        &["-cert-file", "server.crt"],
    ] {
        let mut command = cluster.command(0);
        command.args(args);
        let ended = run(command);
        assert!(matches!(ended.status, Some(1 | 2)), "{args:?}: {ended:?}");
        assert!(contents(&cluster.data_dir(0)) == before, "{args:?} touched the data");
    }
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(cluster.get_quorum(0, "/kept").ok().at("/node/value"), "yes");
}

/// Everything that is for the first start, malformed, wrong or dead: one line each, and nobody is
/// asked.
#[test]
fn a_member_with_data_starts_whatever_the_flags_of_the_first_start_say() {
    let mut cluster = Cluster::started(1);
    cluster.put(0, "/kept", "yes");
    let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    service.set_nonblocking(true).expect("a socket of one's own");
    let url = format!("http://{}/token", service.local_addr().expect("it is bound"));
    let malformed: Vec<(&str, &str)> = [
        "initial-advertise-peer-urls",
        "initial-cluster",
        "initial-cluster-form",
        "initial-cluster-state",
        "initial-cluster-token",
        "discovery",
        "discovery-ca-file",
        "discovery-fallback",
        "discovery-proxy",
        "discovery-srv",
        "discovery-srv-resolver",
        "discovery-srv-timeout",
    ]
    .map(|flag| (flag, "%%%"))
    .into();
    let wrong = vec![
        ("initial-cluster", "stranger=http://10.9.9.9:1"),
        ("initial-cluster-token", "another"),
        ("initial-cluster-state", "existing"),
        ("discovery", url.as_str()),
        ("discovery-srv", "nodomain.invalid"),
    ];
    for flags in [malformed, wrong] {
        cluster.kill(0);
        let mut command = cluster.command(0);
        for (flag, value) in &flags {
            command.arg(format!("-{flag}={value}"));
        }
        cluster.start_as(0, command);
        cluster.await_ready();
        assert_eq!(cluster.get_quorum(0, "/kept").ok().at("/node/value"), "yes");
        let log = cluster.process(0).log();
        let dir = cluster.data_dir(0).display().to_string();
        for (flag, _) in &flags {
            let line = match *flag {
                "discovery" => format!(
                    "discovery token ignored since a cluster has already been initialized. Valid \
                     log found at {dir}"
                ),
                flag => format!("-{flag} is ignored: the data directory {dir} holds a member"),
            };
            assert_eq!(log.matches(&line).count(), 1, "{line} in {log}");
        }
    }
    assert!(service.accept().is_err(), "the discovery service was asked");
}

/// The name is published anew at each start; identities do not hang on it.
#[test]
fn a_member_may_be_renamed() {
    let mut cluster = Cluster::started(1);
    let member = |cluster: &Cluster| {
        cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered").at("/members/0")
    };
    let before = member(&cluster);
    assert_eq!(before["name"], "infra0");
    cluster.kill(0);
    let mut command = cluster.command(0);
    command.args(["-name", "othername"]);
    cluster.start_as(0, command);
    cluster.await_ready();
    let after = member(&cluster);
    assert_eq!((&after["name"], &after["id"]), (&"othername".into(), &before["id"]));
}

#[test]
fn a_member_stays_one_whatever_proxy_says() {
    let mut cluster = Cluster::started(1);
    cluster.put(0, "/kept", "yes");
    cluster.kill(0);
    let mut command = cluster.command(0);
    command.args(["-proxy", "on"]);
    cluster.start_as(0, command);
    cluster.await_ready();
    assert_eq!(cluster.get_quorum(0, "/kept").ok().at("/node/value"), "yes");
    assert_eq!(cluster.process(0).log().matches("-proxy is ignored: ").count(), 1);
}

/// The same from the environment, as the guide leaves it behind.
#[test]
fn the_environment_says_what_flags_say() {
    let mut cluster = Cluster::new(1);
    let mut command = cluster.command(0);
    command
        .env("ETCD_INITIAL_CLUSTER", cluster.list())
        .env("ETCD_INITIAL_CLUSTER_STATE", "new")
        .env("ETCD_NAME", "another")
        .env("ETCD_NO_SUCH_VARIABLE", "1");
    cluster.start_as(0, command);
    cluster.await_ready();
    let log = cluster.process(0).log();
    assert_eq!(log.matches("ETCD_NAME is ignored: the flag -name is given").count(), 1, "{log}");
    assert_eq!(log.matches("ETCD_NO_SUCH_VARIABLE").count(), 1, "{log}");
    cluster.kill(0);
    let mut command = cluster.command(0);
    command.env("ETCD_INITIAL_CLUSTER", "%%%").env("ETCD_INITIAL_CLUSTER_STATE", "%%%");
    cluster.start_as(0, command);
    cluster.await_ready();
}

/// The four flags of the guide's table that still mean something.
#[test]
fn the_flags_of_0_4_make_the_same_member() {
    let cluster = Cluster::new(1);
    let ids = |cluster: &Cluster| {
        let members = cluster.client.get(&cluster.url(0, "/v2/members")).expect("answered").ok();
        members.at("/members/0")
    };
    let address = |url: String| url.trim_start_matches("http://").to_owned();
    let (peer, client) = (address(cluster.peer_url(0)), address(cluster.url(0, "")));
    let mut old = Command::new(QUORATE);
    isolate(&mut old);
    old.args(["-name", "infra0", "-data-dir"]).arg(cluster.data_dir(0));
    old.args(["-peer-addr", &peer, "-addr", &client]);
    old.args(["-peer-bind-addr", &peer, "-bind-addr", &client, "-snapshot", "-v=true"]);
    let mut cluster = cluster;
    cluster.start_as(0, old);
    cluster.await_ready();
    let log = cluster.process(0).log();
    assert!(log.contains("flag \"-snapshot\" is no longer supported - ignoring."), "{log}");
    let member = ids(&cluster);
    assert_eq!(member["peerURLs"][0], cluster.peer_url(0));
    assert_eq!(member["clientURLs"][0], cluster.url(0, ""));
    // With the flags of 2.0 it is the same member.
    cluster.kill(0);
    fs::remove_dir_all(cluster.data_dir(0)).expect("the directory is removed");
    cluster.start(0);
    cluster.await_ready();
    assert_eq!(ids(&cluster), member);
}

/// Nobody starts empty by mistake where etcd has left its data under the same name.
#[test]
fn the_data_of_etcd_beside_has_to_be_chosen_or_not() {
    let cluster = Cluster::new(1);
    let here = cluster.dir().join("here");
    let theirs = here.join("infra0.etcd/member/wal/0.wal");
    fs::create_dir_all(theirs.parent().expect("a directory")).expect("is made");
    fs::write(&theirs, "precious").expect("a file is written");
    let before = contents(&here);
    let start = |data_dir: Option<&Path>| {
        let mut command = Command::new(QUORATE);
        isolate(&mut command);
        let (peer, client) = (cluster.peer_url(0), cluster.url(0, ""));
        command.args(["-name", "infra0", "-listen-peer-urls", &peer]);
        command.args(["-initial-advertise-peer-urls", &peer]);
        command.args(["-listen-client-urls", &client, "-advertise-client-urls", &client]);
        if let Some(dir) = data_dir {
            command.arg("-data-dir").arg(dir);
        }
        command.current_dir(&here);
        crate::support::process::Process::start(command, &cluster.dir().join("log"))
    };
    let mut refused = start(None);
    let ended = Ended { status: refused.wait().code(), output: refused.log() };
    ended.assert_refused(
        1,
        "no -data-dir is given, and beside the default infra0.quorate, which is empty, there is \
         etcd's infra0.etcd",
    );
    assert!(ended.hints()[0].contains("-data-dir infra0.quorate"), "{ended:?}");
    assert!(contents(&here) == before, "a refused start left something");
    let _chosen = start(Some(Path::new("infra0.quorate")));
    crate::support::wait::wait_until("it answers", || {
        cluster.client.get(&cluster.url(0, "/v2/keys/")).is_ok_and(|answer| answer.status == 200)
    });
}
