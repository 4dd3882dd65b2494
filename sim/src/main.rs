//! The runner of the simulator: many seeds, or one seed with its event log.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sim::oracle::Kind;

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
    Run(cli::run::Run),
    Replay(cli::replay::Replay),
    Results(cli::results::Results),
    Shrink(cli::shrink::Shrink),
    Timeline(cli::timeline::Timeline),
    Digests(cli::digests::Digests),
}

/// A run makes and drops millions of small things, all on one thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Results(command) => command.run(),
        Command::Shrink(command) => command.run(),
        Command::Timeline(command) => command.run(),
        Command::Digests(command) => command.run(),
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
