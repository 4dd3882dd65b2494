//! Which state of the source is being run.

use std::process::Command;

use sim::results::Origin;

/// The origin of runs from this working directory; the commit is unknown outside a repository.
pub(super) fn origin(world: &str, settings: Vec<String>) -> Origin {
    Origin {
        commit: git(&["rev-parse", "HEAD"]),
        dirty: git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty()),
        settings,
        world: world.to_owned(),
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
