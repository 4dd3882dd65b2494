//! The answers of the service, in the JSON of the v2 API.

use bytes::Bytes;
use quorate_core::http::Answer;
use serde_json::{Value, json};

fn answer(status: u16, index: u64, body: &Value) -> Answer {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-etcd-index".to_owned(), index.to_string()),
    ];
    Answer { status, headers, body: Bytes::from(format!("{body}\n")) }
}

fn plain(status: u16, words: &'static str) -> Answer {
    Answer { status, headers: Vec::new(), body: Bytes::from_static(words.as_bytes()) }
}

pub(super) fn unavailable() -> Answer {
    plain(503, "Service Unavailable\n")
}

pub(super) fn method_not_allowed() -> Answer {
    plain(405, "Method Not Allowed\n")
}

fn error(status: u16, code: u16, message: &str, cause: &str, index: u64) -> Answer {
    let body = json!({ "errorCode": code, "message": message, "cause": cause, "index": index });
    answer(status, index, &body)
}

pub(super) fn missing(path: &str, index: u64) -> Answer {
    error(404, 100, "Key not found", path, index)
}

pub(super) fn exists(path: &str, index: u64) -> Answer {
    error(412, 105, "Key already exists", path, index)
}

fn leaf(path: &str, value: &str, created: u64) -> Value {
    json!({ "key": path, "value": value, "modifiedIndex": created, "createdIndex": created })
}

/// One key, made at the index `created`.
pub(super) fn node(
    status: u16,
    action: &str,
    path: &str,
    value: &str,
    created: u64,
    index: u64,
) -> Answer {
    answer(status, index, &json!({ "action": action, "node": leaf(path, value, created) }))
}

/// A directory with keys: path, value and the index at which each was made.
pub(super) fn directory(path: &str, nodes: &[(String, String, u64)], index: u64) -> Answer {
    let nodes: Vec<Value> = nodes.iter().map(|(key, v, at)| leaf(key, v, *at)).collect();
    let mut node = json!({ "key": path, "dir": true, "modifiedIndex": 1, "createdIndex": 1 });
    if !nodes.is_empty() {
        node["nodes"] = Value::Array(nodes);
    }
    answer(200, index, &json!({ "action": "get", "node": node }))
}
