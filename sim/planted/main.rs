//! Hunts for the planted bugs, and writes the tables of `docs/testing.md`.

mod document;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sim::runner::find_failure;
use sim::worlds::World;
use sim_planted::planted::{BASES, BUDGET, Bug, Hunt, TABLE_HEAD, hunt};

/// Looks for each planted bug with the unmodified swarm, from ten unrelated bases, and prints how
/// many seeds it took: the median, and the most in brackets. Then runs as many seeds of each base
/// with the core as it ships. Exit status: 0 if all bugs were found, and nothing else.
#[derive(Parser)]
#[command(name = "sim-planted")]
struct Arguments {
    /// The bugs to look for; all unless given.
    #[arg(value_parser = parse_bug, conflicts_with = "write")]
    bugs: Vec<Bug>,
    /// How many seeds may be tried from each base.
    #[arg(long, default_value_t = BUDGET)]
    budget: u64,
    /// On how many threads; one for each core unless given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Put what was found into the tables of this document.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn parse_bug(name: &str) -> Result<Bug, String> {
    let found = Bug::ALL.iter().find(|bug| format!("{bug:?}") == name);
    found.copied().ok_or_else(|| format!("there is no bug of this name among {:?}", Bug::ALL))
}

fn main() -> ExitCode {
    let Arguments { bugs, budget, jobs, write } = Arguments::parse();
    let bugs = if bugs.is_empty() { Bug::ALL.to_vec() } else { bugs };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.unwrap_or(cores);
    println!("{TABLE_HEAD}");
    let mut hunts: Vec<Hunt> = Vec::new();
    for bug in bugs {
        let hunt = hunt(bug, &BASES, budget, jobs);
        println!("{hunt}");
        hunts.push(hunt);
    }
    println!("{}", document::summary(&hunts));
    let most = hunts.iter().map(|hunt| hunt.seeds().1).max().unwrap_or(0);
    for base in BASES {
        if let Some(failure) = find_failure(World::Lockstep, base, most, jobs) {
            eprintln!("sim-planted: without any of the bugs\n{failure}");
            return ExitCode::FAILURE;
        }
    }
    println!("without any of them, {most} seeds of each base break no promise");
    if !hunts.iter().all(Hunt::succeeded) {
        return ExitCode::FAILURE;
    }
    let Some(path) = write else { return ExitCode::SUCCESS };
    let written = fs::read_to_string(&path).map_err(|e| e.to_string()).and_then(|text| {
        let text = document::rewrite(&text, &hunts);
        let text = text.map_err(|head| format!("it has no table that begins\n{head}"))?;
        fs::write(&path, text).map_err(|e| e.to_string())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("sim-planted: {} cannot be written: {cause}", path.display());
            ExitCode::FAILURE
        }
    }
}
