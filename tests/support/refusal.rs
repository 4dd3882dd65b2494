//! Processes that end by themselves, and what they say.

use std::fs;
use std::process::{Command, Output};

use super::cluster::isolate;
use super::process::Process;

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    /// Standard output and standard error.
    pub(crate) output: String,
}

/// Runs a command until it ends by itself.
pub(crate) fn run(mut command: Command) -> Ended {
    let dir = tempfile::tempdir().expect("a directory for the output");
    isolate(&mut command);
    let mut process = Process::start(command, &dir.path().join("output"));
    let status = process.wait().code();
    Ended { status, output: process.log() }
}

impl Ended {
    /// Whether it ended with `status` after the line `quorate: <text>` and at least one hint.
    ///
    /// # Panics
    /// If not.
    pub(crate) fn assert_refused(&self, status: i32, text: &str) {
        assert_eq!(self.status, Some(status), "exit status of {self:#?}");
        let line = format!("quorate: {text}");
        let mut lines = self.output.lines().skip_while(|other| !other.starts_with("quorate: "));
        assert_eq!(lines.next(), Some(line.as_str()), "in {self:#?}");
        let hints: Vec<&str> = lines.collect();
        let is_hint = |line: &&str| line.starts_with("  hint: ") && line.len() > 8;
        assert!(!hints.is_empty() && hints.iter().all(is_hint), "hints of {self:#?}");
    }

    /// The hints, without what marks them.
    pub(crate) fn hints(&self) -> Vec<&str> {
        self.output.lines().filter_map(|line| line.strip_prefix("  hint: ")).collect()
    }
}

/// Whether nothing stands at `path`.
pub(crate) fn is_absent(path: &std::path::Path) -> bool {
    fs::symlink_metadata(path).is_err()
}

/// Asserts that a command has refused with these words and at least one hint, and has printed
/// nothing else.
pub(crate) fn assert_refused(output: &Output, words: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(words) && error.contains("  hint: "), "{words}: {error}");
    assert!(output.stdout.is_empty(), "{output:?}");
}
