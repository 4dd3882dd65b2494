//! One process of the server.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, kill_process};

pub(crate) use rustix::process::Signal;

use super::wait::wait_for;

/// How many lines of a log are shown when a test fails.
const SHOWN: usize = 60;

/// A running process. What it writes is kept in a file. It is killed when this is dropped, and if
/// the test has failed by then, the end of the file is shown.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// The length of the file when the process was started.
    begin: u64,
}

impl Process {
    /// Starts `command`; its output goes to the end of the file `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = append(log);
        let begin = file.metadata().expect("the log is a file").len();
        let output = file.try_clone().expect("a descriptor is duplicated");
        command.stdin(Stdio::null()).stdout(output).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned(), begin }
    }

    /// SIGKILL: the process ends here and now.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process can be killed");
        self.child.wait().expect("a process can be waited for");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an ID"), signal).expect("a process takes signals");
    }

    /// Waits until the process ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_for("the process ends", || child.try_wait().expect("a process can be waited for"))
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a process can be waited for").is_none()
    }

    /// Where its output goes.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// What it has written since it was started.
    pub(crate) fn log(&self) -> String {
        // Also called while a test fails: what cannot be read is left away.
        let bytes = fs::read(&self.log).unwrap_or_default();
        let begin = usize::try_from(self.begin).expect("a log fits into memory");
        String::from_utf8_lossy(bytes.get(begin..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(SHOWN)..];
            eprintln!("---- the end of {}\n{}", self.log.display(), shown.join("\n"));
        }
    }
}

fn append(path: &Path) -> File {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
