//! Tests that need namespaces of their own run themselves again within them.
//!
//! A test calls [`inside`] first. Outside it starts its own binary again, for this one test, under
//! `unshare`, and reports what became of it; inside it goes on.

use std::process::{Command, Stdio};

use super::{Missing, left_out};

const INSIDE: &str = "QUORATE_TEST_INSIDE";

/// Whether the test `name` of `module` goes on here. Otherwise it has run to its end within namespaces of its
/// own, or was left out because they cannot be had.
///
/// # Panics
/// If it ran there and failed.
pub(crate) fn inside(module: &str, name: &str, namespaces: &[&str], tools: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == name) {
        return true;
    }
    if let Err(why) = available(namespaces, tools) {
        left_out(name, why);
        return false;
    }
    let itself = std::env::current_exe().expect("the test binary has a path");
    let output = Command::new("unshare")
        .args(namespaces)
        .arg(itself)
        .args(["--exact", &path(module, name), "--nocapture", "--test-threads=1"])
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

/// What the harness calls a test: its path within the program.
fn path(module: &str, name: &str) -> String {
    match module.split_once("::") {
        Some((_, module)) => format!("{module}::{name}"),
        None => name.to_owned(),
    }
}

fn available(namespaces: &[&str], tools: &[&str]) -> Result<(), Missing> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root can make the namespaces that it needs".into());
    }
    for tool in ["unshare"].iter().chain(tools) {
        run(Command::new("sh").args(["-c", &format!("command -v {tool}")]))
            .map_err(|_| Missing::Program((*tool).to_owned()))?;
    }
    run(Command::new("unshare").args(namespaces).arg("true"))
        .map_err(|why| format!("namespaces cannot be made here: {why}").into())
}

/// Runs a command that has to succeed; otherwise gives what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {} {}", output.status, lossy(&output.stderr)))
}

/// Network namespaces as the guide's machines, `infra0` at 10.0.1.10 and so on, and this one as a
/// further one on their net, at 10.0.1.1.
pub(crate) fn make_machines(machines: usize) {
    let sh = |script: &str| {
        run(Command::new("sh").args(["-e", "-c", script])).expect("a network is made");
    };
    // `ip netns` keeps its names in /run, which is this test's own from here on.
    sh("mount -t tmpfs none /run
        ip link add net0 type bridge
        ip link set net0 up
        ip address add 10.0.1.1/24 dev net0");
    for number in 0..machines {
        sh(&format!(
            "ip netns add infra{number}
             ip link add port{number} type veth peer name eth0 netns infra{number}
             ip link set port{number} master net0 up
             ip -n infra{number} address add 10.0.1.1{number}/24 dev eth0
             ip -n infra{number} link set eth0 up
             ip -n infra{number} link set lo up"
        ));
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
