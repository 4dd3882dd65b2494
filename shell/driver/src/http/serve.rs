//! Accepting connections and serving them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::{Body, HyperTimer, Io};
use crate::life::Life;
use crate::platform::{Listener, Platform};

/// What one port does with requests.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;
}

/// The limits of one port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// Connections at a time.
    pub(crate) connections: usize,
    /// How long a connection may take to send the head of its next request.
    pub(crate) head_timeout: Duration,
    /// Bytes that the head of a request may have.
    pub(crate) head_bytes: usize,
}

/// A port whose addresses share one limit.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    door: Door,
    room: Arc<Semaphore>,
}

impl Doors {
    pub(crate) fn new(door: Door) -> Self {
        Self { door, room: Arc::new(Semaphore::new(door.connections)) }
    }
}

/// After an accept that has failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For the answer to a connection that is one too many.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n\
    Content-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n";

/// Serves one address until the node drains.
pub(crate) async fn listen<P: Platform, S: Service>(
    platform: P,
    life: Life,
    mut listener: P::Listener,
    doors: Doors,
    service: S,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = life.draining() => return,
            accepted = listener.accept() => accepted,
        };
        let mut stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                warn!(port = doors.door.name, %error, "cannot accept a connection");
                platform.sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&doors.room).try_acquire_owned() else {
            warn!(port = doors.door.name, "too many connections: refused one");
            tokio::select! {
                biased;
                _ = stream.write_all(REFUSAL) => {}
                () = platform.sleep(REFUSAL_TIMEOUT) => {}
            }
            continue;
        };
        let task = serve(platform.clone(), life.clone(), stream, doors.door, service.clone());
        life.spawn(&platform, async move {
            task.await;
            drop(permit);
        });
    }
}

async fn serve<P: Platform, S: Service>(
    platform: P,
    life: Life,
    stream: P::Stream,
    door: Door,
    service: S,
) {
    let answer = service_fn(|request| {
        let answer = service.answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(HyperTimer(platform))
            .header_read_timeout(door.head_timeout)
            .max_buf_size(door.head_bytes)
            .title_case_headers(true)
            .serve_connection(Io::new(stream), answer)
    );
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = life.draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(port = door.name, %error, "connection ended");
    }
}
