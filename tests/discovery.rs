//! Members that find each other through a discovery service, with the commands of the guide moved
//! to loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use crate::support::cluster::{Cluster, contents, name};
use crate::support::etcd;
use crate::support::refusal::{Ended, run};
use crate::support::token::{registered, service, through, token};
use crate::support::wait::wait_until;

/// Waits until a member has said so.
fn await_said(cluster: &mut Cluster, member: usize, words: &str) {
    wait_until(&format!("{member} says {words}"), || {
        assert!(cluster.process(member).runs(), "member {member} ended");
        cluster.process(member).log().contains(words)
    });
}

/// Starts members one after the other; each waits for the rest.
fn join_all(cluster: &mut Cluster, url: &str) {
    for member in 0..cluster.size() {
        let command = through(cluster, member, url);
        cluster.start_as(member, command);
        let missing = cluster.size() - member - 1;
        if missing > 0 {
            let words = format!("found {} peer(s), waiting for {missing} more", member + 1);
            await_said(cluster, member, &words);
        }
    }
    cluster.await_ready();
}

fn member_names(cluster: &Cluster, member: usize) -> Vec<String> {
    let answer = cluster.client.get(&cluster.url(member, "/v2/members")).expect("an answer").ok();
    let members = answer.at("/members");
    let mut names: Vec<_> = members
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn members_find_each_other_through_a_token() {
    let service = service();
    let url = token(&service, "6c007a14875d53d9bf0ef5a6fc0257c817f0fb83", "3");
    let mut cluster = Cluster::new(3);
    join_all(&mut cluster, &url);
    assert_eq!(member_names(&cluster, 2), ["infra0", "infra1", "infra2"]);
    cluster.put(1, "/a", "1");
    assert_eq!(cluster.get_quorum(2, "/a").at("/node/value"), "1");
    assert_eq!(registered(&service, &url).len(), 3);

    // With data the token is ignored: the service may even be gone.
    drop(service);
    cluster.kill(0);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    cluster.await_member(0);
    let warning = format!(
        "discovery token ignored since a cluster has already been initialized. Valid log found at \
         {}",
        cluster.data_dir(0).display()
    );
    assert_eq!(cluster.process(0).log().matches(&warning).count(), 1);
}

#[test]
fn a_url_with_another_text_makes_another_cluster() {
    let service = service();
    let ids: Vec<String> = ["/", ""]
        .map(|end| {
            let url = token(&service, &format!("t{}", end.len()), "1") + end;
            let mut cluster = Cluster::new(1);
            join_all(&mut cluster, &url);
            let answer = cluster.get_local(0, "/");
            answer.header("X-Etcd-Cluster-ID").unwrap().to_owned()
        })
        .into();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_member_that_is_killed_while_it_waits_goes_on_where_it_was() {
    let service = service();
    let url = token(&service, "again", "2");
    let mut cluster = Cluster::new(2);
    for _ in 0..2 {
        let command = through(&cluster, 0, &url);
        cluster.start_as(0, command);
        await_said(&mut cluster, 0, "found 1 peer(s), waiting for 1 more");
        cluster.kill(0);
    }
    assert_eq!(registered(&service, &url).len(), 1);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    let command = through(&cluster, 1, &url);
    cluster.start_as(1, command);
    cluster.await_ready();
    assert_eq!(registered(&service, &url).len(), 2);
}

#[test]
fn a_service_that_is_away_is_waited_for() {
    let mut service = service();
    let url = token(&service, "away", "1");
    service.kill(0);
    let mut cluster = Cluster::new(1);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    await_said(&mut cluster, 0, "discovery: waiting for the service");
    assert_eq!(contents(&cluster.data_dir(0)), [], "nothing is touched before");
    service.start(0);
    cluster.await_ready();
}

#[test]
fn more_members_than_the_size_are_too_many() {
    let service = service();
    let url = token(&service, "full", "1");
    let mut cluster = Cluster::new(2);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    cluster.await_ready();
    let mut command = through(&cluster, 1, &url);
    command.args(["-discovery-fallback", "exit"]);
    let ended = run(command);
    ended.assert_refused(1, "discovery: cluster is full");
    assert!(ended.hints()[0].contains(&format!("infra0={}", cluster.peer_url(0))), "{ended:?}");
    assert_eq!(contents(&cluster.data_dir(1)), []);
    assert_eq!(registered(&service, &url).len(), 1);
}

/// Runs a member that is refused, and leaves no trace that would matter.
fn refused(cluster: &Cluster, member: usize, url: &str) -> Ended {
    run(through(cluster, member, url))
}

#[test]
fn tokens_without_a_sound_size_are_refused() {
    let service = service();
    let cluster = Cluster::new(1);
    for size in ["0", "-1", "abc", "", "3.5", " 3"] {
        let url = token(&service, "size", size);
        refused(&cluster, 0, &url).assert_refused(1, "discovery: size key is bad");
    }
    let never = service.url(0, "/v2/keys/discovery/never");
    let line =
        |url: &str| format!("the cluster doesn't have a size configuration value in {url}/_config");
    let ended = refused(&cluster, 0, &never);
    ended.assert_refused(1, &line(&never));
    assert!(ended.hints()[0].contains("knows no such token"), "{ended:?}");
    let nosize = service.url(0, "/v2/keys/discovery/nosize");
    service.client.put(&nosize, "dir=true").expect("an answer").ok();
    let ended = refused(&cluster, 0, &nosize);
    ended.assert_refused(1, &line(&nosize));
    assert!(ended.hints()[1].contains("/_config/size -d value=3"), "{ended:?}");
    for path in ["", "/", "/version", "/v2/members"] {
        refused(&cluster, 0, &service.url(0, path))
            .assert_refused(1, "discovery: bad discovery endpoint");
    }
    assert_eq!(contents(&cluster.data_dir(0)), []);
}

#[test]
fn registrations_of_others_are_told_from_ones_own() {
    let service = service();
    let cluster = Cluster::new(2);
    let own = format!("infra0={}", cluster.peer_url(0));
    let register = |url: &str, key: &str, value: &str| {
        service
            .client
            .put(&format!("{url}/{key}"), &format!("value={value}"))
            .expect("an answer")
            .ok();
    };
    // The same name elsewhere, the same URL under another key, and nothing that makes sense.
    let url = token(&service, "dupname", "3");
    register(&url, "1234", "infra0=http://other:2380");
    let ended = refused(&cluster, 0, &url);
    ended.assert_refused(
        1,
        &format!("member with duplicated name has registered with discovery service token({url})."),
    );
    let url = token(&service, "dupurl", "3");
    register(&url, "1234", &format!("other={}", cluster.peer_url(0)));
    let ended = refused(&cluster, 0, &url);
    ended.assert_refused(
        1,
        &format!("discovery cluster other={},{own} has duplicate url", cluster.peer_url(0)),
    );
    let url = token(&service, "junk", "3");
    register(&url, "1234", "foo");
    refused(&cluster, 0, &url).assert_refused(1, "discovery: invalid URL");
    assert_eq!(contents(&cluster.data_dir(0)), [], "none of them has touched anything");
    for url in ["dupname", "dupurl", "junk"] {
        let url = service.url(0, &format!("/v2/keys/discovery/{url}"));
        assert_eq!(registered(&service, &url).len(), 1, "nothing was registered");
    }
}

#[test]
fn a_member_that_has_lost_its_directory_is_refused_and_stays_so() {
    let service = service();
    let url = token(&service, "lost", "2");
    let mut cluster = Cluster::new(2);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    await_said(&mut cluster, 0, "found 1 peer(s), waiting for 1 more");
    cluster.kill(0);
    std::fs::remove_dir_all(cluster.data_dir(0)).unwrap();
    let line = format!(
        "member \"infra0\" has previously registered with discovery service token ({url})."
    );
    for _ in 0..2 {
        refused(&cluster, 0, &url).assert_refused(1, &line);
    }
    // Under another name the ID is taken.
    let mut command = through(&cluster, 0, &url);
    command.args(["-name", "renamed"]);
    let ended = run(command);
    assert!(ended.output.contains("is registered by another member with"), "{ended:?}");
    assert_eq!(ended.status, Some(1));
    assert!(ended.hints()[0].contains(&name(0)), "{ended:?}");
}

#[test]
fn the_flags_may_not_change_once_it_has_registered() {
    let service = service();
    let url = token(&service, "changed", "2");
    let mut cluster = Cluster::new(2);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    await_said(&mut cluster, 0, "found 1 peer(s), waiting for 1 more");
    cluster.kill(0);
    let mut command = through(&cluster, 0, &url);
    command.args(["-initial-advertise-peer-urls", &cluster.peer_url(1)]);
    let ended = run(command);
    assert!(
        ended.output.contains("this data directory has registered another member"),
        "{ended:?}"
    );
    // With a new token everything is open again.
    let url = token(&service, "fresh", "1");
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    cluster.await_ready();
}

#[test]
fn the_service_is_reached_through_an_http_proxy() {
    let service = service();
    let url = token(&service, "viaproxy", "1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let target = service.url(0, "");
    let seen = thread::spawn(move || {
        let mut seen = Vec::new();
        for stream in listener.incoming().take(5) {
            seen.push(pass_on(stream.unwrap(), &target));
        }
        seen
    });
    let mut cluster = Cluster::new(1);
    let mut command = cluster.command(0);
    command.env("ETCD_DISCOVERY", &url).env("ETCD_DISCOVERY_PROXY", format!("u:p@{proxy}"));
    cluster.start_as(0, command);
    cluster.await_ready();
    let seen = seen.join().unwrap();
    let lines: Vec<&str> = seen.iter().map(|head| head.lines().next().unwrap()).collect();
    let key = registered(&service, &url);
    assert_eq!(key.len(), 1);
    let size = format!("GET {url}/_config/size?quorum=true HTTP/1.1");
    let list = format!("GET {url}?quorum=true&recursive=false&sorted=true HTTP/1.1");
    assert_eq!([lines[0], lines[1], lines[3], lines[4]], [&size, &list, &size, &list]);
    assert!(lines[2].starts_with(&format!("PUT {url}/")), "{lines:?}");
    assert!(lines[2].ends_with("?prevExist=false HTTP/1.1"), "{lines:?}");
    for head in seen {
        assert!(head.contains("proxy-authorization: Basic dTpw\r\n"), "{head}");
    }
    let mut command = cluster.command(0);
    let elsewhere = tempfile::tempdir().unwrap();
    command.arg("-data-dir").arg(elsewhere.path());
    command.args(["-discovery", &url, "-discovery-proxy", ":%zz"]);
    let ended = run(command);
    ended.assert_refused(1, "invalid proxy address \":%zz\": URL has no host: http://:%zz");
}

/// An HTTP proxy for one request: gives its head.
fn pass_on(mut client: std::net::TcpStream, target: &str) -> String {
    let mut request = vec![0; 8192];
    let len = client.read(&mut request).expect("the exchange goes on");
    let request = String::from_utf8(request[..len].to_vec()).expect("the exchange goes on");
    let place = target.strip_prefix("http://").expect("the exchange goes on");
    let mut server = std::net::TcpStream::connect(place).expect("the exchange goes on");
    server.write_all(request.replacen(target, "", 1).as_bytes()).expect("the exchange goes on");
    std::io::copy(&mut server, &mut client).expect("the exchange goes on");
    request
}

#[test]
fn members_of_etcd_find_each_other_through_a_token_here() {
    let Some(etcd) = etcd::server_for("etcd's members through a token") else { return };
    let service = service();
    let url = token(&service, "theirs", "3");
    let mut cluster = Cluster::new(4);
    for member in 0..3 {
        let mut command = cluster.command_of(&etcd, member);
        command.args(["-enable-v2", "-discovery", &url]);
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    assert_eq!(registered(&service, &url).len(), 3);
    for (program, words) in [
        (&etcd, "discovery: cluster is full"),
        (&PathBuf::from(crate::support::QUORATE), "quorate: discovery: cluster is full"),
    ] {
        let mut command = cluster.command_of(program, 3);
        command.args(["-discovery", &url, "-discovery-fallback", "exit"]);
        let ended = run(command);
        assert_eq!(ended.status, Some(1), "{ended:?}");
        assert!(ended.output.contains(words), "{ended:?}");
        let _ = std::fs::remove_dir_all(cluster.data_dir(3));
    }
}

#[test]
fn members_find_each_other_through_a_token_of_etcd() {
    let Some(etcd) = etcd::server_for("members through a token of etcd") else { return };
    let mut service = Cluster::new(1).with_etcd(&etcd, &[0]);
    service.start_all();
    service.await_ready();
    let url = token(&service, "ours", "3");
    let mut cluster = Cluster::new(3);
    join_all(&mut cluster, &url);
    assert_eq!(member_names(&cluster, 0), ["infra0", "infra1", "infra2"]);
}
