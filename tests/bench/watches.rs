//! How long it takes to tell ten thousand streams of one write, and how long writes take meanwhile, for
//! Quorate and etcd 3.4 side by side.
//!
//! `cargo bench --bench watches`. Nothing is asserted: the figures are printed, medians over the
//! writes. Besides `QUORATE_BENCH_ROUNDS` (3) and `QUORATE_BENCH_ETCD`, `QUORATE_BENCH_STREAMS` (10000)
//! and `QUORATE_BENCH_WRITES` (20) change the run. The process and the server need as many open
//! files as there are streams.

mod request;
mod rounds;
mod server;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use request::put_once;
use rounds::{Figure, compare, number};
use server::{Kind, Servers};

fn main() {
    let (streams, writes) =
        (number("QUORATE_BENCH_STREAMS", 10_000), number("QUORATE_BENCH_WRITES", 20));
    let title = format!("{streams} streams, {writes} writes a round");
    compare(&title, number("QUORATE_BENCH_ROUNDS", 3), |kind| measure(kind, streams, writes));
}

struct Measured {
    /// Until a write was answered.
    answered: Duration,
    /// Until the last stream had it.
    told: Duration,
}

impl Figure for Measured {
    fn rate(&self) -> f64 {
        1.0 / self.told.as_secs_f64()
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "all told after {:.1} ms, answered after {:.1} ms",
            ms(self.told),
            ms(self.answered)
        )
    }
}

fn measure(kind: &Kind, streams: usize, writes: usize) -> Measured {
    let servers = Servers::start(kind, 1);
    servers.await_first_write();
    let address = servers.addresses()[0];
    let mut streams: Vec<TcpStream> = (0..streams).map(|_| watch(address)).collect();
    let (mut answered, mut told) = (Vec::new(), Vec::new());
    for _ in 0..writes {
        let begun = Instant::now();
        assert!(put_once(address), "a write is carried out");
        answered.push(begun.elapsed());
        streams.iter_mut().for_each(|stream| read_until(stream, b"}}"));
        told.push(begun.elapsed());
    }
    Measured { answered: median(answered), told: median(told) }
}

/// A stream whose head has come.
fn watch(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server takes connections");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("it is not zero");
    let request =
        "GET /v2/keys/bench?wait=true&stream=true&recursive=true HTTP/1.1\r\nHost: bench\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    read_until(&mut stream, b"\r\n\r\n");
    stream
}

/// Reads up to what ends a head or an event.
fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while !seen.windows(end.len()).any(|window| window == end) {
        let read = stream.read(&mut piece).expect("it comes in time");
        assert!(read > 0, "the stream goes on");
        seen.extend_from_slice(&piece[..read]);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
