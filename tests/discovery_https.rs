//! Discovery by https: whose certificates are believed, and the way through an HTTP proxy.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::certificates::Authority;
use crate::support::cluster::{Cluster, contents};
use crate::support::service::Service;
use crate::support::token::{registered_at, through};
use crate::support::tunnel::Tunnel;
use crate::support::wait::wait_until;

/// A service by https, and the file with the authority that has signed its certificate.
fn service() -> (Service, PathBuf) {
    let authority = Authority::new("discovery");
    let service = Service::secured(&authority, &[]);
    let file = service.dir().join("ca.pem");
    authority.write(&file);
    (service, file)
}

fn believing(cluster: &Cluster, member: usize, url: &str, file: &Path) -> Command {
    let mut command = through(cluster, member, url);
    command.arg("-discovery-ca-file").arg(file);
    command
}

/// Waits until the only member says why it waits.
fn await_said(cluster: &mut Cluster, words: &str) {
    wait_until(&format!("it says {words}"), || {
        assert!(cluster.process(0).runs(), "it ended");
        cluster.process(0).log().contains(words)
    });
}

#[test]
fn members_find_each_other_by_https() {
    let (service, file) = service();
    let url = service.token("?size=3");
    assert!(url.starts_with("https://"), "{url}");
    let mut cluster = Cluster::new(3);
    for member in 0..2 {
        let command = believing(&cluster, member, &url, &file);
        cluster.start_as(member, command);
    }
    // The authorities of the system may be named too.
    let mut command = through(&cluster, 2, &url);
    command.env("SSL_CERT_FILE", &file);
    cluster.start_as(2, command);
    cluster.await_ready();
    assert_eq!(registered_at(&service.client, &url).len(), 3);

    // With data the file is ignored, even if it is gone.
    std::fs::remove_file(&file).expect("it is there");
    cluster.kill(0);
    let command = believing(&cluster, 0, &url, &file);
    cluster.start_as(0, command);
    cluster.await_member(0);
}

#[test]
fn a_service_that_is_not_believed_is_told_nothing() {
    let (service, file) = service();
    let url = service.token("?size=1");
    let mut cluster = Cluster::new(1);
    let stranger = service.dir().join("stranger.pem");
    Authority::new("somebody else").write(&stranger);
    let command = believing(&cluster, 0, &url, &stranger);
    cluster.start_as(0, command);
    await_said(&mut cluster, "it is not signed by an authority that is believed here");
    assert_eq!(registered_at(&service.client, &url), [""; 0]);
    assert_eq!(contents(&cluster.data_dir(0)), []);
    cluster.kill(0);

    // A file that comes late is taken once it is there.
    let late = service.dir().join("late.pem");
    let command = believing(&cluster, 0, &url, &late);
    cluster.start_as(0, command);
    await_said(&mut cluster, &format!("cannot read {}", late.display()));
    std::fs::copy(&file, &late).expect("it is there");
    cluster.await_ready();
}

#[test]
fn a_service_of_https_is_reached_through_an_http_proxy() {
    let (service, file) = service();
    let url = service.token("?size=1");
    let tunnel = Tunnel::open(Some("Basic dTpw"));
    let mut cluster = Cluster::new(1);
    let command = |cluster: &Cluster, user: &str| {
        let mut command = believing(cluster, 0, &url, &file);
        command.args(["-discovery-proxy", &format!("http://{user}{}", tunnel.place)]);
        command
    };
    let stranger = command(&cluster, "");
    cluster.start_as(0, stranger);
    let place = service.base.trim_start_matches("https://");
    let refused = format!("the proxy {}: it does not connect to {place}", tunnel.place);
    await_said(&mut cluster, &refused);
    cluster.kill(0);
    let known = command(&cluster, "u:p@");
    cluster.start_as(0, known);
    cluster.await_ready();
    assert_eq!(registered_at(&service.client, &url).len(), 1);
    // The proxy sees where it goes, and neither the token nor who is registered.
    let token = url.rsplit('/').next().expect("a token");
    for head in tunnel.heads() {
        assert!(head.starts_with(&format!("CONNECT {place} HTTP/1.1\r\n")), "{head}");
        assert!(!head.contains(token), "{head}");
    }
}
