use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use super::{BODY_LIMIT, parse, render};
use crate::api::fixture::{self, CLUSTER, header, text};
use crate::api::request::MembersRequest;
use crate::api::response::{Failure, MembersFailure, Response};
use crate::api::{Route, route};
use crate::http::{Method, Reply};
use crate::id::MemberId;
use crate::member::Member;
use crate::url::Url;

const JSON: &str = "application/json";

fn ask(method: Method, path: &str, kind: &str, body: &str) -> Result<MembersRequest, Reply> {
    let mut head = fixture::head(method, path);
    head.headers = vec![("content-type".to_string(), kind.to_string())];
    match route(&head) {
        Route::Members(target) => {
            let body = if target.reads_body() { body } else { "" };
            parse(&head, &target, body.as_bytes(), Some(CLUSTER))
        }
        Route::Reply(reply) => Err(reply),
        other => panic!("{other:?}"),
    }
}

fn urls(texts: &[&str]) -> Vec<Url> {
    texts.iter().map(|text| Url::parse(text).unwrap()).collect()
}

#[test]
fn changes_are_read() {
    let add = ask(Method::Post, "/v2/members", JSON, r#"{"peerURLs":["http://b:1","http://a:1"]}"#);
    let peer_urls = urls(&["http://a:1", "http://b:1"]);
    assert_eq!(add, Ok(MembersRequest::Add { peer_urls: peer_urls.clone() }));
    let with_charset = "application/json; charset=utf-8";
    let body = r#"{"peerURLs":["http://a:1","http://b:1"],"more":1}"#;
    let update = ask(Method::Put, "/v2/members/0a", with_charset, body);
    assert_eq!(update, Ok(MembersRequest::Update { id: MemberId(10), peer_urls }));
    let remove = ask(Method::Delete, "/v2/members/A", "", "not read");
    assert_eq!(remove, Ok(MembersRequest::Remove { id: MemberId(10) }));
}

/// As etcd 3.4.23 was seen to answer.
#[test]
fn faults_are_told_in_the_words_of_etcd() {
    let table = [
        (
            Method::Post,
            "/v2/members",
            "text/plain",
            "{}",
            415,
            "Bad Content-Type text/plain, accept application/json",
        ),
        (Method::Post, "/v2/members", JSON, r#"{"peerURLs":"#, 400, "unexpected end of JSON input"),
        (Method::Post, "/v2/members", JSON, r#"{"peerURLs":[]}"#, 400, "no valid URLs given"),
        (Method::Post, "/v2/members", JSON, r#"{"peerURLs":null}"#, 400, "no valid URLs given"),
        (
            Method::Post,
            "/v2/members",
            JSON,
            r#"{"peerURLs":["http://127.0.0.1"]}"#,
            400,
            r#"URL address does not have the form \"host:port\": http://127.0.0.1"#,
        ),
        (
            Method::Post,
            "/v2/members",
            JSON,
            r#"{"peerURLs":["http://1.1.1.1:1/path"]}"#,
            400,
            "URL must not contain a path: http://1.1.1.1:1/path",
        ),
        (
            Method::Post,
            "/v2/members",
            JSON,
            r#"{"peerURLs":"x"}"#,
            400,
            "json: cannot unmarshal string into Go struct field .peerURLs of type []string",
        ),
        (
            Method::Put,
            "/v2/members/1",
            JSON,
            r#"{"peerURLs":["bad"]}"#,
            400,
            "URL scheme must be http, https, unix, or unixs: bad",
        ),
        (
            Method::Put,
            "/v2/members/1",
            JSON,
            r#"{"peerURLs":["unix://a:1"]}"#,
            400,
            "URL scheme must be http or https: unix://a:1",
        ),
        (Method::Put, "/v2/members/qq", JSON, "", 404, "No such member: qq"),
        (Method::Delete, "/v2/members/zzz", "", "", 404, "No such member: zzz"),
        (Method::Delete, "/v2/members/1/2", "", "", 404, "No such member: 1/2"),
    ];
    for (method, path, kind, body, status, message) in table {
        let reply = ask(method, path, kind, body).unwrap_err();
        let expected = alloc::format!("{{\"message\":\"{message}\"}}");
        assert_eq!((reply.status, text(&reply)), (status, expected.as_str()), "{path} {body}");
        assert!(header(&reply, "X-Etcd-Cluster-ID").is_some());
    }
}

#[test]
fn a_body_is_bounded() {
    let long = "x".repeat(BODY_LIMIT + 1);
    let reply = ask(Method::Post, "/v2/members", JSON, &long).unwrap_err();
    assert_eq!(reply.status, 400);
}

#[test]
fn outcomes_are_rendered() {
    let add = MembersRequest::Add { peer_urls: urls(&["http://a:1"]) };
    let remove = MembersRequest::Remove { id: MemberId(0xab) };
    let added = Member {
        id: MemberId(0xab),
        name: "".to_string(),
        peer_urls: urls(&["http://a:1"]),
        client_urls: vec![],
        learner: true,
    };
    let failed = |failure| Response::Members(Err(failure));
    let internal = "{\"message\":\"Internal Server Error\"}";
    let table = [
        (
            &add,
            Response::Members(Ok(Some(added))),
            201,
            "{\"id\":\"ab\",\"name\":\"\",\"peerURLs\":[\"http://a:1\"],\"clientURLs\":[]}\n",
        ),
        (&remove, Response::Members(Ok(None)), 204, ""),
        (
            &add,
            failed(MembersFailure::UrlExists),
            409,
            "{\"message\":\"membership: peerURL exists\"}",
        ),
        (&add, failed(MembersFailure::IdExists), 409, "{\"message\":\"membership: ID exists\"}"),
        (&remove, failed(MembersFailure::NotFound), 404, "{\"message\":\"No such member: ab\"}"),
        (
            &remove,
            failed(MembersFailure::Removed),
            410,
            "{\"message\":\"Member permanently removed: ab\"}",
        ),
        (&remove, failed(MembersFailure::NotEnoughStarted), 500, internal),
        (&remove, Response::Failed(Failure::TimedOut), 500, internal),
    ];
    for (request, response, status, body) in table {
        let reply = render(request, &response, Some(CLUSTER));
        assert_eq!((reply.status, text(&reply)), (status, body));
        assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), Some(&*CLUSTER.to_string()));
        assert_eq!(header(&reply, "X-Quorate-Cause").is_some(), status == 500);
    }
}
