//! Who is let in at the client port, and what is too much.

mod support;

use std::collections::BTreeMap;

use support::client::Answer;
use support::cluster::Cluster;
use support::wait::wait_until;

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
