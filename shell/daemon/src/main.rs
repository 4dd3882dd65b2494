//! `quorate`: the server as a program.
//!
//! The binary brings the real machine to the driver: flags, log, signals, sockets, the disk. What
//! the server does is decided in `quorate-core`.

mod backup;
mod dev;
mod discovery;
mod ending;
mod flags;
mod import;
mod logging;
mod new_dir;
mod platform;
mod restore;
mod secrets;
mod serve;
mod signals;

use std::process::ExitCode;

use flags::{Command, Parsed};

fn main() -> ExitCode {
    let parsed = match flags::parse(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(parsed) => parsed,
        Err(refusal) => return ending::refuse(&refusal),
    };
    match &parsed.command {
        Command::Say(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Command::PrintConfig { json } => serve::print_config(&parsed, *json),
        Command::Serve | Command::Join => serve::main(parsed),
        Command::Dev => dev::main(&parsed),
        Command::Import => import::main(&parsed),
        Command::Backup => backup::main(&parsed),
        Command::Restore => restore::main(&parsed),
        Command::Discovery => discovery::main(&parsed),
    }
}

/// The exit status of a defect.
const EXIT_FAULT: u8 = 70;

/// Starts the log with the options of a command line, and says what was noticed on it.
fn start_log(parsed: &Parsed) {
    logging::start(parsed.text("log-format") == Some("json"), parsed.is_set("debug"));
    for notice in &parsed.notices {
        tracing::warn!("{notice}");
    }
}
