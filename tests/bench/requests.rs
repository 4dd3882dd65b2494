//! Throughput of Quorate and of etcd 3.4, side by side: writes, reads through the log, and reads of
//! one member, of one member and three, over 256 connections.
//!
//! `cargo bench --bench requests`. Both keep their data below the same directory and sync every
//! write. Nothing is asserted: the figures are printed.
//!
//! `QUORATE_BENCH_ROUNDS` (5), `QUORATE_BENCH_SECONDS` (5) and `QUORATE_BENCH_CONNECTIONS` (256)
//! change the run, `QUORATE_BENCH_WHAT` (`Write`, `QuorumRead` or `Read`) has it do one of the three; `QUORATE_BENCH_ETCD` names the etcd binary (`etcd` on the path).

mod load;
mod request;
mod rounds;
mod server;

use std::time::Duration;

use load::{Load, What};
use rounds::{Figure, compare, number};
use server::{Kind, Servers};

fn main() {
    let rounds = number("QUORATE_BENCH_ROUNDS", 5);
    let time = Duration::from_secs(number("QUORATE_BENCH_SECONDS", 5) as u64);
    let connections = number("QUORATE_BENCH_CONNECTIONS", 256);
    let wanted = std::env::var("QUORATE_BENCH_WHAT").unwrap_or_default();
    for what in [What::Write, What::QuorumRead, What::Read] {
        if !wanted.is_empty() && wanted != format!("{what:?}") {
            continue;
        }
        for members in [1, 3] {
            let title =
                format!("{what:?}, {members} members, {connections} connections, {time:?} a round");
            let load = Load { what, connections, time };
            compare(&title, rounds, |kind| measure(kind, members, &load));
        }
    }
}

struct Measured {
    /// From the start of the last member to the first write that succeeded.
    first_write: Duration,
    per_second: f64,
    errors: u64,
    median: Duration,
}

impl Figure for Measured {
    fn rate(&self) -> f64 {
        self.per_second
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { first_write, per_second, errors, median } = self;
        write!(
            f,
            "{per_second:.0}/s, median {:.1} ms, {errors} errors, first write after {} ms",
            median.as_secs_f64() * 1e3,
            first_write.as_millis()
        )
    }
}

fn measure(kind: &Kind, members: usize, load: &Load) -> Measured {
    let servers = Servers::start(kind, members);
    let first_write = servers.await_first_write();
    // What is read has to be there, and the first seconds of a cluster are not what it is measured
    // by.
    Load { what: What::Write, ..*load }.run(servers.addresses(), Duration::from_secs(1));
    let result = load.run(servers.addresses(), load.time);
    Measured {
        first_write,
        per_second: result.succeeded as f64 / result.elapsed.as_secs_f64(),
        errors: result.failed,
        median: result.median,
    }
}
