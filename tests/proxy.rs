//! Proxies in front of clusters, by the flags or because a cluster was full.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use crate::support::client::Client;
use crate::support::cluster::{Cluster, contents};
use crate::support::etcd;
use crate::support::proxy::{Proxy, listener};
use crate::support::refusal::run;
use crate::support::token::{registered, service, through, token};
use crate::support::wait::wait_until;

fn list(cluster: &Cluster) -> [String; 4] {
    ["-proxy", "on", "-initial-cluster", &cluster.list()].map(str::to_owned)
}

fn proxy_of(cluster: &Cluster) -> Proxy {
    let flags = list(cluster);
    let mut proxy = Proxy::started(&flags.each_ref().map(String::as_str));
    proxy.await_endpoints(cluster.size());
    proxy
}

#[test]
fn it_forwards_everything_to_the_members() {
    let cluster = Cluster::started(3);
    let mut proxy = proxy_of(&cluster);
    let endpoints: BTreeSet<String> = proxy.await_endpoints(3).into_iter().collect();
    assert_eq!(endpoints, cluster.client_urls().into_iter().collect());

    let created = proxy.put("/v2/keys/a", "value=1");
    assert_eq!((created.status, created.at("/node/value")), (201, "1".into()));
    assert!(created.header("X-Etcd-Index").is_some() && created.header("X-Raft-Term").is_some());
    assert_eq!(cluster.get_quorum(0, "/a").at("/node/value"), "1");
    assert_eq!(proxy.get("/v2/keys/a?quorum=true").at("/node/value"), "1");
    assert_eq!(proxy.get("/v2/keys/none").status, 404);
    let members = proxy.get("/v2/members");
    assert_eq!(members.at("/members").as_array().map(Vec::len), Some(3));
    let head = Client::new().head(&proxy.url("/v2/keys/a")).expect("the proxy answers");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let large = "x".repeat(200_000);
    proxy.put("/v2/keys/large", &format!("value={large}"));
    assert_eq!(proxy.get("/v2/keys/large?quorum=true").at("/node/value"), large);

    let mut watch =
        Client::new().watch(&proxy.url("/v2/keys/w?wait=true&stream=true")).expect("a watch");
    assert_eq!(watch.head.status, 200, "its head comes before any event");
    for value in ["1", "2"] {
        cluster.put(1, "/w", value);
        let event = watch.next_event().expect("an event");
        assert_eq!(event.pointer("/node/value").and_then(|v| v.as_str()), Some(value));
    }
}

#[test]
fn a_readonly_proxy_says_501_to_everything_that_writes() {
    let cluster = Cluster::started(1);
    cluster.put(0, "/a", "1");
    let proxy = Proxy::started(&["-proxy", "readonly", "-initial-cluster", &cluster.list()]);
    assert_eq!(proxy.get("/v2/keys/a").at("/node/value"), "1");
    for answer in [
        proxy.put("/v2/keys/a", "value=2"),
        Client::new().post(&proxy.url("/v2/keys/a"), "value=2").expect("an answer"),
        Client::new().delete(&proxy.url("/v2/keys/a")).expect("an answer"),
    ] {
        assert_eq!((answer.status, answer.body.as_str()), (501, ""));
    }
    assert_eq!(cluster.get_quorum(0, "/a").at("/node/value"), "1");
}

#[test]
fn members_that_fail_are_passed_over_and_come_back() {
    let mut cluster = Cluster::started(3);
    let mut proxy = proxy_of(&cluster);
    for member in 0..3 {
        cluster.kill(member);
        wait_until("the others answer through the proxy", || {
            proxy.put("/v2/keys/a", &format!("value={member}")).status < 300
        });
        cluster.start(member);
        cluster.await_ready();
    }
    proxy.await_endpoints(3);
    cluster.kill_all();
    let nobody = proxy.get("/v2/keys/a");
    assert_eq!(nobody.status, 502);
    assert_eq!(nobody.body, r#"{"message":"proxy: unable to get response from 3 endpoint(s)"}"#);
    cluster.start_all();
    wait_until("they answer again", || proxy.get("/v2/keys/a?quorum=true").status == 200);
}

#[test]
fn without_members_it_says_503_and_goes_on_looking() {
    let mut cluster = Cluster::new(1);
    let mut proxy = Proxy::new();
    let flags = list(&cluster);
    proxy.start(&flags.each_ref().map(String::as_str));
    proxy.await_said("proxy: could not retrieve cluster information");
    let nobody = proxy.get("/v2/keys/a");
    assert_eq!(nobody.status, 503);
    assert_eq!(nobody.body, r#"{"message":"proxy: zero endpoints currently available"}"#);
    assert_eq!(proxy.get("/v2/config/local/proxy").body, "{\"endpoints\":[]}\n");
    cluster.start_all();
    cluster.await_ready();
    proxy.await_endpoints(1);
    assert_eq!(proxy.put("/v2/keys/a", "value=1").status, 201);
}

#[test]
fn a_directory_stays_a_proxys_whatever_the_flags_say() {
    let cluster = Cluster::started(1);
    let mut proxy = proxy_of(&cluster);
    proxy.kill();
    // No flag says where the cluster is: the directory does.
    let peer = "http://127.0.0.1:1";
    for flags in [
        &["-initial-cluster", "proxy=http://127.0.0.1:1", "-initial-advertise-peer-urls", peer][..],
        &["-initial-cluster", "%%%"],
        &["-discovery", "http://127.0.0.1:1/token"],
        &["-proxy", "off"],
    ] {
        let advertised = ["-advertise-client-urls", &proxy.url("")].map(str::to_owned);
        let flags = [&advertised.each_ref().map(String::as_str), flags].concat();
        proxy.start(&flags);
        proxy.await_endpoints(1);
        assert_eq!(proxy.get("/v2/keys/?quorum=true").status, 200, "{flags:?}");
        assert!(proxy.log().contains("has been a proxy's before"), "{flags:?}");
        proxy.kill();
    }
    let mut command = proxy.command();
    command.args(["-force-new-cluster", "-advertise-client-urls", &proxy.url("")]);
    let ended = run(command);
    ended.assert_refused(1, "-force-new-cluster needs the data of a member, and there is none");
    let files: Vec<_> = fs::read_dir(proxy.data_dir()).expect("it is there").collect();
    assert_eq!(files.len(), 2, "one lock and one role: {files:?}");
}

#[test]
fn a_cluster_that_has_moved_is_found_by_the_flags() {
    let gone = Cluster::started(1);
    let mut proxy = proxy_of(&gone);
    proxy.kill();
    drop(gone);
    let cluster = Cluster::started(1);
    let flags = list(&cluster);
    proxy.start(&flags.each_ref().map(String::as_str));
    proxy.await_endpoints(1);
    assert_eq!(proxy.get("/v2/keys/?quorum=true").status, 200);
}

#[test]
fn what_is_wrong_with_the_flags_of_a_new_proxy_is_told() {
    let proxy = Proxy::new();
    for (flags, status) in [
        (&["-proxy", "on", "-initial-cluster", "%%%"][..], 1),
        (&["-proxy", "on", "-discovery", "foo"], 2),
        (&["-proxy", "some"], 2),
    ] {
        let mut command = proxy.command();
        command.args(flags);
        let ended = run(command);
        assert_eq!(ended.status, Some(status), "{ended:?}");
        assert!(!ended.hints().is_empty(), "{ended:?}");
    }
    let service = service();
    let mut command = proxy.command();
    let never = service.url(0, "/v2/keys/discovery/never");
    command.args(["-proxy", "on", "-discovery", &never]);
    let line = format!("the cluster doesn't have a size configuration value in {never}/_config");
    run(command).assert_refused(1, &line);
    assert!(contents(&proxy.data_dir()).iter().all(|(path, _)| path.ends_with("quorate.lock")));
}

#[test]
fn a_proxy_finds_its_cluster_through_a_token_and_registers_nothing() {
    let service = service();
    let url = token(&service, "proxied", "1");
    let mut proxy = Proxy::new();
    proxy.start(&["-proxy", "on", "-discovery", &url]);
    proxy.await_said("found 0 peer(s), waiting for 1 more");
    let mut cluster = Cluster::new(1);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    cluster.await_ready();
    proxy.await_endpoints(1);
    assert_eq!(proxy.put("/v2/keys/a", "value=1").status, 201);
    assert_eq!(registered(&service, &url).len(), 1);
}

#[test]
fn the_extra_members_of_a_token_become_proxies_and_stay_so() {
    let service = service();
    let url = token(&service, "extra", "1");
    let mut cluster = Cluster::new(2);
    let command = through(&cluster, 0, &url);
    cluster.start_as(0, command);
    cluster.await_ready();
    for start in 0..2 {
        let command = through(&cluster, 1, &url);
        cluster.start_as(1, command);
        let path = format!("/v2/keys/a{start}");
        wait_until("it forwards", || {
            assert!(cluster.process(1).runs(), "it ended");
            let put = cluster.client.put(&cluster.url(1, &path), "value=1");
            put.is_ok_and(|answer| answer.status == 201 || answer.status == 200)
        });
        let fell =
            cluster.process(1).log().contains("discovery cluster full, falling back to proxy");
        assert_eq!(fell, start == 0, "it falls back once");
        assert!(TcpStream::connect(cluster.peer_url(1).trim_start_matches("http://")).is_err());
        cluster.kill(1);
    }
    let roles: Vec<_> = fs::read_dir(cluster.data_dir(1)).expect("it is there").collect();
    assert_eq!(roles.len(), 2, "one lock and one role: {roles:?}");
    assert_eq!(registered(&service, &url).len(), 1);
}

/// A discovery service for one member, which lists `first` before whoever registers as soon as
/// somebody has; gives the URL of its token.
fn service_that_was_faster(first: String) -> String {
    let (server, url) = listener();
    thread::spawn(move || {
        let mut registered = None;
        for stream in server.incoming() {
            let mut stream = stream.expect("a connection");
            let asked = request(&stream);
            let path = asked.split(' ').nth(1).expect("a path");
            let key = path.split('?').next().expect("a path").to_owned();
            let node = |key: &str, value: &str, index: u64| {
                format!(
                    r#"{{"key":"{key}","value":"{value}","createdIndex":{index},
                        "modifiedIndex":{index}}}"#
                )
            };
            let body = match asked.split(' ').next() {
                Some("PUT") => {
                    let body = node(&key, "", 6);
                    registered = Some(key);
                    body
                }
                _ if key.ends_with("/size") => node("size", "1", 1),
                _ => {
                    let late = registered.iter().map(|key| node(key, "late", 6));
                    let all: Vec<String> =
                        late.flat_map(|late| [node("/1", &first, 5), late]).collect();
                    format!(r#"{{"key":"/t","dir":true,"nodes":[{}]}}"#, all.join(","))
                }
            };
            let body = format!(r#"{{"action":"get","node":{body}}}"#);
            let head = format!(
                "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    format!("{url}/t")
}

#[test]
fn a_member_that_loses_its_place_while_it_registers_gives_its_peer_port_back() {
    let mut cluster = Cluster::new(2);
    let url = service_that_was_faster(format!("infra0={}", cluster.peer_url(0)));
    let command = through(&cluster, 1, &url);
    cluster.start_as(1, command);
    wait_until("it falls back", || {
        assert!(cluster.process(1).runs(), "it ended: {}", cluster.process(1).log());
        cluster.process(1).log().contains("discovery cluster full, falling back to proxy")
    });
    let port = cluster.peer_url(1);
    let port = port.trim_start_matches("http://");
    wait_until("its peer port is free", || TcpListener::bind(port).is_ok());
    assert!(TcpStream::connect(cluster.url(1, "").trim_start_matches("http://")).is_ok());
}

/// Reads the head of a request, and as much of its body as its length says.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().expect("a length");
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    head + &String::from_utf8_lossy(&body)
}

/// A member that only says who the members are: `endpoints` in this order.
fn fake_member(peers: TcpListener, endpoints: &[String]) {
    let urls: Vec<String> = endpoints.iter().map(|url| format!("{url:?}")).collect();
    let body = format!(
        r#"[{{"id":1,"name":"a","peerURLs":["http://a:1"],"clientURLs":[{}]}}]"#,
        urls.join(",")
    );
    thread::spawn(move || {
        for stream in peers.incoming() {
            let mut stream = stream.expect("a connection");
            request(&stream);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
}

#[test]
fn headers_and_bodies_go_through_as_they_are() {
    let ((peers, peer_url), (server, url)) = (listener(), listener());
    fake_member(peers, &[url]);
    let seen = thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("a connection");
        let seen = request(&stream);
        let answer = "HTTP/1.1 299 Odd\r\nX-Mine: a\r\nX-Mine: b\r\nConnection: X-Hop\r\n\
                      X-Hop: 1\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer.as_bytes()).expect("the answer");
        seen
    });
    let proxy = Proxy::started(&["-proxy", "on", "-initial-cluster", &format!("a={peer_url}")]);
    let place = proxy.url("");
    let mut stream = TcpStream::connect(place.trim_start_matches("http://")).expect("the proxy");
    let sent = "PATCH /a%2Fb?c=%20d HTTP/1.1\r\nHost: elsewhere\r\nX-Mine: 1\r\nX-Mine: 2\r\n\
                Connection: close, X-Hop\r\nX-Hop: 1\r\nProxy-Authorization: Basic x\r\n\
                X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n\
                TE: trailers\r\nContent-Length: 3\r\n\r\nabc";
    stream.write_all(sent.as_bytes()).expect("the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer");
    let seen = seen.join().expect("the server").to_ascii_lowercase();
    assert!(seen.starts_with("patch /a%2fb?c=%20d http/1.1\r\n"), "{seen}");
    assert!(seen.contains("x-mine: 1\r\nx-mine: 2\r\n"), "{seen}");
    assert!(seen.contains("content-length: 3\r\n") && seen.ends_with("abc"), "{seen}");
    assert!(seen.contains("x-forwarded-for: 10.0.0.1, 10.0.0.2, 127."), "{seen}");
    for gone in ["x-hop", "proxy-authorization", "te:", "elsewhere"] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    let answer = answer.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 299"), "{answer}");
    assert!(answer.contains("x-mine: a\r\nx-mine: b\r\n"), "{answer}");
    assert!(answer.contains("content-length: 2\r\n") && answer.ends_with("ok"), "{answer}");
    for gone in ["x-hop", "keep-alive"] {
        assert!(!answer.contains(gone), "{gone}: {answer}");
    }
}

#[test]
fn a_write_that_was_sent_is_never_sent_again() {
    let ((peers, peer_url), (first, one), (second, two)) = (listener(), listener(), listener());
    fake_member(peers, &[one, two]);
    // Each takes requests, and breaks off without an answer.
    let counts = [first, second].map(|server| {
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = std::sync::Arc::clone(&count);
        thread::spawn(move || {
            for stream in server.incoming() {
                let stream = stream.expect("a connection");
                request(&stream);
                // Before the connection ends, since the answer for it is out once it has.
                seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                drop(stream);
            }
        });
        count
    });
    let total =
        || counts.iter().map(|n| n.load(std::sync::atomic::Ordering::SeqCst)).sum::<usize>();
    let proxy = Proxy::started(&["-proxy", "on", "-initial-cluster", &format!("a={peer_url}")]);
    let answer = proxy.put("/v2/keys/a", "value=1");
    assert_eq!((answer.status, total()), (502, 1));
    // What only reads is asked of the other one too, as often as there are members.
    let before = total();
    assert_eq!(proxy.get("/v2/keys/a").status, 502);
    assert!(total() > before);
}

#[test]
fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let ((peers, peer_url), (server, url)) = (listener(), listener());
    fake_member(peers, &[url]);
    let (break_off, told) = mpsc::channel::<()>();
    thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("a connection");
        request(&stream);
        let part = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(part.as_bytes()).expect("a part of the answer");
        let _ = told.recv();
    });
    let proxy = Proxy::started(&["-proxy", "on", "-initial-cluster", &format!("a={peer_url}")]);
    let place = proxy.url("");
    let mut stream = TcpStream::connect(place.trim_start_matches("http://")).expect("the proxy");
    let sent = b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(sent).expect("the request");
    // A proxy that learns of the end with the beginning need not pass on the beginning.
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("what the member has sent");
        answer.extend(byte);
    }
    drop(break_off);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let rest = String::from_utf8_lossy(&rest);
    assert!(!rest.ends_with("0\r\n\r\n"), "the proxy ended it: {rest:?}");
}

#[test]
fn it_stands_in_front_of_etcd() {
    let Some(etcd) = etcd::server_for("a proxy of etcd") else { return };
    let mut cluster = Cluster::new(3);
    for member in 0..3 {
        let mut command = cluster.command_of(&etcd, member);
        command.args(["-enable-v2", "-initial-cluster", &cluster.list()]);
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    let proxy = proxy_of(&cluster);
    assert_eq!(proxy.put("/v2/keys/a", "value=1").status, 201);
    assert_eq!(cluster.get_quorum(2, "/a").at("/node/value"), "1");
    let mut watch = Client::new().watch(&proxy.url("/v2/keys/w?wait=true")).expect("a watch");
    cluster.put(0, "/w", "1");
    assert!(watch.next_event().is_some());
}
