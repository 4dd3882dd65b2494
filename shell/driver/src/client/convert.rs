//! Between hyper's requests and answers and the core's.

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use quorate_core::http::{Head, Method, Reply};

use crate::http::Body;

/// The head of a request as the core reads it. Bytes of headers that are not UTF-8 are replaced.
pub(crate) fn head(parts: &Parts) -> Head {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Head {
        method: method(&parts.method),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
    }
}

fn method(method: &hyper::Method) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

/// A whole answer of the core as hyper sends it.
pub(crate) fn response(reply: Reply) -> Response<Body> {
    answer(reply.status, reply.headers, Body::Whole(reply.body))
}

/// An answer with the body `body`. A header that HTTP cannot carry is left out: its value came
/// from outside, and the rest of the answer is still worth having.
pub(crate) fn answer(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    add_headers(&mut response, headers);
    response
}

/// Adds headers to an answer, those that HTTP can carry.
pub(crate) fn add_headers(response: &mut Response<Body>, headers: Vec<(&'static str, String)>) {
    let map = response.headers_mut();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_maybe_shared(Bytes::from(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
}
