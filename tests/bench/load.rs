//! The load: connections that send one request after the other, each waiting for its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::request::{one, put};

/// How many keys each connection has.
const KEYS: usize = 10;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A key is written.
    Write,
    /// A key is read through the log.
    QuorumRead,
    /// A key is read as the member knows it.
    Read,
}

/// How much load there is.
pub(crate) struct Load {
    /// The requests.
    pub(crate) what: What,
    /// Connections, spread over the members.
    pub(crate) connections: usize,
    /// For how long.
    pub(crate) time: Duration,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Requests that were answered with 200 or 201.
    pub(crate) succeeded: u64,
    /// Everything else.
    pub(crate) failed: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// The median time of a request.
    pub(crate) median: Duration,
}

impl Load {
    /// Sends requests for `time`.
    pub(crate) fn run(&self, addresses: &[SocketAddr], time: Duration) -> Outcome {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (begun, until) = (Instant::now(), Instant::now() + time);
        let (mut took, mut failed) = (Vec::new(), 0);
        runtime.block_on(async {
            let clients: Vec<_> = (0..self.connections)
                .map(|n| tokio::spawn(ask(self.what, addresses[n % addresses.len()], n, until)))
                .collect();
            for client in clients {
                let (times, errors) = client.await.expect("a client does not panic");
                took.extend(times);
                failed += errors;
            }
        });
        let elapsed = begun.elapsed();
        took.sort_unstable();
        let median = took.get(took.len() / 2).copied().unwrap_or_default();
        Outcome { succeeded: took.len() as u64, failed, elapsed, median }
    }
}

async fn ask(
    what: What,
    address: SocketAddr,
    client: usize,
    until: Instant,
) -> (Vec<Duration>, u64) {
    let (mut took, mut failed) = (Vec::new(), 0);
    let mut buffer = Vec::new();
    while Instant::now() < until {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            failed += 1;
            continue;
        };
        // A refusal to set it costs time and nothing else.
        let _ = stream.set_nodelay(true);
        while Instant::now() < until {
            let begun = Instant::now();
            let request = what.request(&format!("{client}-{}", took.len() % KEYS));
            match one(&mut stream, &request, &mut buffer).await {
                Ok(true) => took.push(begun.elapsed()),
                Ok(false) => failed += 1,
                Err(_) => {
                    failed += 1;
                    break;
                }
            }
        }
    }
    (took, failed)
}

impl What {
    fn request(self, key: &str) -> String {
        match self {
            Self::Write => put(key),
            Self::QuorumRead => get(&format!("{key}?quorum=true")),
            Self::Read => get(key),
        }
    }
}

fn get(key: &str) -> String {
    format!("GET /v2/keys/bench/{key} HTTP/1.1\r\nHost: bench\r\n\r\n")
}
