//! A connection of the platform in hyper's terms.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one read takes at most. Requests and answers are small; bulk comes in several reads.
const READ_BYTES: usize = 8 * 1024;

/// Lets hyper read and write a stream. A flush with nothing written since the last one is not
/// passed on: hyper flushes whenever it is polled, and a simulated network would carry each.
pub struct Io<S> {
    stream: S,
    incoming: Box<[u8]>,
    dirty: bool,
}

impl<S> Io<S> {
    /// `stream` in hyper's terms.
    pub fn new(stream: S) -> Self {
        Self { stream, incoming: vec![0; READ_BYTES].into_boxed_slice(), dirty: false }
    }

    /// The stream itself.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> rt::Read for Io<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, incoming, .. } = &mut *self;
        let room = cursor.remaining().min(incoming.len());
        let mut buffer = ReadBuf::new(&mut incoming[..room]);
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        cursor.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> rt::Write for Io<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.dirty = true;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.dirty = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.dirty {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.dirty = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use hyper::rt::Write as _;

    use super::*;

    /// Takes everything and counts flushes.
    #[derive(Default)]
    struct Sink {
        flushes: usize,
    }

    impl AsyncWrite for Sink {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_flush_is_passed_on_only_if_something_was_written() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut io = pin!(Io::new(Sink::default()));
        for written in 0..3 {
            for _ in 0..3 {
                assert!(io.as_mut().poll_flush(&mut cx).is_ready());
                assert_eq!(io.stream.flushes, written);
            }
            assert!(io.as_mut().poll_write(&mut cx, b"x").is_ready());
        }
    }
}
