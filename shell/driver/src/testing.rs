//! A machine that exists only in memory, for the tests of this crate: paused time, connections
//! that are pipes, and a disk that forgets.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate_core::disk::{Done, Found, Op};
use quorate_core::dns::{self, Query};
use quorate_core::node::{Computed, ListenError, Task};
use quorate_core::time::{Instant, Now, Wall};
use quorate_core::tls::{Failure, Role};
use quorate_core::url::{Scheme, Url};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::platform::{Caller, Disk, Endpoint, Listener, Pending, Platform, Reports};

const PIPE_BYTES: usize = 64 << 10;

/// The network that machines share: who listens where.
#[derive(Clone, Default)]
pub(crate) struct Network(Arc<Mutex<BTreeMap<Place, Dialled>>>);

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(String, u16);

/// Connections on their way to a listener.
#[derive(Clone)]
struct Dialled(mpsc::Sender<DuplexStream>);

/// One machine.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) network: Network,
    origin: tokio::time::Instant,
}

pub(crate) struct Queue(mpsc::Receiver<DuplexStream>);

/// A pipe needs no handshake.
pub(crate) struct Established(pub(crate) DuplexStream);

/// Carries out everything at once and finds nothing.
pub(crate) struct Forgetful(Reports);

impl Memory {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, origin: tokio::time::Instant::now() }
    }

    /// A connection as a client makes it.
    pub(crate) async fn dial(&self, port: u16) -> DuplexStream {
        let to = Endpoint::of(&Url::parse(&format!("http://node:{port}")).unwrap(), Role::Client);
        self.connect(&to, Duration::from_secs(1)).await.unwrap()
    }
}

impl Network {
    /// Nobody listens there any more.
    pub(crate) fn close(&self, port: u16) {
        self.0.lock().unwrap().remove(&Place("node".to_owned(), port));
    }
}

impl Platform for Memory {
    type Stream = DuplexStream;
    type Pending = Established;
    type Listener = Queue;
    type Sleep = Sleep;
    type Disk = Forgetful;

    fn now(&self) -> Now {
        let nanos = self.origin.elapsed().as_nanos();
        Now {
            mono: Instant::from_nanos(u64::try_from(nanos).unwrap()),
            wall: Wall::from_unix_nanos(i64::try_from(nanos).unwrap()),
        }
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        tokio::time::sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn bind(&self, url: &Url, _: Role) -> Result<Vec<Queue>, ListenError> {
        let (sender, receiver) = mpsc::channel(16);
        let place = Place(url.host().to_owned(), url.port());
        match self.network.0.lock().unwrap().insert(place, Dialled(sender)) {
            None => Ok(vec![Queue(receiver)]),
            Some(_) => Err(ListenError::Address(format!("listen {url}: address already in use"))),
        }
    }

    async fn connect(&self, to: &Endpoint, _: Duration) -> io::Result<DuplexStream> {
        let place = self.network.0.lock().unwrap().get(&Place(to.host.clone(), to.port)).cloned();
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        place.ok_or_else(refused)?.0.send(far).await.map_err(|_| refused())?;
        Ok(near)
    }

    async fn secure(
        &self,
        stream: DuplexStream,
        to: &Endpoint,
        _: Duration,
    ) -> io::Result<DuplexStream> {
        // What is said to whom is seen in the clear.
        assert_eq!(to.scheme, Scheme::Https);
        Ok(stream)
    }

    async fn resolve(&self, _: Query) -> dns::Answer {
        Err(dns::Failure::Absent)
    }

    fn entropy(&self) -> [u8; 32] {
        [7; 32]
    }

    async fn compute(&self, task: Task) -> Computed {
        task.run()
    }

    fn disk(&self, reports: Reports) -> Forgetful {
        Forgetful(reports)
    }
}

impl Listener for Queue {
    type Pending = Established;

    async fn accept(&mut self) -> io::Result<Established> {
        match self.0.recv().await {
            Some(stream) => Ok(Established(stream)),
            None => std::future::pending().await,
        }
    }
}

impl Pending for Established {
    type Stream = DuplexStream;

    fn origin(&self) -> &str {
        "memory"
    }

    async fn establish(self) -> Result<(DuplexStream, Caller), Failure> {
        Ok((self.0, Caller::default()))
    }
}

impl Disk for Forgetful {
    fn submit(&mut self, ops: Vec<Op>) {
        for op in ops {
            let (ticket, found) = match op {
                Op::Lock { ticket }
                | Op::Sync { ticket, .. }
                | Op::SyncDir { ticket, .. }
                | Op::Preallocate { ticket, .. } => (ticket, Found::Nothing),
                Op::List { ticket, .. } => (ticket, Found::Entries(Vec::new())),
                _ => continue,
            };
            self.0.done(Done { ticket, result: Ok(found) });
        }
    }

    async fn close(self) {}
}
