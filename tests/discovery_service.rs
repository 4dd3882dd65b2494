//! `quorate discovery`, the service for everybody.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::QUORATE;
use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::etcd;
use crate::support::refusal::run;
use crate::support::service::Service;
use crate::support::token::{registered_at, through};
use crate::support::wait::{wait_for, wait_until};

/// Sends what no client library would send; gives the status.
fn raw(service: &Service, request: &str) -> u16 {
    let place = service.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(place).expect("the service listens");
    let request = format!("{request}\r\nHost: {place}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is answered");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn the_new_endpoint_makes_urls_that_clusters_form_by() {
    let mut service = Service::started(&[]);
    let url = service.token("?size=3");
    let (base, token) = url.rsplit_once('/').expect("a URL");
    assert_eq!((base, token.len()), (service.base.as_str(), 40));
    assert_ne!(service.token("?size=3"), url);
    assert_eq!(service.client.get(&service.token("")).expect("an answer").status, 200);
    let default = service.token("");
    let size = service.client.get(&format!("{default}/_config/size")).expect("an answer").ok();
    assert_eq!(size.at("/node/value"), "3", "the default of the guide");
    for bad in ["0", "-1", "abc", ""] {
        assert_eq!(service.get(&format!("/new?size={bad}")).status, 400, "{bad}");
    }

    let mut cluster = Cluster::new(3);
    for member in 0..2 {
        let command = through(&cluster, member, &url);
        cluster.start_as(member, command);
    }
    wait_until("two have registered", || registered_at(&service.client, &url).len() == 2);
    // The service may go and come back: what was registered is kept.
    service.kill();
    service.start();
    assert_eq!(registered_at(&service.client, &url).len(), 2);
    let command = through(&cluster, 2, &url);
    cluster.start_as(2, command);
    cluster.await_ready();
    let mut fourth = Command::new(Path::new(QUORATE));
    fourth.args(["-name", "more", "-data-dir"]).arg(service.dir().join("more"));
    fourth.args(["-discovery", &url, "-discovery-fallback", "exit"]);
    run(fourth).assert_refused(1, "discovery: cluster is full");
    let never = service.url("/3e86b59982e49066c5d813af1c2e2579cbf573de");
    let mut lost = Command::new(Path::new(QUORATE));
    lost.args(["-data-dir"]).arg(service.dir().join("lost")).args(["-discovery", &never]);
    let line = format!("the cluster doesn't have a size configuration value in {never}/_config");
    run(lost).assert_refused(1, &line);
}

#[test]
fn members_of_etcd_form_by_its_urls() {
    let Some(etcd) = etcd::server_for("etcd's members through the service") else { return };
    let service = Service::started(&[]);
    let url = service.token("?size=3");
    let mut cluster = Cluster::new(3);
    for member in 0..3 {
        let mut command = cluster.command_of(&etcd, member);
        command.args(["-enable-v2", "-discovery", &url]);
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    assert_eq!(registered_at(&service.client, &url).len(), 3);
}

#[test]
fn whatever_is_not_the_protocol_is_refused() {
    let service = Service::started(&[]);
    let url = service.token("?size=2");
    let path = url.strip_prefix(&service.base).expect("a path");
    let good = "value=a%3Dhttp%3A%2F%2Fa%3A1";
    let put = |rest: &str, form: &str| {
        service.client.put(&format!("{url}{rest}"), form).expect("an answer").status
    };
    assert_eq!(put("/1?prevExist=false", good), 201);
    assert_eq!(put("/1?prevExist=false", good), 412, "once");
    for rest in ["/1", "/1?prevExist=true", "/_config/size?prevExist=false", "?prevExist=false", ""]
    {
        assert_eq!(put(rest, "value=5"), 405, "{rest}");
    }
    for form in [
        "",
        "value=foo",
        "value=a%3Dftp%3A%2F%2Fa%3A1",
        "value=a%3Dhttp%3A%2F%2Fa%3A1%2Cb%3Dhttp%3A%2F%2Fb%3A1",
    ] {
        assert_eq!(put("/2?prevExist=false", form), 400, "{form}");
    }
    let long = format!("value=a%3Dhttp%3A%2F%2F{}%3A1", "b".repeat(5000));
    assert_eq!(put("/2?prevExist=false", &long), 400);
    let longer = format!("value={}", "b".repeat(100_000));
    assert_eq!(put("/2?prevExist=false", &longer), 413);
    for rest in ["", "/1", "?recursive=true", "/_config/size", "?dir=true&recursive=true"] {
        let deleted = service.client.delete(&format!("{url}{rest}")).expect("an answer");
        assert_eq!(deleted.status, 405, "{rest}");
    }
    assert_eq!(service.client.post(&url, good).expect("an answer").status, 405);
    for (request, status) in [
        (format!("GET {path}/../new HTTP/1.1"), 404),
        (format!("GET {path}/%2e%2e/new HTTP/1.1"), 404),
        (format!("GET /%2e%2e{path} HTTP/1.1"), 404),
        (format!("PUT {path}/%2e%2e?prevExist=false HTTP/1.1"), 405),
        (format!("GET {path}%2f1 HTTP/1.1"), 200),
        ("GET /v2/keys/_etcd/registry HTTP/1.1".to_owned(), 404),
        ("GET /v2/members HTTP/1.1".to_owned(), 404),
        ("PUT /v2/keys/a HTTP/1.1".to_owned(), 405),
    ] {
        assert_eq!(raw(&service, &request), status, "{request}");
    }
    assert_eq!(registered_at(&service.client, &url), ["a=http://a:1"]);
}

#[test]
fn the_page_for_browsers_shows_who_is_missing_and_runs_nothing() {
    let service = Service::started(&["-public-url", "https://disc.example/"]);
    let url = service.token("?size=3");
    let path = url.strip_prefix("https://disc.example").expect("the URL is the public one");
    let member = service.url(&format!("{path}/1?prevExist=false"));
    let form = "value=%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Dhttp%3A%2F%2Fa%3A1";
    assert_eq!(service.client.put(&member, form).expect("an answer").status, 201);
    let place = service.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(place).expect("the service listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: evil\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    assert!(
        page.to_ascii_lowercase().contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
    assert!(page.contains("1 registered, 2 missing"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(page.contains("https://disc.example/") && !page.contains("evil"), "{page}");
}

#[test]
fn one_address_cannot_have_everything() {
    let service = Service::started(&[]);
    let url = service.token("");
    let made = (0..120).filter(|_| service.get("/new").status == 200).count();
    assert_eq!(made, 99, "a hundred an hour");
    assert_eq!(service.get("/new").status, 429);
    let place = service.base.trim_start_matches("http://").to_owned();
    let path = url.strip_prefix(&service.base).expect("a path").to_owned();
    let mut polls: Vec<TcpStream> = (0..220)
        .map(|_| {
            let mut stream = TcpStream::connect(&place).expect("the service listens");
            let request =
                format!("GET {path}?wait=true&recursive=true HTTP/1.1\r\nHost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("it is sent");
            stream.set_nonblocking(true).expect("it does not wait");
            stream
        })
        .collect();
    let mut refused = 0;
    wait_until("those beyond the limit are refused", || {
        polls.retain_mut(|stream| {
            let mut answer = [0; 12];
            let is_refused = stream.read(&mut answer).is_ok() && answer == *b"HTTP/1.1 429";
            refused += usize::from(is_refused);
            !is_refused
        });
        refused == 20
    });
    assert_eq!(polls.len(), 200);
    let read = service.client.get(&url).expect("an answer");
    assert_eq!(read.status, 200, "what does not wait is served");
    let refused = service.client.get(&format!("{url}?wait=true")).expect("an answer");
    assert_eq!(refused.status, 429);
    drop(polls);
    let impatient = Client::with_patience(Duration::from_secs(1));
    wait_until("there is room again", || impatient.get(&format!("{url}?wait=true")).is_err());
}

#[test]
fn a_token_that_expires_ends_its_polls_with_an_error_and_tells_no_event() {
    let service = Service::started(&["-token-ttl", "3"]);
    let url = service.token("?size=2");
    let poll = {
        let url = url.clone();
        thread::spawn(move || {
            let client = Client::new();
            client.get(&format!("{url}?wait=true&recursive=true")).expect("an end")
        })
    };
    let ended = poll.join().expect("the poll");
    assert_eq!((ended.status, ended.at("/errorCode")), (400, 401.into()));
    let gone = wait_for("it is gone", || {
        service.client.get(&url).ok().filter(|answer| answer.status == 404)
    });
    assert_eq!(gone.at("/errorCode"), 100);
    let member = format!("{url}/1?prevExist=false");
    let put = service.client.put(&member, "value=a%3Dhttp%3A%2F%2Fa%3A1").expect("an answer");
    assert_eq!(put.status, 404, "nobody registers with what is gone");
}
