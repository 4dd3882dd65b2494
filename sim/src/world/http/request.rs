//! What a client asks, as a request of the v2 API.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use quorate_core::api::{KeysRequest, Verb, WatchRequest};

use super::plain;
use crate::members::CLIENT_PORT;
use crate::workload::Asked;

const FORM: &str = "application/x-www-form-urlencoded";

/// The request that asks a host for something.
pub(super) fn of(host: usize, asked: &Asked) -> Request<Full<Bytes>> {
    let (verb, path, form) = match asked {
        Asked::Keys(request) => (request.verb, &request.path, keys(request)),
        Asked::Read(request) => (Verb::Get, &request.path, keys(request)),
        Asked::Watch(request) => (Verb::Get, &request.path, watch(request)),
    };
    let method = match verb {
        Verb::Get => Method::GET,
        Verb::Put => Method::PUT,
        Verb::Post => Method::POST,
        Verb::Delete => Method::DELETE,
    };
    let key = path.strip_prefix("/1").unwrap_or(path);
    let request = Request::builder().method(method).header(HOST, format!("n{host}:{CLIENT_PORT}"));
    if matches!(verb, Verb::Put | Verb::Post) {
        plain(request.uri(format!("/v2/keys{key}")).header(CONTENT_TYPE, FORM), form)
    } else {
        plain(request.uri(format!("/v2/keys{key}?{form}")), String::new())
    }
}

fn keys(request: &KeysRequest) -> String {
    let mut form = Form::new();
    let written = matches!(request.verb, Verb::Put | Verb::Post);
    if written && !request.dir && request.refresh != Some(true) {
        form.bytes("value", Some(&request.value));
    }
    form.bytes("prevValue", request.prev_value.as_ref());
    form.number("prevIndex", Some(request.prev_index).filter(|index| *index > 0));
    form.choice("prevExist", request.prev_exist);
    form.number("ttl", request.ttl_s);
    form.choice("refresh", request.refresh);
    form.flag("dir", request.dir);
    form.flag("recursive", request.recursive);
    form.flag("sorted", request.sorted);
    form.flag("quorum", request.quorum);
    form.flag("noValueOnSuccess", request.no_value_on_success);
    form.0.finish()
}

fn watch(request: &WatchRequest) -> String {
    let mut form = Form::new();
    form.flag("wait", true);
    form.flag("recursive", request.recursive);
    form.flag("stream", request.stream);
    form.number("waitIndex", Some(request.since).filter(|index| *index > 0));
    form.0.finish()
}

struct Form(Serializer<'static, String>);

impl Form {
    fn new() -> Self {
        Self(Serializer::new(String::new()))
    }

    fn bytes(&mut self, name: &str, value: Option<&Bytes>) {
        if let Some(value) = value {
            self.0.append_pair(name, &String::from_utf8_lossy(value));
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.0.append_pair(name, &value.to_string());
        }
    }

    fn choice(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.0.append_pair(name, if value { "true" } else { "false" });
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.choice(name, value.then_some(true));
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use quorate_core::api;
    use quorate_core::api::{Parsed, Route, keys, route};
    use quorate_core::http::Head;

    use super::*;
    use crate::workload::request;

    /// What the server makes of it.
    fn parsed(asked: &Asked) -> Parsed {
        let (parts, mut body) = of(0, asked).into_parts();
        let headers = parts.headers.iter();
        let head = Head {
            method: match parts.method.as_str() {
                "PUT" => quorate_core::http::Method::Put,
                "POST" => quorate_core::http::Method::Post,
                "DELETE" => quorate_core::http::Method::Delete,
                _ => quorate_core::http::Method::Get,
            },
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
        };
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut frame = std::pin::pin!(body.frame());
        let body = match frame.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
            _ => Bytes::new(),
        };
        let Route::Keys(target) = route(&head) else { panic!("{head:?}") };
        keys::parse(&head, &target, &body, None).expect("a request")
    }

    #[test]
    fn the_server_reads_what_was_asked() {
        let plain = request(Verb::Put, "/1/a/b", "v+ &=");
        let all = [
            KeysRequest { prev_value: Some(Bytes::from("x y")), ..plain.clone() },
            KeysRequest { prev_index: 7, prev_exist: Some(true), ..plain.clone() },
            KeysRequest { ttl_s: Some(3), prev_exist: Some(false), ..plain.clone() },
            KeysRequest { verb: Verb::Post, ..plain },
            KeysRequest { recursive: true, ..request(Verb::Delete, "/1/a", "") },
            KeysRequest { quorum: true, ..request(Verb::Get, "/1/a", "") },
        ];
        for request in all {
            let expected = Parsed::Request(api::Request::Keys(request.clone()));
            assert_eq!(parsed(&Asked::Keys(request)), expected);
        }
        let read = KeysRequest { recursive: true, ..request(Verb::Get, "/1/a", "") };
        let expected = api::keys::Read { path: "/1/a".to_owned(), recursive: true };
        assert_eq!(parsed(&Asked::Read(read)), Parsed::Read(expected));
        let path = "/1/a".to_owned();
        let watch = WatchRequest { path, recursive: true, stream: true, since: 9 };
        let expected = Parsed::Request(api::Request::Watch(watch.clone()));
        assert_eq!(parsed(&Asked::Watch(watch)), expected);
    }
}
