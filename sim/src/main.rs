//! The runner of the simulator: many seeds, or one seed with its event log.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use quorate_core::Node;
use sim::chance::parse_seed;
use sim::options::Options;
use sim::oracle::Kind;
use sim::runner::{Failure, run_many, run_seed};
use sim::stats::Stats;

/// Deterministic simulation of Quorate clusters. Exit status: 0 nothing was found, 2 wrong usage,
/// 10 a promise of safety was broken, 11 one of liveness, 12 a member crashed.
#[derive(Parser)]
#[command(name = "sim")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run many seeds.
    Run {
        /// How many.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first one: a number or a commit hash.
        #[arg(long, default_value = "0", value_parser = parse_seed)]
        first: u64,
        /// On how many threads; one for each core unless given.
        #[arg(long)]
        jobs: Option<usize>,
        /// Change an option of every run: NAME=VALUE.
        #[arg(long = "set", value_parser = parse_setting)]
        settings: Vec<(String, String)>,
        /// Go on after a failure.
        #[arg(long)]
        keep_going: bool,
    },
    /// Run one seed and print its event log.
    Replay {
        /// A number or a commit hash.
        #[arg(value_parser = parse_seed)]
        seed: u64,
        /// Change an option: NAME=VALUE.
        #[arg(long = "set", value_parser = parse_setting)]
        settings: Vec<(String, String)>,
    },
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Options::draw(0).set(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn options(seed: u64, settings: &[(String, String)]) -> Result<Options, String> {
    let mut options = Options::from_environment(seed)?;
    for (name, value) in settings {
        options.set(name, value)?;
    }
    Ok(options)
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { seeds, first, jobs, settings, keep_going } => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            run(first, seeds, jobs.unwrap_or(cores), &settings, keep_going)
        }
        Command::Replay { seed, settings } => replay(seed, &settings),
    };
    match result {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(Kind::Safety)) => ExitCode::from(10),
        Ok(Some(Kind::Liveness)) => ExitCode::from(11),
        Ok(Some(Kind::Crash)) => ExitCode::from(12),
        Err(message) => {
            eprintln!("sim: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(
    first: u64,
    seeds: u64,
    jobs: usize,
    settings: &[(String, String)],
    keep_going: bool,
) -> Result<Option<Kind>, String> {
    // Settings that are wrong for one seed are wrong for all.
    options(first, settings)?;
    let of = |seed| options(seed, settings).expect("the settings were tried");
    let (begun, show) = (Instant::now(), std::io::stderr().is_terminal());
    let (mut stats, mut done, mut worst) = (Stats::default(), 0u64, None);
    run_many::<Node>(first, seeds, jobs, &of, &mut |report| {
        done += 1;
        stats.add(&report.stats);
        let kind = report.violation.as_ref().map(|(_, v)| v.kind);
        if kind.is_some() {
            println!("{}\n", Failure(report));
        }
        worst = worst.or(kind);
        if show {
            progress(done, seeds, &stats, begun);
        }
        kind.is_none() || keep_going
    });
    if show {
        eprintln!();
    }
    let rate = rate(&stats, begun);
    println!("{done} runs, {} s simulated, {rate} simulated seconds a second", seconds(&stats));
    println!("{stats}");
    Ok(worst)
}

const fn seconds(stats: &Stats) -> u64 {
    stats.simulated_ms / 1000
}

fn rate(stats: &Stats, begun: Instant) -> u128 {
    u128::from(stats.simulated_ms) / begun.elapsed().as_millis().max(1)
}

fn progress(done: u64, seeds: u64, stats: &Stats, begun: Instant) {
    let rate = rate(stats, begun);
    // A terminal that is gone is no reason to stop.
    let _ = write!(std::io::stderr(), "\r{done}/{seeds} runs, {rate} simulated seconds a second ");
}

fn replay(seed: u64, settings: &[(String, String)]) -> Result<Option<Kind>, String> {
    let report = run_seed::<Node>(seed, &options(seed, settings)?, true);
    print!("{}", report.log);
    let kind = report.violation.as_ref().map(|(_, v)| v.kind);
    if kind.is_some() {
        println!("\n{}", Failure(report));
    } else {
        println!("\nseed {seed}, options:\n{}\n{}", report.options, report.stats);
        println!("digest {:016x}", report.digest);
    }
    Ok(kind)
}
