//! Who sends the head of a request byte by byte.
//!
//! A connection that lies idle is one thing, and one that has begun a request and does not finish it
//! another: it may be kept so on purpose, to use up what a server has. Only what is seen of the
//! connection itself tells them apart.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether a connection is in the middle of a head.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Bytes have come since the last request was taken.
    begun: AtomicBool,
    /// A request is being carried out.
    busy: AtomicBool,
}

impl Pace {
    /// Bytes have come.
    pub(super) fn bytes(&self) {
        self.0.begun.store(true, Ordering::Relaxed);
    }

    /// A request was taken: its head is whole. It lasts until what is returned is dropped.
    pub(super) fn taken(&self) -> Busy {
        self.0.busy.store(true, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Whether a head has begun and is not whole.
    pub(super) fn in_head(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed) && !self.0.busy.load(Ordering::Relaxed)
    }
}

/// A request that is being carried out.
pub(super) struct Busy(Pace);

impl Drop for Busy {
    fn drop(&mut self) {
        // What came meanwhile was its body.
        self.0.0.begun.store(false, Ordering::Relaxed);
        self.0.0.busy.store(false, Ordering::Relaxed);
    }
}

/// A connection of which it is seen when bytes come.
pub(super) struct Paced<S> {
    pub(super) stream: S,
    pub(super) pace: Pace,
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pace.bytes();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
