use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Context, Rendered, render, seconds_left};
use crate::api::fixture::{CLUSTER, header, text};
use crate::api::response::{Failure, Response, Stamp};
use crate::http::Reply;
use crate::store::{self, Action, Event, NodeView};
use crate::time::Wall;

const NOW: i64 = 1_700_000_000_000_000_000;
const STAMP: Stamp = Stamp { store_index: 90, raft_index: 120, raft_term: 3 };
const CONTEXT: Context =
    Context { cluster: Some(CLUSTER), now: Wall::from_unix_nanos(NOW), no_value_on_success: false };

fn file(path: &str, value: &'static [u8], index: u64) -> NodeView {
    NodeView {
        path: path.to_string(),
        value: Some(Bytes::from_static(value)),
        dir: false,
        expiration: None,
        nodes: vec![],
        modified_index: index,
        created_index: index,
    }
}

fn event(action: Action, node: NodeView) -> Event {
    Event { action, node, prev: None, index: 7, refresh: false }
}

fn whole(response: &Response, context: Context) -> Reply {
    match render(response, context) {
        Rendered::Whole(reply) => reply,
        other => panic!("not whole: {other:?}"),
    }
}

fn keys(event: Event) -> Reply {
    whole(&Response::Keys { result: Ok(event), stamp: STAMP }, CONTEXT)
}

fn headers(reply: &Reply) -> Vec<(&str, &str)> {
    reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn all_fields_in_their_order() {
    let dir = NodeView { dir: true, value: None, ..file("/1/d/_x", b"", 4) };
    let mut tree = NodeView { nodes: vec![file("/1/d/<", b"\xff&", 5), dir], ..file("", b"", 3) };
    tree.path = "/1/d".to_string();
    (tree.dir, tree.value, tree.expiration) = (true, None, Some(NOW + 1_500_000_000));
    let mut event = event(Action::Update, tree);
    event.prev = Some(file("/1/d", b"", 2));
    let expected = concat!(
        r#"{"action":"update","node":{"key":"/d","dir":true,"#,
        r#""expiration":"2023-11-14T22:13:21.5Z","ttl":2,"nodes":["#,
        r#"{"key":"/d/\u003c","value":"\ufffd\u0026","modifiedIndex":5,"createdIndex":5},"#,
        r#"{"key":"/d/_x","dir":true,"modifiedIndex":4,"createdIndex":4}],"#,
        r#""modifiedIndex":3,"createdIndex":3},"#,
        r#""prevNode":{"key":"/d","value":"","modifiedIndex":2,"createdIndex":2}}"#,
        "\n"
    );
    assert_eq!(text(&keys(event)), expected);
}

#[test]
fn the_root_is_almost_empty() {
    let root = NodeView { dir: true, value: None, ..file("/1", b"", 0) };
    let reply = keys(event(Action::Get, root));
    assert_eq!(text(&reply), "{\"action\":\"get\",\"node\":{\"dir\":true}}\n");
}

#[test]
fn status_and_headers_of_success() {
    let replaced =
        Event { prev: Some(file("/1/k", b"0", 6)), ..event(Action::Set, file("/1/k", b"1", 7)) };
    let reply = keys(replaced);
    assert_eq!(reply.status, 200);
    assert_eq!(
        headers(&reply),
        [
            ("Content-Type", "application/json"),
            ("X-Etcd-Index", "7"),
            ("X-Raft-Index", "120"),
            ("X-Raft-Term", "3"),
            ("X-Etcd-Cluster-ID", "ef37ad9dc622a7c4"),
        ]
    );
    for (action, status) in [
        (Action::Get, 200),
        (Action::Set, 201),
        (Action::Create, 201),
        (Action::Update, 200),
        (Action::CompareAndSwap, 200),
        (Action::Delete, 200),
        (Action::CompareAndDelete, 200),
    ] {
        assert_eq!(keys(event(action, file("/1/k", b"", 7))).status, status);
    }
}

#[test]
fn what_was_written_is_left_out_where_asked() {
    let context = Context { no_value_on_success: true, ..CONTEXT };
    for (action, short) in [
        (Action::Set, true),
        (Action::Create, true),
        (Action::Update, true),
        (Action::CompareAndSwap, true),
        (Action::Get, false),
        (Action::Delete, false),
        (Action::CompareAndDelete, false),
    ] {
        let result = Ok(event(action, file("/1/k", b"1", 7)));
        let reply = whole(&Response::Keys { result, stamp: STAMP }, context);
        assert_eq!(!text(&reply).contains("node"), short);
        assert_eq!(header(&reply, "X-Etcd-Index"), Some("7"));
    }
}

#[test]
fn store_errors() {
    use store::Code;
    for (code, status, start) in [
        (Code::KeyNotFound, 404, r#"{"errorCode":100,"message":"Key not found","#),
        (Code::CompareFailed, 412, r#"{"errorCode":101,"message":"Compare failed","#),
        (Code::NotAFile, 403, r#"{"errorCode":102,"message":"Not a file","#),
        (Code::NotADirectory, 400, r#"{"errorCode":104,"message":"Not a directory","#),
        (Code::KeyExists, 412, r#"{"errorCode":105,"message":"Key already exists","#),
        (Code::RootReadOnly, 400, r#"{"errorCode":107,"message":"Root is read only","#),
        (Code::DirectoryNotEmpty, 403, r#"{"errorCode":108,"message":"Directory not empty","#),
        (
            Code::EventIndexCleared,
            400,
            r#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","#,
        ),
    ] {
        for (cause, end) in [
            ("/1/a", "\"cause\":\"/a\",\"index\":12}\n"),
            ("/", "\"cause\":\"/\",\"index\":12}\n"),
            ("/1", "\"index\":12}\n"),
            ("[<1 != 2]", "\"cause\":\"[\\u003c1 != 2]\",\"index\":12}\n"),
        ] {
            let error = store::Error { code, cause: cause.to_string(), index: 12 };
            let refused = Response::WatchRefused(error.clone());
            let response = Response::Keys { result: Err(error), stamp: STAMP };
            let reply = whole(&response, CONTEXT);
            assert_eq!(reply, whole(&refused, CONTEXT));
            assert_eq!(reply.status, status);
            assert_eq!(text(&reply), [start, end].concat());
            assert_eq!(header(&reply, "X-Etcd-Index"), Some("12"));
            assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), Some("ef37ad9dc622a7c4"));
            assert_eq!(header(&reply, "X-Raft-Index"), None);
        }
    }
}

#[test]
fn failures_are_internal_errors_of_raft() {
    for (failure, cause) in [
        (Failure::TimedOut, "etcdserver: request timed out"),
        (
            Failure::TimedOutLeaderFailure,
            "etcdserver: request timed out, possibly due to previous leader failure",
        ),
        (
            Failure::TimedOutConnectionLost,
            "etcdserver: request timed out, possibly due to connection lost",
        ),
        (Failure::TooManyRequests, "etcdserver: too many requests"),
        (Failure::NoSpace, "etcdserver: no space, the disk of this member is full"),
        (Failure::Stopping, "etcdserver: server stopped"),
        (Failure::UnknownMethod("X".to_string()), "etcdserver: unknown method"),
    ] {
        let reply = whole(&Response::Failed(failure), CONTEXT);
        assert_eq!(reply.status, 500);
        let start = "{\"errorCode\":300,\"message\":\"Raft Internal Error\",\"cause\":\"";
        assert_eq!(text(&reply), [start, cause, "\",\"index\":0}\n"].concat());
        assert_eq!(header(&reply, "X-Etcd-Index"), Some("0"));
    }
}

#[test]
fn a_watch_comes_in_parts() {
    let Rendered::Head(head) = render(&Response::Watching { stamp: STAMP }, CONTEXT) else {
        panic!("a watch begins with its head")
    };
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(header(&head, "X-Etcd-Index"), Some("90"));
    assert_eq!(header(&head, "X-Raft-Index"), Some("120"));

    let gone = NodeView { value: None, ..file("/1/k", b"", 7) };
    let response = Response::Event(event(Action::Expire, gone));
    let line = "{\"action\":\"expire\",\"node\":{\"key\":\"/k\",\"modifiedIndex\":7,\"createdIndex\":7}}\n";
    assert_eq!(render(&response, CONTEXT), Rendered::Part(Bytes::from_static(line.as_bytes())));
    assert_eq!(render(&Response::WatchEnded, CONTEXT), Rendered::End);
}

#[test]
fn without_a_cluster_there_is_no_header_for_it() {
    let reply = whole(&Response::Failed(Failure::TimedOut), Context { cluster: None, ..CONTEXT });
    assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), None);
}

#[test]
fn times_to_live_are_rounded_up() {
    const SECOND: i64 = 1_000_000_000;
    for (left, seconds) in [
        (1, 1),
        (SECOND, 1),
        (SECOND + 1, 2),
        (0, 0),
        (-1, 0),
        (1 - SECOND, 0),
        (-SECOND, -1),
        (-SECOND - 1, -1),
    ] {
        assert_eq!(seconds_left(NOW + left, Wall::from_unix_nanos(NOW)), seconds, "{left}");
    }
    assert_eq!(seconds_left(i64::MAX, Wall::from_unix_nanos(i64::MIN)), 18_446_744_074);
    assert_eq!(seconds_left(i64::MIN, Wall::from_unix_nanos(i64::MAX)), -18_446_744_073);
}

#[test]
fn a_time_to_live_of_nothing_is_left_out() {
    let node = NodeView { expiration: Some(NOW), ..file("/1/k", b"v", 7) };
    let reply = keys(event(Action::Get, node));
    let body: String = text(&reply).to_string();
    assert!(body.contains(r#""expiration":"2023-11-14T22:13:20Z","modifiedIndex""#), "{body}");
}
