//! Who is let in at the client port, and what is too much.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::client::Answer;
use crate::support::cluster::Cluster;
use crate::support::wait::wait_until;

const PAGE: &str = "http://page.test";
const ALLOWED: &str = "Access-Control-Allow-Origin";

fn with(headers: &[(&str, &str)]) -> BTreeMap<String, String> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn ask(cluster: &Cluster, method: &str, headers: &[(&str, &str)]) -> Answer {
    let url = cluster.url(0, "/v2/keys/door");
    let body = (method == "PUT").then_some("value=x");
    cluster.client.request(method, &url, &with(headers), body).expect("answered")
}

fn started(flags: &[&str]) -> Cluster {
    let mut cluster = Cluster::new(1).with_flags(flags);
    cluster.start_all();
    cluster.await_ready();
    cluster
}

/// Without `-cors` no page of a browser can write, whatever the network trusts.
#[test]
fn a_foreign_page_neither_writes_nor_reads() {
    let cluster = started(&[]);
    let refused = ask(&cluster, "PUT", &[("Origin", PAGE)]);
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains(PAGE) && refused.body.contains("-cors"), "{refused:?}");
    for method in ["POST", "DELETE"] {
        assert_eq!(ask(&cluster, method, &[("Origin", PAGE)]).status, 403);
    }
    let read = ask(&cluster, "GET", &[("Origin", PAGE)]);
    assert_eq!((read.status, read.header(ALLOWED)), (404, None), "nothing was written");
    let preflight = ask(&cluster, "OPTIONS", &[("Origin", PAGE)]);
    assert_eq!((preflight.status, preflight.header(ALLOWED)), (200, None));
    // Its own pages, and whoever is no browser, write.
    let own = cluster.url(0, "");
    assert_eq!(ask(&cluster, "PUT", &[("Origin", &own)]).status, 201);
    assert_eq!(ask(&cluster, "PUT", &[]).status, 200);
}

#[test]
fn the_pages_that_were_named_read_and_write() {
    let cluster = started(&["-cors", &format!("http://other.test,{PAGE}")]);
    let written = ask(&cluster, "PUT", &[("Origin", PAGE)]);
    assert_eq!((written.status, written.header(ALLOWED)), (201, Some(PAGE)));
    assert!(written.header("Access-Control-Allow-Methods").is_some());
    assert!(written.header("Access-Control-Allow-Headers").is_some());
    assert_eq!(ask(&cluster, "PUT", &[("Origin", "http://third.test")]).status, 403);
    assert_eq!(ask(&cluster, "GET", &[]).header(ALLOWED), None);
}

/// A page that has its name resolve to this server sends that name along.
#[test]
fn only_the_host_names_that_were_named_are_served() {
    let mut cluster = Cluster::new(1).with_flags(&["-host-whitelist", "localhost,127.0.0.1"]);
    cluster.start_all();
    wait_until("the member answers somebody", || {
        let url = cluster.url(0, "/v2/keys/?quorum=true");
        let headers = with(&[("Host", "localhost")]);
        let answer = cluster.client.request("GET", &url, &headers, None);
        answer.is_ok_and(|answer| answer.status == 200)
    });
    let refused = cluster.client.get(&cluster.url(0, "/v2/keys/"));
    let refused = refused.expect("answered");
    assert_eq!(refused.status, 421, "{refused:?}");
    assert!(refused.body.contains("-host-whitelist"), "{refused:?}");
    for host in ["localhost", "localhost:2379", "127.0.0.1:1"] {
        assert_eq!(ask(&cluster, "GET", &[("Host", host)]).status, 404, "{host}");
    }
    assert_eq!(ask(&cluster, "PUT", &[("Host", "evil.test:2379")]).status, 421);
}

/// Sends bytes and gives everything that comes back until the server closes the connection.
fn raw(cluster: &Cluster, pieces: &[&str]) -> String {
    let mut stream = connect(cluster);
    for piece in pieces {
        // The server need not read what is too much.
        let _ = stream.write_all(piece.as_bytes());
    }
    // What was read before a reset counts.
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn connect(cluster: &Cluster) -> TcpStream {
    let url = cluster.url(0, "");
    TcpStream::connect(url.trim_start_matches("http://")).expect("it listens")
}

#[test]
fn what_is_too_long_is_refused_in_words() {
    let cluster =
        started(&["-max-url-bytes", "200", "-max-header-bytes", "8192", "-max-body-bytes", "1000"]);
    let get = |path: &str| cluster.client.get(&cluster.url(0, path)).expect("answered");
    let name = "x".repeat(180);
    assert_eq!(get(&format!("/v2/keys/{name}")).status, 404);
    let long = get(&format!("/v2/keys/{name}?recursive=true"));
    assert_eq!(long.status, 414, "{long:?}");
    assert!(long.body.contains("-max-url-bytes"), "{long:?}");

    let value = "x".repeat(900);
    let put = |value: &str| {
        let url = cluster.url(0, "/v2/keys/long");
        cluster.client.put(&url, &format!("value={value}")).expect("answered")
    };
    assert_eq!(put(&value).status, 201);
    let long = put(&format!("{value}{value}"));
    assert_eq!((long.status, long.at("/errorCode").as_u64()), (400, Some(210)));
    assert_eq!(long.at("/cause"), "http: POST too large");

    let head = format!("GET /v2/keys/ HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(9000));
    assert!(raw(&cluster, &[&head]).starts_with("HTTP/1.1 431 "));
}

#[test]
fn connections_and_watches_are_counted() {
    let cluster = started(&["-max-client-connections", "3", "-max-watchers", "1"]);
    let url = cluster.url(0, "/v2/keys/none?wait=true");
    let watch = cluster.client.watch(&url).expect("the headers come at once");
    let second = cluster.client.get(&url).expect("answered");
    assert_eq!((second.status, second.at("/errorCode").as_u64()), (500, Some(300)));
    assert_eq!(second.at("/cause"), "etcdserver: too many requests");
    // One connection is the watch's. Those that come before an earlier one is gone are refused too,
    // so more are made until there is no room.
    let mut held = Vec::new();
    wait_until("there is no room left", || {
        held.push(connect(&cluster));
        raw(&cluster, &["GET /version HTTP/1.0\r\n\r\n"]).starts_with("HTTP/1.1 503 ")
    });
    drop((watch, held));
    wait_until("there is room again", || {
        cluster.client.get(&cluster.url(0, "/version")).is_ok_and(|answer| answer.status == 200)
    });
}

/// Whoever sends a request byte by byte, or nothing at all, does not hold a connection for ever.
#[test]
fn slow_clients_are_sent_away() {
    let cluster =
        started(&["-header-timeout", "300", "-body-timeout", "300", "-idle-timeout", "600"]);
    let late = raw(&cluster, &["GET /v2/keys/ HTTP/1.1\r\nHost: "]);
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    let form =
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nvalue=";
    let late = raw(&cluster, &["PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\n", form]);
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    assert!(late.contains("-body-timeout"), "{late}");
    assert_eq!(raw(&cluster, &[]), "", "an idle connection is closed without a word");
    // A second request on a connection is held to the same.
    let version = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
    let late = raw(&cluster, &[version, "GET /"]);
    assert!(late.starts_with("HTTP/1.1 200 "), "{late}");
    // A watch is not slow: it waits for something to happen.
    let watch = cluster.client.watch(&cluster.url(0, "/v2/keys/later?wait=true"));
    let mut watch = watch.expect("the headers come at once");
    std::thread::sleep(std::time::Duration::from_secs(1));
    cluster.put(0, "/later", "1");
    assert!(watch.next_event().is_some());
}

/// Who can read the log learns no passwords: not those of users, whatever is logged, and not those
/// in URLs, also where a start is refused.
#[test]
fn no_password_is_logged() {
    const PASSWORD: &str = "geheim";
    /// `root:geheim` and `root:geheim2`
    const BASIC: [&str; 2] = ["cm9vdDpnZWhlaW0=", "cm9vdDpnZWhlaW0y"];
    let mut cluster = Cluster::new(1);
    let of_user = |url: String| url.replace("http://", &format!("http://user:{PASSWORD}@"));
    let peer = of_user(cluster.peer_url(0));
    let mut command = cluster.command(0);
    command.args(["-initial-advertise-peer-urls", &peer, "-debug"]);
    command.args(["-initial-cluster", &format!("infra0={peer}x")]);
    cluster.start_as(0, command);
    wait_until("the start is refused", || !cluster.process(0).runs());
    let refused = cluster.process(0).log();
    assert!(refused.contains("http://***@") && !refused.contains(PASSWORD), "{refused}");
    cluster.forget(0);

    let mut command = cluster.command(0);
    let client = of_user(cluster.url(0, ""));
    command.args(["-initial-advertise-peer-urls", &peer, "-advertise-client-urls", &client]);
    command.args(["-initial-cluster", &format!("infra0={peer}"), "-debug"]);
    cluster.start_as(0, command);
    cluster.await_ready();
    let put = |path: &str, body: &str, credentials: &str| {
        let headers = with(&[("Authorization", &format!("Basic {credentials}"))]);
        let url = cluster.url(0, path);
        cluster.client.request("PUT", &url, &headers, Some(body)).expect("answered").status
    };
    assert_eq!(put("/config/local/log", r#"{"Level":"TRACE"}"#, ""), 204);
    let user = format!(r#"{{"user":"root","password":"{PASSWORD}"}}"#);
    assert_eq!(put("/v2/auth/users/root", &user, ""), 201);
    assert_eq!(put("/v2/auth/enable", "", ""), 200);
    assert_eq!(put("/v2/auth/roles/r", r#"{"role":"r"}"#, BASIC[0]), 201);
    assert_eq!(put("/v2/auth/roles/s", r#"{"role":"s"}"#, BASIC[1]), 401);
    let log = cluster.process(0).log();
    assert!(log.contains("TRACE"), "{log}");
    for secret in [PASSWORD, BASIC[0], BASIC[1]] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
