//! A connection as a program holds it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use quorate_core::tls::Failure;
use quorate_shell::Caller;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::state::World;
use super::{DialId, Socket};
use crate::members::host_address;

/// A connection. Dropping it closes it.
pub(in super::super) struct Stream {
    world: World,
    socket: Socket,
}

impl Stream {
    pub(super) const fn new(world: World, socket: Socket) -> Self {
        Self { world, socket }
    }

    /// Waits for the end of an attempt to connect; dropping the future gives the attempt up.
    pub(in super::super) async fn dialled(world: World, id: DialId) -> io::Result<Self> {
        let dialling = Dialling { world, id };
        let world = &dialling.world;
        let socket = std::future::poll_fn(|cx| world.lock().tcp.poll_dial(id, cx.waker())).await?;
        Ok(Self::new(world.clone(), socket))
    }
}

impl Stream {
    /// The handshake of TLS, as the host sees it to which this connection came. The other end has
    /// made its own, or refuses.
    ///
    /// # Errors
    /// The check that failed, at whichever end.
    pub(super) fn shakes_hands(&self, host: usize) -> Result<Caller, Failure> {
        let mut state = self.world.lock();
        let gone = || Failure::Other("the connection is gone".to_owned());
        let from = state.tcp.dialler(self.socket).ok_or_else(gone)?;
        let caller = state.certificates.caller(from, host);
        state.stats.handshakes_failed += u64::from(caller.is_err());
        let certificate = Some(caller?);
        Ok(Caller { address: Some(host_address(from)), secure: true, certificate })
    }
}

struct Dialling {
    world: World,
    id: DialId,
}

impl Drop for Dialling {
    fn drop(&mut self) {
        self.world.lock().wired(|tcp, wire| tcp.hang_up(wire, self.id));
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.world.lock();
        state.wired(|tcp, wire| tcp.poll_read(wire, self.socket, buffer, cx.waker()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.world.lock();
        state.wired(|tcp, wire| tcp.poll_write(wire, self.socket, slices, cx.waker()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.world.lock().wired(|tcp, wire| tcp.finish(wire, self.socket));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.world.lock().wired(|tcp, wire| tcp.close(wire, self.socket));
    }
}
