//! How a command ends: what it says last, and its exit status.

use std::process::ExitCode;

use quorate_core::error::Refusal;
use quorate_core::node::Exit;
use tracing::info;

use crate::secrets::hide_users;

/// Says what a command has done, in lines, or why it has done nothing.
pub(crate) fn report(done: Result<Vec<String>, Refusal>) -> ExitCode {
    match done {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(refusal) => refuse(&refusal),
    }
}

/// Says why there is no start, and gives the exit status.
pub(crate) fn refuse(refusal: &Refusal) -> ExitCode {
    print_refusal(refusal);
    ExitCode::from(refusal.code())
}

/// Says how a member ended, and gives the exit status.
pub(crate) fn print_exit(exit: &Exit) -> ExitCode {
    match exit {
        Exit::Stopped { lines } => lines.iter().for_each(|line| info!("{line}")),
        Exit::Refused(refusal) | Exit::Fault(refusal) => print_refusal(refusal),
    }
    ExitCode::from(exit.code())
}

fn print_refusal(refusal: &Refusal) {
    eprintln!("quorate: {}", hide_users(&refusal.message));
    for hint in &refusal.hints {
        eprintln!("  hint: {}", hide_users(hint));
    }
}
