//! Bodies that have to go on coming.
//!
//! A large body takes its time on a slow line, so no bound on the whole of it is right. But whoever
//! begins one and sends nothing more would hold a connection, and what came of it, for ever.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::body::Broken;
use crate::platform::Platform;

/// A body that breaks off when nothing of it comes for `patience`.
pub(crate) struct Steady<B, P: Platform> {
    body: B,
    platform: P,
    patience: Duration,
    waits: Option<Pin<Box<P::Sleep>>>,
}

impl<B, P: Platform> Steady<B, P> {
    pub(crate) const fn new(body: B, platform: P, patience: Duration) -> Self {
        Self { body, platform, patience, waits: None }
    }
}

// Nothing in it stays where it is but what is in a box.
impl<B: Unpin, P: Platform> Unpin for Steady<B, P> {}

impl<B, P> Body for Steady<B, P>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Broken>,
    P: Platform,
{
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.waits = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let this = &mut *self;
        let late = || Box::pin(this.platform.sleep(this.patience));
        let waits = this.waits.get_or_insert_with(late);
        waits.as_mut().poll(cx).map(|()| Some(Err(Broken::late())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::http::{Whole, read_body};
    use crate::testing::{Memory, Network};

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A body whose parts come when they are sent.
    struct Sent(mpsc::UnboundedReceiver<Bytes>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = Broken;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
            self.0.poll_recv(cx).map(|part| part.map(|part| Ok(Frame::data(part))))
        }
    }

    fn body() -> (mpsc::UnboundedSender<Bytes>, Steady<Sent, Memory>) {
        let (parts, body) = mpsc::unbounded_channel();
        (parts, Steady::new(Sent(body), Memory::new(Network::default()), PATIENCE))
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_read_to_its_end() {
        let (parts, body) = body();
        let read = tokio::spawn(read_body(body, 100));
        for _ in 0..10 {
            tokio::time::sleep(PATIENCE.mul_f32(0.9)).await;
            parts.send(Bytes::from_static(b"part")).unwrap();
        }
        drop(parts);
        assert!(matches!(read.await.unwrap(), Whole::Bytes(bytes) if bytes.len() == 40));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_breaks_off() {
        let (parts, body) = body();
        parts.send(Bytes::from_static(b"part")).unwrap();
        assert!(matches!(read_body(body, 100).await, Whole::Broken(_)));
        assert!(parts.is_closed());
    }
}
