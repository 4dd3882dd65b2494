use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use proptest::prelude::*;

use super::{DEPTH_LIMIT, Parsed, body_too_long, parse};
use crate::api::fixture::{self, CLUSTER, header, text};
use crate::api::front::{Route, route};
use crate::api::read::Read;
use crate::api::request::{KeysRequest, Request, Verb, WatchRequest};
use crate::http::{Method, Reply};

fn ask(method: Method, target: &str, body: &[u8]) -> Result<Parsed, Reply> {
    let mut head = fixture::head(method, target);
    head.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    match route(&head) {
        Route::Keys(target) => parse(&head, &target, body, Some(CLUSTER)),
        Route::Reply(reply) => Err(reply),
        other => panic!("{other:?} is no key"),
    }
}

fn write(method: Method, target: &str, body: &str) -> KeysRequest {
    match ask(method, target, body.as_bytes()) {
        Ok(Parsed::Request(Request::Keys(request))) => request,
        other => panic!("no write: {other:?}"),
    }
}

fn cause(method: Method, target: &str) -> (u64, String) {
    let reply = ask(method, target, b"").unwrap_err();
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    (body["errorCode"].as_u64().unwrap(), body["cause"].as_str().unwrap().to_string())
}

#[test]
fn keys_are_paths_of_the_store() {
    for (target, path) in [
        ("/v2/keys", "/1"),
        ("/v2/keys/", "/1"),
        ("/v2/keys/a/b/", "/1/a/b"),
        ("/v2/keys/a%2Fb%20c/%E2%98%83", "/1/a/b c/☃"),
        ("/%76%32/keys/a+b", "/1/a+b"),
    ] {
        assert_eq!(write(Method::Put, target, "").path, path);
    }
}

#[test]
fn every_parameter_of_a_write_is_carried() {
    let body = "value=a+b&dir=T&prevValue=%00%ff&prevIndex=18446744073709551615&prevExist=0\
                &ttl=7&recursive=true&sorted=1&quorum=TRUE&noValueOnSuccess=t&refresh=False";
    let expected = KeysRequest {
        value: Bytes::from_static(b"a b"),
        dir: true,
        prev_value: Some(Bytes::from_static(b"\0\xff")),
        prev_index: u64::MAX,
        prev_exist: Some(false),
        ttl_s: Some(7),
        refresh: Some(false),
        recursive: true,
        sorted: true,
        no_value_on_success: true,
        ..KeysRequest::new(Verb::Put, "/1/k")
    };
    assert_eq!(write(Method::Put, "/v2/keys/k", body), expected);
    let target = format!("/v2/keys/k?{body}");
    assert_eq!(
        write(Method::Delete, &target, "dir=0"),
        KeysRequest { verb: Verb::Delete, ..expected.clone() }
    );
    assert_eq!(write(Method::Post, &target, ""), KeysRequest { verb: Verb::Post, ..expected });
    assert_eq!(write(Method::Put, "/v2/keys/k", ""), KeysRequest::new(Verb::Put, "/1/k"));
}

#[test]
fn reads_are_plain_or_watch_or_quorum() {
    let read = |recursive| Parsed::Read(Read { path: "/1/k".to_string(), recursive });
    let watch = |recursive, stream, since| {
        let path = "/1/k".to_string();
        Parsed::Request(Request::Watch(WatchRequest { path, recursive, stream, since }))
    };
    let quorum = |quorum, recursive| {
        let plain = KeysRequest::new(Verb::Get, "/1/k");
        Parsed::Request(Request::Keys(KeysRequest { quorum, recursive, ..plain }))
    };
    for (method, query, expected) in [
        (Method::Get, "", read(false)),
        (Method::Get, "wait=false&stream=true&waitIndex=4", read(false)),
        (Method::Head, "recursive=1", read(true)),
        (Method::Head, "quorum=true", read(false)),
        (Method::Get, "wait=true", watch(false, false, 0)),
        (Method::Get, "wait=1&recursive=t&stream=T&waitIndex=007", watch(true, true, 7)),
        (Method::Get, "quorum=true", quorum(true, false)),
        (Method::Get, "quorum=true&wait=true&recursive=true", quorum(true, true)),
    ] {
        let parsed = ask(method, &format!("/v2/keys/k?{query}"), b"value=ignored;%");
        assert_eq!(parsed, Ok(expected), "{query}");
    }
}

/// Faults in the order in which they are told: code, parameter and cause.
const FAULTS: [(u64, &str, &str); 13] = [
    (203, "prevIndex=1_0", "invalid value for \"prevIndex\""),
    (203, "waitIndex=18446744073709551616", "invalid value for \"waitIndex\""),
    (209, "recursive=yes", "invalid value for \"recursive\""),
    (209, "sorted=", "invalid value for \"sorted\""),
    (209, "wait=tRUE", "invalid value for \"wait\""),
    (209, "dir=2", "invalid value for \"dir\""),
    (209, "quorum", "invalid value for \"quorum\""),
    (209, "stream=on", "invalid value for \"stream\""),
    (201, "prevValue=", "\"prevValue\" cannot be empty"),
    (209, "noValueOnSuccess=", "invalid value for \"noValueOnSuccess\""),
    (202, "ttl=%2B1", "invalid value for \"ttl\""),
    (209, "prevExist=", "invalid value for prevExist"),
    (209, "refresh=maybe", "invalid value for refresh"),
];

#[test]
fn of_two_faults_the_earlier_is_told() {
    for (i, (code, first, cause_of_first)) in FAULTS.iter().enumerate() {
        for (_, second, _) in &FAULTS[i + 1..] {
            for method in [Method::Get, Method::Delete] {
                let told = cause(method, &format!("/v2/keys/k?{second}&{first}"));
                assert_eq!(told, (*code, (*cause_of_first).to_string()));
            }
        }
    }
}

#[test]
fn faults_of_combinations_have_their_places() {
    let form = (210, "invalid URL escape \"%\"".to_string());
    assert_eq!(cause(Method::Get, "/v2/keys/k?prevIndex=x&a=%"), form);
    let wait = (209, "\"wait\" can only be used with GET requests".to_string());
    assert_eq!(cause(Method::Head, "/v2/keys/k?wait=1&prevValue="), wait);
    assert_eq!(cause(Method::Put, "/v2/keys/k?wait=1&stream=x").1, "invalid value for \"stream\"");
    let valued = (211, "A value was provided on a refresh".to_string());
    assert_eq!(cause(Method::Put, "/v2/keys/k?refresh=1&value=x"), valued);
    let ttl = (212, "No TTL value set".to_string());
    assert_eq!(cause(Method::Put, "/v2/keys/k?refresh=1&value=&ttl="), ttl);
}

#[test]
fn faults_have_the_cluster_but_no_raft_headers() {
    let reply = ask(Method::Get, "/v2/keys/k?wait=x", b"").unwrap_err();
    assert_eq!(reply.status, 400);
    let body = "{\"errorCode\":209,\"message\":\"Invalid field\",\
                \"cause\":\"invalid value for \\\"wait\\\"\",\"index\":0}\n";
    assert_eq!(text(&reply), body);
    assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), Some("ef37ad9dc622a7c4"));
    assert_eq!(header(&reply, "X-Etcd-Index"), Some("0"));
    assert_eq!(header(&reply, "X-Raft-Index"), None);
}

#[test]
fn keys_that_the_store_cannot_hold_are_refused() {
    assert_eq!(cause(Method::Put, "/v2/keys/%ff"), (209, "key is not UTF-8".to_string()));
    let deepest = "/a".repeat(DEPTH_LIMIT);
    assert_eq!(write(Method::Put, &format!("/v2/keys{deepest}/"), "").path.len(), 2 + 1024);
    let deeper = format!("/v2/keys{deepest}/a");
    assert_eq!(cause(Method::Put, &deeper), (209, "key has more than 512 components".to_string()));
}

#[test]
fn a_body_above_the_limit_is_refused_in_etcd_s_words() {
    let reply = body_too_long(Some(CLUSTER));
    assert_eq!(reply.status, 400);
    assert!(text(&reply).contains("\"cause\":\"http: POST too large\""));
}

proptest! {
    #[test]
    fn never_panics(
        target in any::<String>(),
        query in any::<String>(),
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        for method in [Method::Get, Method::Head, Method::Put, Method::Post, Method::Delete] {
            let _ = ask(method, &format!("/v2/keys/{target}?{query}"), &body);
        }
    }

    #[test]
    fn parameters_near_the_rules_never_panic(
        pairs in prop::collection::vec(
            (prop::sample::select(FAULTS.map(|f| f.1).to_vec()), "(=?[0-9tT%+-]{0,22})?"),
            0..4,
        ),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}{value}")).collect();
        let _ = ask(Method::Put, "/v2/keys/k", pairs.join("&").as_bytes());
    }

    #[test]
    fn numbers_are_digits_that_fit(text in "[0-9]{0,22}|[+_ 0-9a-f-]{1,4}") {
        let given = super::uint(text.as_bytes());
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert_eq!(given, text.parse::<u64>().ok().filter(|_| digits));
    }
}
