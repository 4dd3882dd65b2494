//! Answers of the v2 API, as what they say.

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Response};
use quorate_core::api::Stamp;
use quorate_core::store::{Action, Code, Error, Event, NodeView};
use quorate_core::time::rfc3339;
use serde_json::Value;

use crate::workload::Outcome;

/// Refusals of a server that has certainly not carried the request out.
const REFUSALS: [&str; 3] = ["too many requests", "no space", "unknown method"];

/// What came of a request.
///
/// # Errors
/// What cannot be understood.
pub(super) fn outcome(response: &Response<Bytes>) -> Result<Outcome, String> {
    let json = response.headers().get(CONTENT_TYPE).is_some_and(|v| v == "application/json");
    if !json {
        // A server that is too busy, or about to end, answers in text.
        return Ok(Outcome::Unknown);
    }
    let body = parse(response.body())?;
    let stamp = stamp(response.headers());
    if response.status().is_success() {
        let event = read_event(&body, stamp.store_index)?;
        return Ok(Outcome::Answered { result: Ok(event), stamp });
    }
    let number = body["errorCode"].as_u64().ok_or_else(|| format!("no error code: {body}"))?;
    let cause = body["cause"].as_str().unwrap_or_default();
    if number == 300 {
        let refused = REFUSALS.iter().any(|words| cause.contains(words));
        return Ok(if refused { Outcome::Refused } else { Outcome::Unknown });
    }
    let code = code(number).ok_or_else(|| format!("an unexpected error: {body}"))?;
    let index = body["index"].as_u64().unwrap_or_default();
    let result = Err(Error { code, cause: cause.to_owned(), index });
    Ok(Outcome::Answered { result, stamp })
}

/// An event of a watch.
///
/// # Errors
/// What cannot be understood.
pub(super) fn event(line: &[u8]) -> Result<Event, String> {
    let body = parse(line)?;
    let index = body["node"]["modifiedIndex"].as_u64().unwrap_or_default();
    read_event(&body, index)
}

fn parse(text: &[u8]) -> Result<Value, String> {
    let words = |error| format!("{error}: {}", String::from_utf8_lossy(text));
    serde_json::from_slice(text).map_err(words)
}

/// The indexes that come with an answer; 0 where one does not.
pub(super) fn stamp(headers: &HeaderMap) -> Stamp {
    let number = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    Stamp {
        store_index: number("x-etcd-index"),
        raft_index: number("x-raft-index"),
        raft_term: number("x-raft-term"),
    }
}

const fn code(number: u64) -> Option<Code> {
    Some(match number {
        100 => Code::KeyNotFound,
        101 => Code::CompareFailed,
        102 => Code::NotAFile,
        104 => Code::NotADirectory,
        105 => Code::KeyExists,
        107 => Code::RootReadOnly,
        108 => Code::DirectoryNotEmpty,
        401 => Code::EventIndexCleared,
        _ => return None,
    })
}

fn read_event(body: &Value, index: u64) -> Result<Event, String> {
    let name = body["action"].as_str().unwrap_or_default();
    let action = match name {
        "get" => Action::Get,
        "set" => Action::Set,
        "create" => Action::Create,
        "update" => Action::Update,
        "compareAndSwap" => Action::CompareAndSwap,
        "delete" => Action::Delete,
        "compareAndDelete" => Action::CompareAndDelete,
        "expire" => Action::Expire,
        _ => return Err(format!("an unknown action: {body}")),
    };
    let node = read_node(&body["node"]);
    let prev = body.get("prevNode").map(read_node);
    Ok(Event { action, node, prev, index, refresh: false })
}

fn read_node(node: &Value) -> NodeView {
    let number = |name: &str| node[name].as_u64().unwrap_or_default();
    let nodes = node["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    NodeView {
        path: format!("/1{}", node["key"].as_str().unwrap_or_default()),
        value: node["value"].as_str().map(|value| Bytes::copy_from_slice(value.as_bytes())),
        dir: node["dir"].as_bool().unwrap_or_default(),
        expiration: node["expiration"].as_str().and_then(rfc3339::parse),
        nodes: nodes.iter().map(read_node).collect(),
        modified_index: number("modifiedIndex"),
        created_index: number("createdIndex"),
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::api::{self, Context, Failure, Rendered, render};
    use quorate_core::time::Wall;

    use super::*;

    fn rendered(response: &api::Response) -> Response<Bytes> {
        let context = Context { cluster: None, now: Wall::default(), no_value_on_success: false };
        let Rendered::Whole(reply) = render(response, context) else { panic!("{response:?}") };
        let mut builder = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            builder = builder.header(name, value);
        }
        builder.body(reply.body).unwrap()
    }

    fn node(value: &'static str, index: u64) -> NodeView {
        NodeView {
            path: "/1/a <b>".to_owned(),
            value: Some(Bytes::from(value)),
            dir: false,
            expiration: Some(1_577_836_800_000_000_000),
            nodes: Vec::new(),
            modified_index: index,
            created_index: 3,
        }
    }

    fn swapped() -> Event {
        let (node, prev) = (node("new \"&\"", 9), Some(node("old", 8)));
        Event { action: Action::CompareAndSwap, node, prev, index: 9, refresh: false }
    }

    #[test]
    fn an_event_comes_back_as_it_was() {
        let stamp = Stamp { store_index: 9, raft_index: 20, raft_term: 2 };
        let response = api::Response::Keys { result: Ok(swapped()), stamp };
        match outcome(&rendered(&response)) {
            Ok(Outcome::Answered { result: Ok(event), stamp: read }) => {
                assert_eq!((event, read), (swapped(), stamp));
            }
            other => panic!("{other:?}"),
        }
        let context = Context { cluster: None, now: Wall::default(), no_value_on_success: false };
        let Rendered::Part(line) = render(&api::Response::Event(swapped()), context) else {
            panic!("an event is a part");
        };
        assert_eq!(event(&line), Ok(swapped()));
    }

    #[test]
    fn a_refusal_of_the_store_is_an_answer() {
        let error = Error { code: Code::KeyExists, cause: "/1/x".to_owned(), index: 12 };
        let stamp = Stamp::default();
        match outcome(&rendered(&api::Response::Keys { result: Err(error), stamp })) {
            Ok(Outcome::Answered { result: Err(error), .. }) => {
                assert_eq!((error.code, error.index), (Code::KeyExists, 12));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn failures_are_told_apart_by_what_is_certain() {
        let of = |failure| outcome(&rendered(&api::Response::Failed(failure)));
        assert!(matches!(of(Failure::TooManyRequests), Ok(Outcome::Refused)));
        assert!(matches!(of(Failure::NoSpace), Ok(Outcome::Refused)));
        assert!(matches!(of(Failure::TimedOut), Ok(Outcome::Unknown)));
        assert!(matches!(of(Failure::Stopping), Ok(Outcome::Unknown)));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let json = |body: &'static str| {
            let builder = Response::builder().header(CONTENT_TYPE, "application/json");
            outcome(&builder.body(Bytes::from(body)).unwrap())
        };
        assert!(json("{\"action\":").is_err());
        assert!(json("{\"action\":\"eat\",\"node\":{}}").is_err());
    }
}
