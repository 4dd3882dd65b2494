//! Commands that make a data directory, and are killed while they do.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::process::{Process, Signal};

/// How often a command is begun.
const ROUNDS: usize = 20;

/// Kills a command as soon as it has begun to write `staging`, the directory that it renames to `to`
/// at its end. Then either all of the directory is there, or nothing is; what is left of a staging
/// directory is refused by `assert_refused`, and goes away.
pub(crate) fn kill_in_the_middle(
    command: impl Fn() -> Command,
    (staging, to): (&Path, &Path),
    assert_refused: impl Fn(&Output),
) {
    let log = to.with_extension("log");
    let mut cut_off = 0;
    for round in 0..ROUNDS {
        let mut process = Process::start(command(), &log);
        // Without a pause: the command takes but a few turns of the disk.
        while !staging.exists() && !to.exists() && process.runs() {}
        if process.runs() {
            process.signal(Signal::KILL);
        }
        process.wait();
        let whole = to.join("quorate/identity").exists();
        assert_eq!(to.exists(), whole, "round {round}");
        if whole {
            fs::remove_dir_all(to).expect("a directory can be removed");
            continue;
        }
        cut_off += 1;
        assert_refused(&command().output().expect("the program can be started"));
        fs::remove_dir_all(staging).expect("a directory can be removed");
    }
    assert!(cut_off > 0, "none was killed before its end");
}
