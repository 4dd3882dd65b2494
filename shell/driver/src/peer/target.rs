//! Which of a peer's URLs to use, and what a request to it says about the sender.

use std::sync::Arc;

use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Request};
use quorate_core::tls::Role;
use quorate_core::url::Url;

use super::CONNECT_TIMEOUT;
use super::links::Line;
use crate::http::{Body, Connection, Failure, authority};
use crate::platform::{Endpoint, Platform};

/// Goes round a peer's URLs: a failure moves on to the next.
#[derive(Debug, Default)]
pub(super) struct Rotation(usize);

impl Rotation {
    pub(super) fn url(&self, urls: &Arc<[Url]>) -> Option<Url> {
        let at = self.0.checked_rem(urls.len())?;
        urls.get(at).cloned()
    }

    pub(super) const fn next(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }
}

pub(super) async fn connect<P: Platform>(line: &Line<P>, url: &Url) -> Result<Connection, Failure> {
    let ground = &line.ground;
    let to = Endpoint::of(url, Role::Peer);
    Connection::open(&ground.platform, &ground.life, &to, CONNECT_TIMEOUT).await
}

/// A request to a peer with the headers by which it knows the sender.
pub(super) fn request(
    url: &Url,
    method: Method,
    path: &str,
    headers: Vec<(String, String)>,
    body: Body,
) -> Result<Request<Body>, Failure> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().map_err(|error| format!("{path}: {error}"))?;
    let host = HeaderValue::try_from(authority(url.host(), url.port()));
    request.headers_mut().insert(HOST, host.map_err(|error| format!("{url}: {error}"))?);
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
