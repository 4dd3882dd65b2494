//! Real etcd: 3.4, the last release whose members are used through the v2 API and speak of nothing
//! else; and 2.3, the last that knows nothing else.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Missing, left_out};

/// Names the server of etcd 2.3 to test with.
const OLD: &str = "QUORATE_ETCD_2_3";

/// Why there is no etcd 2.3.
const OLD_HINT: &str =
    "QUORATE_ETCD_2_3 does not name its server; docs/testing.md says how to build one";

/// The server of 3.4, if it is installed.
pub(crate) fn server() -> Option<PathBuf> {
    installed(Path::new("etcd"), "--version", "etcd Version: 3.4")
}

/// The server of 2.3, if the environment names it.
///
/// # Panics
/// If it names something else.
pub(crate) fn old_server() -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(OLD)?);
    let found = installed(&path, "--version", "etcd Version: 2.3");
    assert!(found.is_some(), "{OLD}={} is no etcd 2.3", path.display());
    found
}

/// The server of 3.4. Without one `what` is left out.
pub(crate) fn server_for(what: &str) -> Option<PathBuf> {
    let server = server();
    if server.is_none() {
        left_out(what, missing("etcd"));
    }
    server
}

/// What is missing where there is no such program of 3.4: another release is what some distributions
/// have, and nothing can be done about that.
pub(crate) fn missing(program: &str) -> Missing {
    match Command::new(program).arg("--version").output() {
        Ok(_) => Missing::Other(format!("the {program} that is installed is not of etcd 3.4")),
        Err(_) => Missing::Program(format!("{program} 3.4")),
    }
}

/// The server of 2.3. Without one `what` is left out.
pub(crate) fn old_server_for(what: &str) -> Option<PathBuf> {
    let server = old_server();
    if server.is_none() {
        left_out(&format!("{what} 2.3"), OLD_HINT);
    }
    server
}

/// The flags that let a server be used through the v2 API: 3.4 has to be asked for it.
pub(crate) fn flags(server: &Path) -> &'static [&'static str] {
    if env::var_os(OLD).is_some_and(|old| old == server) { &[] } else { &["-enable-v2"] }
}

/// The command line client of 3.4.
pub(crate) fn client() -> Option<PathBuf> {
    installed(Path::new("etcdctl"), "version", "etcdctl version: 3.4")
}

/// The client of 3.4. Without one `what` is left out.
pub(crate) fn client_for(what: &str) -> Option<PathBuf> {
    let client = client();
    if client.is_none() {
        left_out(what, missing("etcdctl"));
    }
    client
}

fn installed(path: &Path, flag: &str, version: &str) -> Option<PathBuf> {
    let output = Command::new(path).arg(flag).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).contains(version).then(|| path.to_owned())
}
