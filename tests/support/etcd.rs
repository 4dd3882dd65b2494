//! Real etcd 3.4: the last release whose members are used through the v2 API and speak of nothing
//! else.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The server, if it is installed.
pub(crate) fn server() -> Option<PathBuf> {
    installed("etcd", "--version", "etcd Version: 3.4")
}

/// Its command line client.
pub(crate) fn client() -> Option<PathBuf> {
    installed("etcdctl", "version", "etcdctl version: 3.4")
}

fn installed(name: &str, flag: &str, version: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name);
    let output = Command::new(&path).arg(flag).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).contains(version).then_some(path)
}
