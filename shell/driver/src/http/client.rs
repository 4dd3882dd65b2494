//! One connection to another server.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};

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
        let (sender, connection) = http1::handshake(Io::new(stream)).await.map_err(words)?;
        life.spawn(platform, async move {
            // The request that was under way reports the failure.
            let _ = connection.await;
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
