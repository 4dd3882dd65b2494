//! Hunts for the planted bugs and prints the table for `docs/testing.md`.

use std::process::ExitCode;

use clap::Parser;
use sim_planted::planted::{BASES, BUDGET, Bug, TABLE_HEAD, hunt};

/// Looks for each planted bug with the unmodified swarm, from ten unrelated bases, and prints how
/// many seeds it took: the median, and the most in brackets. Exit status: 0 if all were found.
#[derive(Parser)]
#[command(name = "sim-planted")]
struct Arguments {
    /// The bugs to look for; all unless given.
    #[arg(value_parser = parse_bug)]
    bugs: Vec<Bug>,
    /// How many seeds may be tried from each base.
    #[arg(long, default_value_t = BUDGET)]
    budget: u64,
    /// On how many threads; one for each core unless given.
    #[arg(long)]
    jobs: Option<usize>,
}

fn parse_bug(name: &str) -> Result<Bug, String> {
    let found = Bug::ALL.iter().find(|bug| format!("{bug:?}") == name);
    found.copied().ok_or_else(|| format!("there is no bug of this name among {:?}", Bug::ALL))
}

fn main() -> ExitCode {
    let Arguments { bugs, budget, jobs } = Arguments::parse();
    let bugs = if bugs.is_empty() { Bug::ALL.to_vec() } else { bugs };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{TABLE_HEAD}");
    let mut all = true;
    for bug in bugs {
        let hunt = hunt(bug, &BASES, budget, jobs.unwrap_or(cores));
        println!("{hunt}");
        all &= hunt.succeeded();
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
