//! The simulated machine, as the shell sees it.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use madsim::runtime::NodeHandle;
use quorate_core::dns::{self, Query};
use quorate_core::node::{Computed, ListenError, Task};
use quorate_core::time::Now;
use quorate_core::tls::Role;
use quorate_core::url::{Scheme, Url};
use quorate_shell::{Endpoint, Platform, Reports};

use super::disk;
use super::process::Process;
use super::sleep::Sleep;
use super::state::{MS, State, World};
use super::tcp::{Accepted, Bound, Stream};
use crate::members::{DISCOVERY, host_number};

/// The machine of one process.
#[derive(Clone)]
pub(super) struct Simulated {
    pub(super) world: World,
    pub(super) process: Process,
    pub(super) spawner: NodeHandle,
}

impl Simulated {
    /// The host that a name or address stands for. A model of the discovery service is where the
    /// clients are.
    fn find(&self, name: &str) -> Option<usize> {
        let state = self.world.lock();
        match name {
            DISCOVERY if state.options().has_real_service() => Some(state.service_host()),
            DISCOVERY => Some(state.members),
            _ => host_number(name, state.members),
        }
    }
}

impl Platform for Simulated {
    type Stream = Stream;
    type Pending = Accepted;
    type Listener = Bound;
    type Sleep = Sleep;
    type Disk = disk::Queue;

    fn now(&self) -> Now {
        let state = self.world.lock();
        state.hosts[self.process.host].clock.now(state.now())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let nanos = self.world.lock().sleeps(self.process.host, duration);
        Sleep::new(self.world.clone(), nanos)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.spawner.spawn(task));
    }

    async fn bind(&self, url: &Url, _: Role) -> Result<Vec<Bound>, ListenError> {
        let refused = |cause: &str| ListenError::Address(format!("listen {url}: {cause}"));
        if self.find(url.host()) != Some(self.process.host) {
            return Err(refused("not an address of this machine"));
        }
        let tls = url.scheme() == Scheme::Https;
        let bound = Bound::new(&self.world, self.process, url.port(), tls);
        let bound = bound.ok_or_else(|| refused("address already in use"))?;
        Ok(vec![bound])
    }

    async fn connect(&self, to: &Endpoint, timeout: Duration) -> io::Result<Stream> {
        let no_such = || io::Error::new(ErrorKind::NotFound, no_such(&to.host));
        let place = (self.find(&to.host).ok_or_else(no_such)?, to.port);
        let tls = to.scheme == Scheme::Https;
        let world = self.world.clone();
        let id = world.lock().wired(|tcp, wire| tcp.dial(wire, self.process, place, tls));
        let stream = tokio::select! {
            biased;
            stream = Stream::dialled(world, id) => stream,
            () = self.sleep(timeout) => Err(ErrorKind::TimedOut.into()),
        }?;
        if tls {
            let verified = self.world.lock().certificates.verify(place.0, &to.host);
            verified.map_err(|cause| io::Error::new(ErrorKind::InvalidData, cause))?;
        }
        Ok(stream)
    }

    async fn secure(&self, _: Stream, to: &Endpoint, _: Duration) -> io::Result<Stream> {
        Err(io::Error::new(ErrorKind::Unsupported, format!("no proxy leads to {}", to.host)))
    }

    async fn resolve(&self, query: Query) -> dns::Answer {
        let (answer, takes) = self.world.lock().look_up(self.process, &query);
        Sleep::new(self.world.clone(), takes).await;
        answer
    }

    fn entropy(&self) -> [u8; 32] {
        self.world.lock().chances.hosts.seed()
    }

    async fn compute(&self, task: Task) -> Computed {
        let takes = self.world.lock().chances.hosts.below(5 * MS);
        Sleep::new(self.world.clone(), takes).await;
        task.run()
    }

    fn disk(&self, reports: Reports) -> disk::Queue {
        let (queue, worker) = disk::queue(self.world.clone(), self.process, reports);
        self.spawn(worker.work());
        queue
    }
}

fn no_such(host: &str) -> String {
    format!("{host}: no such host")
}

/// How long a resolver tries, in nanoseconds.
const RESOLVER_TIMEOUT: u64 = 5000 * MS;

impl State {
    /// What the resolver of a process answers, and how many nanoseconds that takes.
    fn look_up(&mut self, process: Process, query: &Query) -> (dns::Answer, u64) {
        let (answer, wrong) = self.dns.answer(process.host, query);
        if let Some(running) = self.running(process) {
            running.reasons.looked_up(wrong);
        }
        self.stats.names_wrong += u64::from(wrong);
        let (delay, _) = self.network.delay(&mut self.chances.network);
        let takes = if self.dns.is_silent(process.host) { RESOLVER_TIMEOUT } else { delay };
        (answer, takes)
    }
}
