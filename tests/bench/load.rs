//! The load: connections that write one key after the other, each waiting for its answer.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How much load there is.
pub(crate) struct Load {
    /// Connections, spread over the members.
    pub(crate) connections: usize,
    /// For how long.
    pub(crate) time: Duration,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Writes that were answered with 200 or 201.
    pub(crate) succeeded: u64,
    /// Everything else.
    pub(crate) failed: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// The median time of a write.
    pub(crate) median: Duration,
}

impl Load {
    /// Writes for `time`.
    pub(crate) fn run(&self, addresses: &[SocketAddr], time: Duration) -> Outcome {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (begun, until) = (Instant::now(), Instant::now() + time);
        let (mut took, mut failed) = (Vec::new(), 0);
        runtime.block_on(async {
            let writers: Vec<_> = (0..self.connections)
                .map(|n| tokio::spawn(write(addresses[n % addresses.len()], n, until)))
                .collect();
            for writer in writers {
                let (times, errors) = writer.await.expect("a writer does not panic");
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

/// Tries one write on a connection of its own. Says whether it succeeded.
pub(crate) fn put_once(address: SocketAddr) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let attempt = async {
            let mut stream = TcpStream::connect(address).await?;
            put(&mut stream, "first", &mut Vec::new()).await
        };
        let limited = tokio::time::timeout(Duration::from_secs(10), attempt).await;
        matches!(limited, Ok(Ok(true)))
    })
}

async fn write(address: SocketAddr, writer: usize, until: Instant) -> (Vec<Duration>, u64) {
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
            let key = format!("{writer}-{}", took.len() % 100);
            match put(&mut stream, &key, &mut buffer).await {
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

/// Writes one key and reads the whole answer. Says whether it was written.
async fn put(stream: &mut TcpStream, key: &str, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let body = "value=0123456789012345678901234567890123456789012345678901234567890123";
    let request = format!(
        "PUT /v2/keys/bench/{key} HTTP/1.1\r\nHost: bench\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(ended) = whole(buffer) {
            return ended;
        }
    }
}

/// Whether the answer in `buffer` is whole, and a success.
fn whole(buffer: &[u8]) -> Option<io::Result<bool>> {
    let text = std::str::from_utf8(buffer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let Some(length) = length else { return Some(Err(io::ErrorKind::InvalidData.into())) };
    (body.len() >= length).then(|| Ok(head.starts_with("HTTP/1.1 20")))
}
