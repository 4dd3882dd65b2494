//! A body that is passed on as it comes.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HyperBody, Frame, Incoming, SizeHint};

use crate::http::{Body, Broken, Connection};
use crate::platform::Platform;

/// A body on its way through. It breaks off where its source does, or where nothing comes for too
/// long; so the other side never takes a part for the whole.
pub(super) struct Pipe<P: Platform> {
    platform: P,
    body: Incoming,
    patience: Option<Duration>,
    late: Option<Pin<Box<P::Sleep>>>,
    stall: Option<Stall>,
    /// What it comes over, which ends with it.
    _connection: Option<Connection>,
}

// Nothing in it is pinned but what is behind a pointer.
impl<P: Platform> Unpin for Pipe<P> {}

impl<P: Platform> Pipe<P> {
    /// Passes on `body`, as long as something comes within `patience`, if there is a limit.
    pub(super) const fn new(platform: P, body: Incoming, patience: Option<Duration>) -> Self {
        Self { platform, body, patience, late: None, stall: None, _connection: None }
    }

    /// The body of a request, which says to `stall` how far it has got.
    pub(super) fn watched(self, stall: &Stall) -> Body {
        if self.body.is_end_stream() {
            stall.ended();
            return Body::empty();
        }
        Body::Piped(Box::pin(Self { stall: Some(stall.clone()), ..self }))
    }

    /// The body of an answer that comes over `connection`.
    pub(super) fn over(self, connection: Connection) -> Body {
        Body::Piped(Box::pin(Self { _connection: Some(connection), ..self }))
    }
}

impl<P: Platform> HyperBody for Pipe<P> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.late = None;
                if let Some(stall) = &this.stall {
                    match frame {
                        Some(_) => stall.moved(),
                        None => stall.ended(),
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)))
            }
            Poll::Pending => {
                let Some(patience) = this.patience else { return Poll::Pending };
                let platform = &this.platform;
                let late = this.late.get_or_insert_with(|| Box::pin(platform.sleep(patience)));
                late.as_mut().poll(cx).map(|()| Some(Err(Broken::late())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How far the body of a request has got.
#[derive(Clone, Debug, Default)]
pub(super) struct Stall(Arc<AtomicU64>);

/// It is all there.
const ENDED: u64 = u64::MAX;

impl Stall {
    fn moved(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self) {
        self.0.store(ENDED, Ordering::Relaxed);
    }

    /// Ends once nothing has moved for `limit`. Never if the body has come to its end, or there is
    /// no limit.
    pub(super) async fn lasts<P: Platform>(&self, platform: &P, limit: Duration) {
        let mut before = self.0.load(Ordering::Relaxed);
        while before != ENDED && !limit.is_zero() {
            platform.sleep(limit).await;
            let now = self.0.load(Ordering::Relaxed);
            if now == before {
                return;
            }
            before = now;
        }
        std::future::pending::<()>().await;
    }
}
