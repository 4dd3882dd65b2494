//! The subcommands of the runner, one file each.

pub(crate) mod replay;
pub(crate) mod results;
pub(crate) mod run;

mod origin;
mod progress;
mod settings;

use sim::oracle::Kind;

/// What a subcommand found: the kind of the promise that was broken, if one was; or what is wrong
/// with its arguments.
type Found = Result<Option<Kind>, String>;
