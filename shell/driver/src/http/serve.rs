//! Accepting connections and serving them.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use quorate_core::time::Instant;
use quorate_core::tls::Failure;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::complaints::Complaints;
use super::pace::{Pace, Paced};
use super::{Body, HyperTimer, Io};
use crate::life::Life;
use crate::platform::{Caller, Listener, Pending, Platform};

/// What one port does with requests.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Answers one request of `caller`.
    fn answer(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// The limits of one port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// Connections at a time.
    pub(crate) connections: usize,
    /// How long a connection may take for the head of a request, once that has begun.
    pub(crate) head_timeout: Duration,
    /// How long a connection may lie idle between two requests.
    pub(crate) idle_timeout: Duration,
    /// Bytes that the head of a request may have.
    pub(crate) head_bytes: usize,
}

/// A port whose addresses share one limit.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    door: Door,
    room: Arc<Semaphore>,
    complaints: Arc<Complaints>,
}

impl Doors {
    pub(crate) fn new(door: Door) -> Self {
        let room = Arc::new(Semaphore::new(door.connections));
        Self { door, room, complaints: Arc::default() }
    }

    /// Says why a connection was refused, unless that was said of the same host just now.
    fn complain(&self, now: Instant, origin: &str, failure: &Failure) {
        let port = self.door.name;
        if self.complaints.is_news(now, origin, failure) {
            warn!(port, "refused a connection from {origin}: {failure}");
        } else {
            debug!(port, "refused a connection from {origin}: {failure}");
        }
    }
}

/// After an accept that has failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For the answer to a connection that is one too many.
const REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\n\
    Content-Length: 37\r\nConnection: close\r\n\r\nthe request has not come in the time\n";
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
        let pending = match accepted {
            Ok(pending) => pending,
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
                () = send_away(pending) => {}
                () = platform.sleep(REFUSAL_TIMEOUT) => {}
            }
            continue;
        };
        let task = serve(platform.clone(), life.clone(), pending, doors.clone(), service.clone());
        life.spawn(&platform, async move {
            task.await;
            drop(permit);
        });
    }
}

async fn send_away(pending: impl Pending<Stream: AsyncWrite + Unpin>) {
    if let Ok((mut stream, _)) = pending.establish().await {
        // Whoever does not listen any more has learnt enough.
        let _ = stream.write_all(REFUSAL).await;
    }
}

/// Makes the handshake, unless nothing comes of it in the time that a request may take.
async fn establish<P: Platform>(
    platform: &P,
    life: &Life,
    pending: P::Pending,
    doors: &Doors,
) -> Option<(P::Stream, Caller)> {
    let origin = pending.origin().to_owned();
    let established = tokio::select! {
        biased;
        established = pending.establish() => established,
        () = life.draining() => return None,
        () = platform.sleep(doors.door.head_timeout) => return None,
    };
    match established {
        Ok(established) => Some(established),
        Err(failure) => {
            doors.complain(platform.now().mono, &origin, &failure);
            None
        }
    }
}

async fn serve<P: Platform, S: Service>(
    platform: P,
    life: Life,
    pending: P::Pending,
    doors: Doors,
    service: S,
) {
    let established = establish(&platform, &life, pending, &doors).await;
    let Some((stream, caller)) = established else { return };
    let door = doors.door;
    let pace = Pace::default();
    let answer = service_fn(|request| {
        let busy = pace.taken();
        let answer = service.answer(request, &caller);
        async move { Ok::<_, Infallible>(answer.await.map(|body| body.during(busy))) }
    });
    let mut connection = http1::Builder::new()
        .timer(HyperTimer(platform.clone()))
        .header_read_timeout(door.idle_timeout)
        .max_buf_size(door.head_bytes)
        .title_case_headers(true)
        .serve_connection(Io::new(Paced { stream, pace: pace.clone() }), answer);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = late(&platform, &pace, door.head_timeout) => {
            debug!(port = door.name, "the head of a request is late");
            let mut stream = connection.into_parts().io.into_inner().stream;
            tokio::select! {
                biased;
                _ = stream.write_all(LATE) => {}
                () = platform.sleep(REFUSAL_TIMEOUT) => {}
            }
            return;
        }
        () = life.draining() => {
            Pin::new(&mut connection).graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(port = door.name, %error, "connection ended");
    }
}

/// Ends when a head has been on its way for `timeout`. Polled with the connection: as long as each
/// head comes in one piece, nothing is timed.
async fn late<P: Platform>(platform: &P, pace: &Pace, timeout: Duration) {
    let mut sleep: Option<Pin<Box<P::Sleep>>> = None;
    poll_fn(|cx| {
        if !pace.in_head() {
            sleep = None;
            return Poll::Pending;
        }
        sleep.get_or_insert_with(|| Box::pin(platform.sleep(timeout))).as_mut().poll(cx)
    })
    .await;
}
