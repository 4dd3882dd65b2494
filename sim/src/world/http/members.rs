//! Changes of the membership as HTTP sees them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use quorate_core::api::MembersRequest;
use quorate_core::id::MemberId;
use quorate_core::url::Url;

use super::plain;
use crate::members::CLIENT_PORT;
use crate::place::Told;

/// The request that asks a host for a change.
pub(super) fn of(host: usize, asked: &MembersRequest) -> Request<Full<Bytes>> {
    let (method, path, body) = match asked {
        MembersRequest::Add { peer_urls } => {
            (Method::POST, "/v2/members".to_owned(), body(peer_urls))
        }
        MembersRequest::Update { id, peer_urls } => {
            (Method::PUT, format!("/v2/members/{id}"), body(peer_urls))
        }
        MembersRequest::Remove { id } => {
            (Method::DELETE, format!("/v2/members/{id}"), String::new())
        }
    };
    let request = Request::builder().method(method).uri(path);
    let request = request.header(HOST, format!("n{host}:{CLIENT_PORT}"));
    plain(request.header(CONTENT_TYPE, "application/json"), body)
}

fn body(urls: &[Url]) -> String {
    let urls: Vec<String> = urls.iter().map(|url| format!("\"{url}\"")).collect();
    format!("{{\"peerURLs\":[{}]}}", urls.join(","))
}

/// What an answer says.
pub(super) fn told(answer: &Response<Bytes>) -> Told {
    #[derive(serde::Deserialize)]
    struct Added {
        id: String,
    }
    match answer.status() {
        StatusCode::CREATED => {
            let added = serde_json::from_slice::<Added>(answer.body()).ok();
            Told::Done(added.and_then(|added| MemberId::parse_hex(&added.id)))
        }
        StatusCode::NO_CONTENT => Told::Done(None),
        StatusCode::CONFLICT | StatusCode::GONE | StatusCode::NOT_FOUND => Told::Refused,
        _ => Told::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        let of = |status: u16, body: &'static str| {
            told(&Response::builder().status(status).body(Bytes::from(body)).unwrap())
        };
        let added = r#"{"id":"1f","name":"","peerURLs":["http://n1:2380"],"clientURLs":[]}"#;
        assert_eq!(of(201, added), Told::Done(Some(MemberId(0x1f))));
        assert_eq!(of(204, ""), Told::Done(None));
        assert_eq!(of(409, r#"{"message":"membership: peerURL exists"}"#), Told::Refused);
        assert_eq!(of(500, "{}"), Told::Unknown);
    }
}
