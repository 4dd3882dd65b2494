//! The real machine: tokio's sockets and timers, the system's clocks, one disk thread.

mod disk;
mod files;
mod listener;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant, SystemTime};

use quorate_core::node::{Computed, Task};
use quorate_core::time::{Instant, Now, Wall};
use quorate_core::url::{Scheme, Url};
use quorate_shell::{Platform, Reports};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Sleep, timeout};
use tracing::{Instrument as _, Span};

use disk::DiskThread;
use listener::Bound;

/// The machine as one member sees it.
#[derive(Clone, Debug)]
pub(crate) struct Tokio {
    runtime: Handle,
    data_dir: Arc<PathBuf>,
    origin: StdInstant,
    span: Option<Span>,
}

impl Tokio {
    /// `span` marks what the member logs, where several share a process.
    pub(crate) fn new(runtime: Handle, data_dir: PathBuf, span: Option<Span>) -> Self {
        Self { runtime, data_dir: Arc::new(data_dir), origin: StdInstant::now(), span }
    }

    /// Random bytes of the system.
    ///
    /// # Panics
    /// If the system has no source of randomness, without which no identity can be made.
    pub(crate) fn random() -> [u8; 32] {
        let mut bytes = [0; 32];
        let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
        // The system gives up to 256 bytes in one piece, or none.
        assert_eq!(filled, Ok(bytes.len()), "the system has no random bytes");
        bytes
    }
}

impl Platform for Tokio {
    type Stream = TcpStream;
    type Listener = Bound;
    type Sleep = Sleep;
    type Disk = DiskThread;

    fn now(&self) -> Now {
        let mono = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX);
        Now { mono: Instant::from_nanos(mono), wall: Wall::from_unix_nanos(wall) }
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        tokio::time::sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.span {
            Some(span) => drop(self.runtime.spawn(task.instrument(span.clone()))),
            None => drop(self.runtime.spawn(task)),
        }
    }

    async fn bind(&self, url: &Url) -> Result<Vec<Bound>, String> {
        if url.scheme() == Scheme::Https {
            return Err(format!("listen {url}: {NO_TLS}"));
        }
        if url.host().is_empty() {
            return listener::bind_everywhere(url).await;
        }
        let addresses = self.resolve(url.host()).await.map_err(|e| format!("listen {url}: {e}"))?;
        listener::bind(url, &addresses).await
    }

    async fn connect(
        &self,
        scheme: Scheme,
        host: &str,
        port: u16,
        within: Duration,
    ) -> io::Result<TcpStream> {
        if scheme == Scheme::Https {
            return Err(io::Error::new(io::ErrorKind::Unsupported, NO_TLS));
        }
        match timeout(within, TcpStream::connect((host, port))).await {
            Ok(connected) => listener::configure(connected?),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out")),
        }
    }

    async fn resolve(&self, host: &str) -> Result<Vec<String>, String> {
        let found = tokio::net::lookup_host((host, 0)).await;
        let found = found.map_err(|error| format!("cannot resolve {host}: {error}"))?;
        let mut addresses = Vec::new();
        for address in found.map(|socket| socket.ip().to_string()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    fn entropy(&self) -> [u8; 32] {
        Self::random()
    }

    async fn compute(&self, task: Task) -> Computed {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.runtime.spawn_blocking(move || drop(sender.send(task.run())));
        match receiver.await {
            Ok(computed) => computed,
            // The task has panicked, which is a defect; its words are on standard error.
            Err(_) => std::future::pending().await,
        }
    }

    fn disk(&self, reports: Reports) -> DiskThread {
        DiskThread::start(self.data_dir.as_path().into(), reports, self.span.clone())
    }
}

const NO_TLS: &str = "https is not supported yet";
