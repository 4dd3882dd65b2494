//! Watches: answers that begin at once and end when something has happened, or never.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::Response;
use quorate_core::api::{self, Failure, Rendered, Request};
use quorate_core::id::ClusterId;
use tokio::sync::OwnedSemaphorePermit;

use super::WATCH_QUEUE;
use super::convert::{answer, response};
use super::port::Port;
use crate::ask::Answering;
use crate::http::{Body, Broken, Parts};
use crate::platform::Platform;

/// The events of a watch as parts of a body.
struct WatchBody<P: Platform> {
    events: Answering,
    port: Port<P>,
    cluster: Option<ClusterId>,
    _room: OwnedSemaphorePermit,
}

impl<P: Platform> Parts for WatchBody<P> {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            let Some(event) = ready!(self.events.poll_next(cx)) else {
                // A reader that is told less than has happened must not take it for the end.
                let cut_off = self.events.is_cut_off();
                return Poll::Ready(cut_off.then(|| Err(Broken::too_slow())));
            };
            match self.port.render(&event, self.cluster, false) {
                Rendered::Part(bytes) => return Poll::Ready(Some(Ok(bytes))),
                // A refusal that comes behind the head: what it is about stands in its body.
                Rendered::Whole(reply) => return Poll::Ready(Some(Ok(reply.body))),
                Rendered::End => return Poll::Ready(None),
                // Only the first answer has a head, and it is out.
                Rendered::Head(_) => {}
            }
        }
    }
}

/// Begins a watch. The head goes out as soon as the node has taken it.
pub(super) async fn watch<P: Platform>(port: &Port<P>, request: Request) -> Response<Body> {
    let Ok(room) = Arc::clone(&port.watchers).try_acquire_owned() else {
        let full = api::Response::Failed(Failure::TooManyRequests);
        return response(port.whole(&full, port.cluster(), false));
    };
    let mut events = port.asker.parts(request, WATCH_QUEUE).await;
    let first = poll_fn(|cx| events.poll_next(cx)).await;
    let first = first.unwrap_or(api::Response::Failed(Failure::Stopping));
    let cluster = port.cluster();
    match port.render(&first, cluster, false) {
        Rendered::Head(head) => {
            let body = WatchBody { events, port: port.clone(), cluster, _room: room };
            answer(head.status, head.headers, Body::Parts(Box::new(body)))
        }
        _ => response(port.whole(&first, cluster, false)),
    }
}
