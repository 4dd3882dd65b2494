//! The subcommands of the runner, one file each.

pub(crate) mod digests;
pub(crate) mod replay;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod shrink;
pub(crate) mod timeline;

mod origin;
mod progress;
mod settings;
mod source;

use std::fs;
use std::path::Path;

use sim::oracle::Kind;

/// What a subcommand found: the kind of the promise that was broken, if one was; or what is wrong
/// with its arguments.
type Found = Result<Option<Kind>, String>;

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
