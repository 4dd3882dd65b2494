//! Tests, or parts of them, that cannot run everywhere.
//!
//! They need programs of others, or root. Where those are missing a test says so loudly and passes,
//! so that all tests pass on any machine. Not so in `.ci/run`, which installs the programs where it
//! can: whatever is missing then nobody would test, and the test fails.

use std::env;
use std::fmt::{Display, Formatter, Result};
use std::io::{Write as _, stderr};

/// What a test lacks.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A program that `.ci/run` installs.
    Program(String),
    /// Anything else.
    Other(String),
}

impl From<&str> for Missing {
    fn from(words: &str) -> Self {
        Self::Other(words.to_owned())
    }
}

impl From<String> for Missing {
    fn from(words: String) -> Self {
        Self::Other(words)
    }
}

impl Display for Missing {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Program(program) => write!(out, "{program} is not installed"),
            Self::Other(words) => out.write_str(words),
        }
    }
}

/// Says that a test, or a part of it, could not run here. It then passes: whoever reads the output
/// finds the line.
///
/// # Panics
/// If `CI=true` and what is missing could have been installed.
pub(crate) fn left_out(what: &str, missing: impl Into<Missing>) {
    let missing = missing.into();
    // Written to the descriptor and not through `eprintln!`, which the test harness captures when a
    // test passes; and on a line of its own, whatever the harness has just begun to write.
    let line = format!("\nLEFT OUT: {what}: {missing}\n");
    let _ = stderr().write_all(line.as_bytes());
    let installs =
        env::var_os("CI").is_some_and(|ci| ci == "true") && rustix::process::geteuid().is_root();
    let fails = installs && matches!(missing, Missing::Program(_));
    assert!(!fails, "{what}: {missing}, and CI=true asks for everything that can be installed");
}
