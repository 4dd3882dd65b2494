//! The machine that a node runs on, as the driver sees it.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use quorate_core::api::log_level::Level;
use quorate_core::disk::{Done, Op};
use quorate_core::dns::{self, Query};
use quorate_core::node::{Computed, Input, ListenError, Task};
use quorate_core::time::Now;
use quorate_core::tls::{Certificate, Failure, Role};
use quorate_core::url::{Scheme, Url};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// Connections, time, tasks, names and the disk of one member.
pub trait Platform: Clone + Send + Sync + 'static {
    /// A connection, with TLS inside where the scheme asks for it.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// A connection that came in and has not made its handshake.
    type Pending: Pending<Stream = Self::Stream>;
    /// A bound address.
    type Listener: Listener<Pending = Self::Pending>;
    /// Ends after a time.
    type Sleep: Future<Output = ()> + Send + Sync + 'static;
    /// Carries out disk operations.
    type Disk: Disk;

    /// What time it is.
    fn now(&self) -> Now;

    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// Runs a task beside the others until it ends by itself.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Binds every local address that the host of `url` stands for. Whatever TLS needs, in any
    /// role, is found to be in order before the first address is bound.
    fn bind(
        &self,
        url: &Url,
        role: Role,
    ) -> impl Future<Output = Result<Vec<Self::Listener>, ListenError>> + Send;

    /// Connects within `timeout`, its handshake included.
    fn connect(
        &self,
        to: &Endpoint,
        timeout: Duration,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Makes the handshake of TLS with `to` over a connection on which somebody passes on to it
    /// what is sent, within `timeout`.
    fn secure(
        &self,
        stream: Self::Stream,
        to: &Endpoint,
        timeout: Duration,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Asks a resolver.
    fn resolve(&self, query: Query) -> impl Future<Output = dns::Answer> + Send;

    /// Random bytes that nobody can guess.
    fn entropy(&self) -> [u8; 32];

    /// Carries out a long computation without holding up other tasks.
    fn compute(&self, task: Task) -> impl Future<Output = Computed> + Send;

    /// What the system says of this process; nothing where it says nothing.
    fn vitals(&self) -> Option<Vitals> {
        None
    }

    /// Changes what is logged from now on, where that can be changed.
    fn log_at(&self, _level: Level) {}

    /// Opens the data directory's executor, which reports to `reports`. Called once; nothing on
    /// the disk is touched before the first operation.
    fn disk(&self, reports: Reports) -> Self::Disk;
}

/// Where to connect, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As whom, if it is by TLS.
    pub role: Role,
    /// Whether it is by TLS.
    pub scheme: Scheme,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// The place that `url` stands for.
    pub fn of(url: &Url, role: Role) -> Self {
        Self { role, scheme: url.scheme(), host: url.host().to_owned(), port: url.port() }
    }
}

/// What the system says of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vitals {
    /// Time of processors that it has used.
    pub cpu_seconds: f64,
    /// Descriptors that it has open.
    pub descriptors: u64,
    /// Descriptors that it may have open.
    pub descriptors_max: u64,
    /// Memory in use.
    pub resident_bytes: u64,
    /// Addresses in use.
    pub virtual_bytes: u64,
    /// Addresses that may be in use.
    pub virtual_bytes_max: u64,
    /// When it was started, in seconds since 1970.
    pub started_seconds: f64,
}

/// A bound address.
pub trait Listener: Send + 'static {
    /// What is accepted.
    type Pending;

    /// The next connection. It waits for nothing that the other end has to do.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Pending>> + Send;
}

/// A connection that came in.
pub trait Pending: Send + 'static {
    /// What it becomes.
    type Stream;

    /// Where it comes from, for messages.
    fn origin(&self) -> &str;

    /// Makes the handshake of TLS, if the address is one of TLS. It takes as long as the other end
    /// likes.
    fn establish(self) -> impl Future<Output = Result<(Self::Stream, Caller), Failure>> + Send;
}

/// Who is at the other end of a connection that came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
    /// Whether it came by TLS.
    pub secure: bool,
    /// The certificate that was shown and verified, if one was demanded.
    pub certificate: Option<Certificate>,
}

/// Carries out disk operations, in the order in which they were submitted.
pub trait Disk: Send + 'static {
    /// Takes a batch and returns at once.
    fn submit(&mut self, ops: Vec<Op>);

    /// Ends after all that was submitted is carried out and the lock of the data directory is
    /// released.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Where a [`Disk`] reports the end of operations. It never blocks and needs no runtime.
#[derive(Clone, Debug)]
pub struct Reports(pub(crate) mpsc::UnboundedSender<Input>);

impl Reports {
    /// Reports the end of one operation. After the node has halted nobody listens, which is fine.
    pub fn done(&self, done: Done) {
        let _ = self.0.send(Input::Disk(done));
    }
}
