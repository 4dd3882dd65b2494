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
    tls: bool,
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
        free.then(|| Self { world: world.clone(), owner, port, tls })
    }
}

impl quorate_shell::Listener for Bound {
    type Pending = Accepted;

    async fn accept(&mut self) -> io::Result<Accepted> {
        let Self { world, owner, port, tls } = self;
        let accepted = |cx: &mut std::task::Context<'_>| {
            world.lock().tcp.poll_accept(*owner, *port, cx.waker())
        };
        let socket = std::future::poll_fn(accepted).await;
        Ok(Accepted { stream: Stream::new(world.clone(), socket), host: owner.host, tls: *tls })
    }
}

/// A connection that came in. Sides that differ about TLS have not met.
pub(in super::super) struct Accepted {
    stream: Stream,
    host: usize,
    tls: bool,
}

impl quorate_shell::Pending for Accepted {
    type Stream = Stream;

    fn origin(&self) -> &str {
        "a simulated host"
    }

    /// Where TLS is spoken, both sides show their certificates.
    async fn establish(self) -> Result<(Stream, Caller), Failure> {
        let Self { stream, host, tls } = self;
        let caller = if tls { stream.shakes_hands(host)? } else { Caller::default() };
        Ok((stream, caller))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.world.lock().wired(|tcp, wire| tcp.unlisten(wire, self.owner, self.port));
    }
}
