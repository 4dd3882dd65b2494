//! A port as a program holds it.

use std::io;

use quorate_core::tls::Failure;
use quorate_shell::Caller;

use super::super::process::Process;
use super::super::state::World;
use super::Stream;

/// A port on which a process listens. Dropping it ends that.
pub(in super::super) struct Bound {
    world: World,
    owner: Process,
    port: u16,
}

impl Bound {
    /// Listens, unless somebody does already.
    pub(in super::super) fn new(
        world: &World,
        owner: Process,
        port: u16,
        tls: bool,
    ) -> Option<Self> {
        let free = world.lock().tcp.listen(owner, port, tls);
        free.then(|| Self { world: world.clone(), owner, port })
    }
}

impl quorate_shell::Listener for Bound {
    type Pending = Accepted;

    async fn accept(&mut self) -> io::Result<Accepted> {
        let Self { world, owner, port } = self;
        let accepted = |cx: &mut std::task::Context<'_>| {
            world.lock().tcp.poll_accept(*owner, *port, cx.waker())
        };
        let socket = std::future::poll_fn(accepted).await;
        Ok(Accepted(Stream::new(world.clone(), socket)))
    }
}

/// A connection that came in. Sides that differ about TLS have not met, so nothing is left of the
/// handshake.
pub(in super::super) struct Accepted(Stream);

impl quorate_shell::Pending for Accepted {
    type Stream = Stream;

    fn origin(&self) -> &str {
        "a simulated host"
    }

    async fn establish(self) -> Result<(Stream, Caller), Failure> {
        Ok((self.0, Caller::default()))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.world.lock().wired(|tcp, wire| tcp.unlisten(wire, self.owner, self.port));
    }
}
