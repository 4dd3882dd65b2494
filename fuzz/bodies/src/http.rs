//! Requests to the client port, and to the discovery service.

use quorate_core::api::members::change;
use quorate_core::api::{Route, auth, keys, log_level, route};
use quorate_core::discovery::service;
use quorate_core::http::{Head, Method};
use quorate_core::view::View;

use crate::memory::bounded;

const METHODS: [Method; 7] = [
    Method::Get,
    Method::Head,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Other,
];

const TYPES: [&str; 4] = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/json",
    "multipart/form-data; boundary=x",
];

/// The first byte chooses the method, the second the type of the body, the first line is path and
/// query, and the rest is the body.
pub fn run(input: &[u8]) {
    let [method, kind, rest @ ..] = input else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, body) = rest.split_at(end);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let line = String::from_utf8_lossy(line);
    let (path, query) = line.split_once('?').unwrap_or((&line, ""));
    let head = Head {
        method: METHODS[usize::from(*method) % METHODS.len()],
        path: path.to_owned(),
        query: query.to_owned(),
        headers: TYPES
            .get(usize::from(*kind) % (TYPES.len() + 1))
            .map(|kind| ("content-type".to_owned(), (*kind).to_owned()))
            .into_iter()
            .collect(),
    };
    if let service::Ask::Answer(reply) = bounded(input.len(), || service::read(&head, body)) {
        assert!((400..500).contains(&reply.status), "{head:?}: {reply:?}");
    }
    match bounded(input.len(), || route(&head)) {
        Route::Keys(target) => {
            let parsed = bounded(input.len(), || keys::parse(&head, &target, body, None));
            if let Err(reply) = parsed {
                assert!((400..500).contains(&reply.status), "{head:?}: {reply:?}");
            }
        }
        Route::Members(target) => {
            let parsed = bounded(input.len(), || change::parse(&head, &target, body, None));
            if let Err(reply) = parsed {
                assert!((400..500).contains(&reply.status), "{head:?}: {reply:?}");
            }
        }
        Route::Reply(reply) => assert!((200..500).contains(&reply.status), "{head:?}: {reply:?}"),
        Route::LogLevel => {
            if let Err(reply) = bounded(input.len(), || log_level::parse(body)) {
                assert_eq!(reply.status, 400, "{head:?}: {reply:?}");
            }
        }
        Route::Auth(target) => {
            let view = View::new([]);
            let parsed = bounded(input.len(), || auth::parse(&head, &target, body, &view, [0; 32]));
            if let auth::Parsed::Read(reply) = parsed {
                assert!((200..=500).contains(&reply.status), "{head:?}: {reply:?}");
            }
        }
        Route::Resource(_)
        | Route::Stats(_)
        | Route::Variables
        | Route::Metrics
        | Route::Progress
        | Route::Backup => {}
    }
}
