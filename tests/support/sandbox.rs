//! Tests that need namespaces of their own run themselves again within them.
//!
//! A test calls [`inside`] first. Outside it starts its own binary again, for this one test, under
//! `unshare`, and reports what became of it; inside it goes on.

use std::process::{Command, Stdio};

use super::left_out;

const INSIDE: &str = "QUORATE_TEST_INSIDE";

/// Whether the test `name` goes on here. Otherwise it has run to its end within namespaces of its
/// own, or was left out because they cannot be had.
///
/// # Panics
/// If it ran there and failed.
pub(crate) fn inside(name: &str, namespaces: &[&str], tools: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == name) {
        return true;
    }
    if let Err(why) = available(namespaces, tools) {
        left_out(name, &why);
        return false;
    }
    let itself = std::env::current_exe().expect("the test binary has a path");
    let output = Command::new("unshare")
        .args(namespaces)
        .arg(itself)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .stdin(Stdio::null())
        .output()
        .expect("unshare was there before");
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| lossy(&bytes));
    assert!(output.status.success(), "{name} failed within its namespaces:\n{said}\n{errors}");
    for line in errors.lines().filter_map(|line| line.strip_prefix("LEFT OUT: ")) {
        left_out("in namespaces", line);
    }
    false
}

fn available(namespaces: &[&str], tools: &[&str]) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can make the namespaces that it needs".to_owned());
    }
    for tool in ["unshare"].iter().chain(tools) {
        run(Command::new("sh").args(["-c", &format!("command -v {tool}")]))
            .map_err(|_| format!("the program {tool} is not installed"))?;
    }
    run(Command::new("unshare").args(namespaces).arg("true"))
        .map_err(|why| format!("namespaces cannot be made here: {why}"))
}

/// Runs a command that has to succeed; otherwise gives what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {} {}", output.status, lossy(&output.stderr)))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
