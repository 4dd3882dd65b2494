//! One connection to another server.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response};

use super::{Body, Io};
use crate::life::Life;
use crate::platform::{Endpoint, Platform};

/// Why there is no answer, in words.
pub(crate) type Failure = String;

/// A connection over which requests go one after the other.
pub(crate) struct Connection {
    sender: http1::SendRequest<Body>,
}

impl Connection {
    /// Connects within `timeout`. A task of its own drives the connection until it is dropped.
    pub(crate) async fn open<P: Platform>(
        platform: &P,
        life: &Life,
        to: &Endpoint,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let stream = platform.connect(to, timeout).await.map_err(words)?;
        Self::over(platform, life, stream).await
    }

    /// Speaks over a connection that was made.
    pub(crate) async fn over<P: Platform>(
        platform: &P,
        life: &Life,
        stream: P::Stream,
    ) -> Result<Self, Failure> {
        let (sender, connection) = http1::handshake(Io::new(stream)).await.map_err(words)?;
        life.spawn(platform, async move {
            // The request that was under way reports the failure.
            let _ = connection.with_upgrades().await;
        });
        Ok(Self { sender })
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, Failure> {
        self.sender.ready().await.map_err(words)?;
        self.sender.send_request(request).await.map_err(words)
    }

    /// Has the HTTP proxy at the other end connect to `place`, which is `HOST:PORT`, and pass on
    /// everything from then on (RFC 9110, 9.3.6).
    pub(crate) async fn tunnel<P: Platform>(
        mut self,
        place: &str,
        credentials: Option<&str>,
    ) -> Result<P::Stream, Failure> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = place.parse().map_err(words)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::try_from(place).map_err(words)?);
        if let Some(credentials) = credentials {
            headers.insert(PROXY_AUTHORIZATION, HeaderValue::try_from(credentials).map_err(words)?);
        }
        let answer = self.send(request).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(format!("it does not connect to {place}: status {status}"));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(words)?;
        let parts = upgraded.downcast::<Io<P::Stream>>();
        let parts = parts.map_err(|_| "the connection is not its own".to_owned())?;
        if !parts.read_buf.is_empty() {
            return Err(format!("{place} speaks before it is spoken to"));
        }
        Ok(parts.io.into_inner())
    }

    /// Whether a further request has a chance.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

/// `host:port` as the Host header has it.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn words(error: impl std::error::Error) -> Failure {
    // hyper keeps the interesting part in the source.
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
