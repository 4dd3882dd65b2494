//! PUT throughput of Quorate and of etcd 3.4, side by side: one member and three, 256 connections.
//!
//! `cargo bench --bench puts`. Rounds of the two alternate, so that a machine that gets slower
//! gets slower for both; what counts is the ratio within a round. Both keep their data below the
//! same directory and sync every write. Nothing is asserted: the figures are printed.
//!
//! `QUORATE_BENCH_ROUNDS` (5), `QUORATE_BENCH_SECONDS` (5) and `QUORATE_BENCH_CONNECTIONS` (256)
//! change the run; `QUORATE_BENCH_ETCD` names the etcd binary (`etcd` on the path).

mod load;
mod server;

use std::time::{Duration, Instant};

use load::Load;
use server::{Kind, Servers};

fn main() {
    let rounds = number("QUORATE_BENCH_ROUNDS", 5);
    let load = Load {
        connections: number("QUORATE_BENCH_CONNECTIONS", 256),
        time: Duration::from_secs(number("QUORATE_BENCH_SECONDS", 5) as u64),
    };
    let etcd = Kind::etcd();
    if etcd.is_none() {
        eprintln!("LEFT OUT: no etcd is installed, so there is nothing to compare with");
    }
    for members in [1, 3] {
        println!("{members} members, {} connections, {:?} a round", load.connections, load.time);
        let mut ratios = Vec::new();
        for round in 1..=rounds {
            let ours = measure(&Kind::Quorate, members, &load);
            let Some(etcd) = &etcd else {
                println!("  round {round}: quorate {ours}");
                continue;
            };
            let theirs = measure(etcd, members, &load);
            let ratio = ours.puts_per_second / theirs.puts_per_second;
            println!("  round {round}: quorate {ours} | etcd {theirs} | ratio {ratio:.2}");
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
            let median = ratios[ratios.len() / 2];
            println!("  ratio quorate/etcd: median {median:.2}, {least:.2} to {most:.2}");
        }
    }
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

struct Measured {
    /// From the start of the last member to the first write that succeeded.
    first_write: Duration,
    puts_per_second: f64,
    errors: u64,
    median: Duration,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { first_write, puts_per_second, errors, median } = self;
        write!(
            f,
            "{puts_per_second:.0} PUT/s, median {:.1} ms, {errors} errors, first write after {} ms",
            median.as_secs_f64() * 1e3,
            first_write.as_millis()
        )
    }
}

fn measure(kind: &Kind, members: usize, load: &Load) -> Measured {
    let servers = Servers::start(kind, members);
    let started = Instant::now();
    while !load::put_once(servers.addresses()[0]) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let first_write = started.elapsed();
    // The first seconds of a cluster are not what it is measured by.
    load.run(servers.addresses(), Duration::from_secs(1));
    let result = load.run(servers.addresses(), load.time);
    Measured {
        first_write,
        puts_per_second: result.succeeded as f64 / result.elapsed.as_secs_f64(),
        errors: result.failed,
        median: result.median,
    }
}
