//! Calls to other servers on the node's behalf.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Request, Response, Uri};
use quorate_core::http::{Answer, Call, Method, Via};
use quorate_core::tls::Role;
use quorate_core::url::Scheme;

use crate::http::{Body, Connection, Whole, authority, read_body};
use crate::life::Life;
use crate::platform::{Endpoint, Platform};

/// Bytes of an answer that are read. Member lists and discovery answers are far below.
const ANSWER_LIMIT: usize = 16 << 20;

/// Makes a call, over a connection of its own, within its timeout.
pub(crate) async fn call<P: Platform>(
    platform: &P,
    life: &Life,
    call: Call,
) -> Result<Answer, String> {
    let timeout = call.timeout;
    tokio::select! {
        biased;
        result = attempt(platform, life, call) => result,
        () = platform.sleep(timeout) => Err(format!("no answer within {timeout:?}")),
    }
}

async fn attempt<P: Platform>(platform: &P, life: &Life, call: Call) -> Result<Answer, String> {
    begin(platform, life, &call).await?.whole().await
}

/// A call of which the head of the answer has come.
pub(crate) struct Begun {
    response: Response<Incoming>,
    /// What the rest comes over.
    _connection: Connection,
}

impl Begun {
    /// The answer without its body.
    pub(crate) fn head(&self) -> Answer {
        let headers = self.response.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (self.response.status().as_u16(), headers.collect());
        Answer { status, headers, body: Bytes::new() }
    }

    /// The next bytes of the body; nothing at its end.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            let frame = self.response.body_mut().frame().await?;
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers say nothing that anybody here asks for.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error.to_string())),
            }
        }
    }

    /// The answer with its body.
    pub(crate) async fn whole(self) -> Result<Answer, String> {
        let head = self.head();
        match read_body(self.response.into_body(), ANSWER_LIMIT).await {
            Whole::Bytes(body) => Ok(Answer { body, ..head }),
            Whole::TooLong(_) => Err(format!("the answer is longer than {ANSWER_LIMIT} bytes")),
            Whole::Broken(cause) => Err(cause),
        }
    }
}

/// Makes a call until the head of its answer comes, however long that takes.
pub(crate) async fn begin<P: Platform>(
    platform: &P,
    life: &Life,
    call: &Call,
) -> Result<Begun, String> {
    let target = Target::parse(&call.url, call.role)?;
    let request = request(&target, call)?;
    let mut connection = match &call.via {
        None => Connection::open(platform, life, &target.endpoint, call.timeout).await?,
        Some(via) => through(platform, life, via, &target, call.timeout)
            .await
            .map_err(|cause| format!("the proxy {}: {cause}", authority(&via.host, via.port)))?,
    };
    let response = connection.send(request).await?;
    Ok(Begun { response, _connection: connection })
}

/// A connection to an HTTP proxy, which passes on what is asked of `target`; to `target` itself
/// where that speaks TLS, which the proxy could not read.
async fn through<P: Platform>(
    platform: &P,
    life: &Life,
    via: &Via,
    target: &Target,
    timeout: Duration,
) -> Result<Connection, String> {
    let (host, port) = (via.host.clone(), via.port);
    let proxy = Endpoint { role: Role::Public, scheme: Scheme::Http, host, port };
    let connection = Connection::open(platform, life, &proxy, timeout).await?;
    let Endpoint { scheme, host, port, .. } = &target.endpoint;
    if *scheme == Scheme::Http {
        return Ok(connection);
    }
    let place = authority(host, *port);
    let stream = connection.tunnel::<P>(&place, via.credentials.as_deref()).await?;
    let secured = platform.secure(stream, &target.endpoint, timeout).await;
    let stream = secured.map_err(|error| format!("{place} behind it: {error}"))?;
    Connection::over(platform, life, stream).await
}

/// Where an absolute URL leads.
struct Target {
    endpoint: Endpoint,
    path: String,
}

impl Target {
    fn parse(url: &str, role: Role) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            _ => return Err(format!("{url}: not an http or https URL")),
        };
        let host = uri.host().ok_or_else(|| format!("{url}: no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(default_port);
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { endpoint: Endpoint { role, scheme, host, port }, path })
    }
}

fn request(target: &Target, call: &Call) -> Result<Request<Body>, String> {
    let method = match call.method {
        Method::Get => hyper::Method::GET,
        Method::Head => hyper::Method::HEAD,
        Method::Put => hyper::Method::PUT,
        Method::Post => hyper::Method::POST,
        Method::Delete => hyper::Method::DELETE,
        Method::Options => hyper::Method::OPTIONS,
        Method::Other => return Err("a call needs a method".to_owned()),
    };
    let mut request = Request::new(Body::Whole(call.body.clone()));
    *request.method_mut() = method;
    // A proxy that reads the request is told the whole URL, and who asks.
    let read_by = call.via.as_ref().filter(|_| target.endpoint.scheme == Scheme::Http);
    let uri = if read_by.is_some() { &call.url } else { &target.path };
    *request.uri_mut() = uri.parse().map_err(|error| format!("{}: {error}", call.url))?;
    let headers = request.headers_mut();
    let host = HeaderValue::try_from(authority(&target.endpoint.host, target.endpoint.port));
    headers.insert(HOST, host.map_err(|error| format!("{}: {error}", call.url))?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(credentials) = read_by.and_then(|via| via.credentials.as_ref()) {
        let value = HeaderValue::try_from(credentials).map_err(|error| error.to_string())?;
        headers.insert(PROXY_AUTHORIZATION, value);
    }
    for (name, value) in &call.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
