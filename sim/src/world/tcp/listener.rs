//! A port as a program holds it.

use std::io;

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
    type Stream = Stream;

    async fn accept(&mut self) -> io::Result<Stream> {
        let Self { world, owner, port } = self;
        let accepted = |cx: &mut std::task::Context<'_>| {
            world.lock().tcp.poll_accept(*owner, *port, cx.waker())
        };
        let socket = std::future::poll_fn(accepted).await;
        Ok(Stream::new(world.clone(), socket))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.world.lock().wired(|tcp, wire| tcp.unlisten(wire, self.owner, self.port));
    }
}
