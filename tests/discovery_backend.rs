//! `quorate discovery -endpoints`: tokens that a cluster keeps, of Quorate or of etcd.

use std::process::Command;
use std::thread;

use crate::support::certificates::Authority;
use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::refusal::run;
use crate::support::service::Service;
use crate::support::token::{registered_at, through};
use crate::support::wait::{wait_for, wait_until};
use crate::support::{QUORATE, etcd};

/// Three members join by a token of the service; gives its URL.
fn form(service: &Service) -> String {
    let url = service.token("?size=3");
    let mut cluster = Cluster::new(3);
    for member in 0..3 {
        let command = through(&cluster, member, &url);
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    assert_eq!(registered_at(&service.client, &url).len(), 3);
    url
}

#[test]
fn a_cluster_keeps_the_tokens_and_may_lose_a_member() {
    let mut store = Cluster::started(3);
    let endpoints = store.client_urls().join(",");
    let mut service = Service::in_front_of(&endpoints, &[]);
    let url = service.token("?size=2");
    let member = format!("{url}/1?prevExist=false");
    let poll = {
        let (client, url) = (service.client.clone(), url.clone());
        thread::spawn(move || client.get(&format!("{url}?wait=true&recursive=true")))
    };
    let metrics = || service.get("/metrics").body;
    wait_until("the poll is there", || metrics().contains("quorate_discovery_polls 1\n"));
    store.kill(0);
    let put = |url: &str| {
        service.client.put(url, "value=a%3Dhttp%3A%2F%2Fa%3A1").expect("an answer").status
    };
    wait_until("it is registered", || matches!(put(&member), 201 | 412));
    let event = poll.join().expect("the poll").expect("an answer").ok();
    assert_eq!(event.at("/node/value"), "a=http://a:1");
    assert_eq!(put(&member), 412, "once");
    for (path, status) in [("/1", 405), ("/_config/size?prevExist=false", 405)] {
        assert_eq!(put(&format!("{url}{path}")), status, "{path}");
    }
    form(&service);
    // The service keeps nothing itself.
    service.kill();
    service.start();
    assert_eq!(registered_at(&service.client, &url), ["a=http://a:1"]);
    store.kill(1);
    let silent = service.client.get(&url).expect("an answer");
    assert!(matches!(silent.status, 500 | 503), "{silent:?}");
    assert_eq!(service.get("/health").status, 503);
}

#[test]
fn etcd_keeps_the_tokens() {
    let Some(etcd) = etcd::server_for("tokens in etcd") else { return };
    let mut store = Cluster::new(1).with_etcd(&etcd, &[0]);
    store.start_all();
    store.await_ready();
    form(&Service::in_front_of(&store.url(0, ""), &[]));
}

#[test]
fn a_cluster_may_want_to_know_who_asks() {
    let store = Cluster::started(1);
    let user = store.url(0, "/v2/auth/users/root");
    store.client.put_json(&user, r#"{"user":"root","password":"p@ss"}"#).expect("an answer").ok();
    let on = store.client.put(&store.url(0, "/v2/auth/enable"), "").expect("an answer");
    assert_eq!(on.status, 200);
    let guest = store.url(0, "/v2/auth/roles/guest");
    let all = r#"{"role":"guest","revoke":{"kv":{"read":["/*"],"write":["/*"]}}}"#;
    let root = [("Authorization".to_owned(), "Basic cm9vdDpwQHNz".to_owned())].into();
    store.client.request("PUT", &guest, &root, Some(all)).expect("an answer").ok();

    let place = store.url(0, "");
    let host = place.trim_start_matches("http://");
    let service = Service::in_front_of(&format!("http://root:p%40ss@{host}"), &[]);
    form(&service);
    let log = service.log();
    assert!(log.contains(&place) && !log.contains("p%40ss"), "{log}");
    let stranger = Service::unwell(&place);
    let refused = stranger.get("/new");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(stranger.log().contains("refuses to be asked"), "{}", stranger.log());
}

#[test]
fn a_token_that_expires_in_a_cluster_ends_its_polls_with_an_error() {
    let store = Cluster::started(1);
    let service = Service::in_front_of(&store.url(0, ""), &["-token-ttl", "3"]);
    let url = service.token("?size=2");
    let ended = service.client.get(&format!("{url}?wait=true&recursive=true")).expect("an end");
    assert_eq!((ended.status, ended.at("/errorCode")), (400, 401.into()));
    let gone = service.client.get(&url).expect("an answer");
    assert_eq!((gone.status, gone.at("/errorCode")), (404, 100.into()));
    let token = url.rsplit('/').next().expect("a token");
    wait_until("it is swept away", || {
        let kept = store.url(0, &format!("/v2/keys/_etcd/registry/{token}"));
        store.client.get(&kept).is_ok_and(|answer| answer.status == 404)
    });
}

#[test]
fn a_cluster_is_reached_by_https() {
    let authority = Authority::new("store");
    let mut store = Cluster::new(1).speaking_tls(Client::secure(&authority, None));
    authority.issue(&[store.host()]).write(store.dir(), "own");
    let file = |name: &str| store.dir().join(name).to_str().expect("a path in UTF-8").to_owned();
    let (own, key, ca) = (file("own.pem"), file("own.key"), file("ca.pem"));
    authority.write(ca.as_ref());
    let mut command = store.command(0);
    command.args(["-initial-cluster", &store.list(), "-cert-file", &own, "-key-file", &key]);
    command.args(["-peer-cert-file", &own, "-peer-key-file", &key]);
    store.start_as(0, command);
    store.await_ready();
    form(&Service::in_front_of(&store.url(0, ""), &["-endpoints-ca-file", &ca]));
    let stranger = Service::unwell(&store.url(0, ""));
    assert_eq!(stranger.get("/health").status, 503);
    let words = wait_for("it says why", || {
        let log = stranger.log();
        log.contains("authority").then_some(log)
    });
    assert!(words.contains("-discovery-ca-file"), "{words}");
}

#[test]
fn what_is_wrong_with_the_endpoints_is_told() {
    let command = |flags: &[&str]| {
        let mut command = Command::new(QUORATE);
        command.arg("discovery").args(flags);
        command
    };
    let ended = run(command(&["-endpoints", "localhost:2379"]));
    ended.assert_refused(
        2,
        "invalid value for flag -endpoints: URL scheme must be http or https: localhost:2379",
    );
    let ended = run(command(&["-endpoints", "http://localhost:2379", "-data-dir", "/tmp/x"]));
    ended.assert_refused(1, "Set only one of flags -endpoints and -data-dir.");
}
