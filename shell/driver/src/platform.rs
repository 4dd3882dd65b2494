//! The machine that a node runs on, as the driver sees it.

use std::future::Future;
use std::io;
use std::time::Duration;

use quorate_core::disk::{Done, Op};
use quorate_core::node::{Computed, Input, Task};
use quorate_core::time::Now;
use quorate_core::url::{Scheme, Url};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// Connections, time, tasks, names and the disk of one member.
pub trait Platform: Clone + Send + Sync + 'static {
    /// A connection, with TLS inside where the scheme asks for it.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// A bound address.
    type Listener: Listener<Stream = Self::Stream>;
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

    /// Binds every local address that the host of `url` stands for. An error is in words and names
    /// the URL.
    fn bind(&self, url: &Url) -> impl Future<Output = Result<Vec<Self::Listener>, String>> + Send;

    /// Connects to `host`, a name or an address without brackets, within `timeout`.
    fn connect(
        &self,
        scheme: Scheme,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The addresses of a host in text form, or the cause of failure in words.
    fn resolve(&self, host: &str) -> impl Future<Output = Result<Vec<String>, String>> + Send;

    /// Random bytes that nobody can guess.
    fn entropy(&self) -> [u8; 32];

    /// Carries out a long computation without holding up other tasks.
    fn compute(&self, task: Task) -> impl Future<Output = Computed> + Send;

    /// Opens the data directory's executor, which reports to `reports`. Called once; nothing on
    /// the disk is touched before the first operation.
    fn disk(&self, reports: Reports) -> Self::Disk;
}

/// A bound address.
pub trait Listener: Send + 'static {
    /// What is accepted.
    type Stream;

    /// The next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
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
