//! The service that ran discovery.etcd.io, as Debian packages it: with Quorate as its store, and
//! with members of Quorate that find each other through it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::address::own_address;
use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::process::Process;
use crate::support::refusal::run;
use crate::support::token::{registered_at, through};
use crate::support::wait::wait_until;
use crate::support::{Missing, left_out};

/// The program of the package etcd-discovery. It needs the package's configuration too.
fn program() -> Option<PathBuf> {
    let path = PathBuf::from("discovery.etcd.io");
    let mut help = Command::new(&path);
    let installed = help.arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    (installed && Path::new("/etc/etcd-discovery/etcd-discovery.conf").exists()).then_some(path)
}

#[test]
fn the_service_of_debian_keeps_its_tokens_in_quorate_and_members_form_by_them() {
    let Some(program) = program() else {
        return left_out(
            "Debian's discovery service",
            Missing::Program("etcd-discovery".to_owned()),
        );
    };
    let store = Cluster::started(3);
    let address = own_address();
    let base = format!("http://{address}:2379");
    let mut command = Command::new(program);
    command.args(["-a", &format!("{address}:2379"), "-h", &base, "-e", &store.url(0, "")]);
    let mut service = Process::start(command, &store.dir().join("service.log"));
    let client = Client::new();
    let get = |path: &str| client.get(&format!("{base}{path}"));
    // It makes a token and deletes it again.
    wait_until("the service is well", || {
        assert!(service.runs(), "it ended");
        get("/health").is_ok_and(|answer| (answer.status, answer.body.as_str()) == (200, "OK"))
    });
    let url = get("/new?size=3").expect("an answer").ok().body;
    assert!(url.starts_with(&format!("{base}/")), "{url}");
    let mut cluster = Cluster::new(4);
    for member in 0..3 {
        let command = through(&cluster, member, &url);
        cluster.start_as(member, command);
    }
    for member in 0..3 {
        cluster.await_member(member);
    }
    cluster.put(1, "/a", "1");
    assert_eq!(cluster.get_quorum(2, "/a").at("/node/value"), "1");
    assert_eq!(registered_at(&client, &url).len(), 3);
    let token = url.rsplit('/').next().expect("a token");
    let kept = store.get_quorum(2, &format!("/_etcd/registry/{token}"));
    assert_eq!(kept.at("/node/nodes").as_array().map(Vec::len), Some(3));

    let mut fourth = through(&cluster, 3, &url);
    fourth.args(["-discovery-fallback", "exit"]);
    run(fourth).assert_refused(1, "discovery: cluster is full");
    // It answers 404 to what it knows of no token.
    let ended = run(through(&cluster, 3, &format!("{base}/{}", "0".repeat(32))));
    let words = "the cluster doesn't have a size configuration value in";
    assert!(ended.status == Some(1) && ended.output.contains(words), "{ended:?}");
}
