//! The real machine: tokio's sockets and timers, the system's clocks, one disk thread.

mod disk;
mod files;
mod listener;
mod names;
#[cfg(test)]
mod tests;
mod tls;
mod vitals;

pub(crate) use files::DataDir;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant, SystemTime};

use quorate_core::Config;
use quorate_core::api::log_level::Level;
use quorate_core::dns::{self, Query};
use quorate_core::node::{Computed, ListenError, Task};
use quorate_core::time::{Instant, Now, Wall};
use quorate_core::tls::Role;
use quorate_core::url::{Scheme, Url};
use quorate_shell::{Endpoint, Platform, Reports, Vitals};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Sleep, timeout};
use tracing::{Instrument as _, Span};

use crate::logging;
use disk::DiskThread;
use listener::Bound;
use names::Names;
use tls::{Incoming, Stream, Tls};

/// The machine as one member sees it.
#[derive(Clone, Debug)]
pub(crate) struct Tokio {
    runtime: Handle,
    data_dir: Arc<PathBuf>,
    tls: Arc<Tls>,
    names: Names,
    origin: StdInstant,
    span: Option<Span>,
}

impl Tokio {
    /// `span` marks what the member logs, where several share a process.
    pub(crate) fn new(runtime: Handle, config: &Config, span: Option<Span>) -> Self {
        let data_dir = Arc::new(PathBuf::from(&config.data_dir));
        let (tls, names) = (Arc::new(Tls::new(config)), Names::new(config.resolver));
        Self { runtime, data_dir, tls, names, origin: StdInstant::now(), span }
    }

    async fn reach(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        if self.names.is_system() {
            return TcpStream::connect((host, port)).await;
        }
        let addresses = self.names.addresses(host).await;
        let addresses = addresses
            .map_err(|cause| io::Error::other(format!("cannot resolve {host}: {cause}")))?;
        let places: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        TcpStream::connect(&*places).await
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

async fn in_time<T>(
    within: Duration,
    connecting: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match timeout(within, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out")),
    }
}

impl Platform for Tokio {
    type Stream = Stream;
    type Pending = Incoming;
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

    async fn bind(&self, url: &Url, role: Role) -> Result<Vec<Bound>, ListenError> {
        self.tls.prepare().map_err(ListenError::Certificate)?;
        let bound = if url.host().is_empty() {
            listener::bind_everywhere(url).await
        } else {
            match self.names.addresses(url.host()).await {
                Ok(addresses) => listener::bind(url, &addresses).await,
                Err(cause) => Err(format!("listen {url}: cannot resolve {}: {cause}", url.host())),
            }
        };
        let tls = (url.scheme() == Scheme::Https).then(|| (Arc::clone(&self.tls), role));
        let bound = bound.map_err(ListenError::Address)?.into_iter();
        Ok(bound.map(|listener| Bound::new(listener, tls.clone())).collect())
    }

    async fn connect(&self, to: &Endpoint, within: Duration) -> io::Result<Stream> {
        let connecting = async {
            let stream = self.reach(&to.host, to.port).await?;
            let stream = listener::configure(stream)?;
            match to.scheme {
                Scheme::Http => Ok(Stream::plain(stream)),
                Scheme::Https => self.tls.connect(to.role, &to.host, stream).await,
            }
        };
        in_time(within, connecting).await
    }

    async fn secure(&self, stream: Stream, to: &Endpoint, within: Duration) -> io::Result<Stream> {
        let stream = stream.into_plain()?;
        in_time(within, self.tls.connect(to.role, &to.host, stream)).await
    }

    async fn resolve(&self, query: Query) -> dns::Answer {
        self.names.ask(query).await
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

    fn vitals(&self) -> Option<Vitals> {
        vitals::vitals()
    }

    fn log_at(&self, level: Level) {
        logging::set(level);
    }

    fn disk(&self, reports: Reports) -> DiskThread {
        DiskThread::start(self.data_dir.as_path().into(), reports, self.span.clone())
    }
}
