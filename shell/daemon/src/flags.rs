//! The command line: Go's syntax over a table of flags.
//!
//! etcd's users write `-name infra0`, `--name infra0` and `-name=infra0` alike, so the arguments
//! are brought into one form here. clap, which reads that form, renders the help and keeps the
//! values.

mod environment;
mod settings;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, ArgAction};
use quorate_core::config::check_value;

use table::Flag;
use table::{DEV_FLAGS, SERVE_FLAGS};

use crate::{EXIT_REFUSED, EXIT_SYNTAX};

/// What a command line asks for.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What is to be done.
    pub(crate) command: Command,
    /// What is worth saying once the log is there.
    pub(crate) notices: Vec<String>,
    values: BTreeMap<&'static str, String>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print this.
    Help(String),
    /// Print this.
    Version(String),
    /// Be a member.
    Serve,
    /// Be a whole cluster, for a developer.
    Dev,
}

/// Why a command line is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    message: String,
    code: u8,
}

impl Refused {
    fn syntax(message: String) -> Self {
        Self { message, code: EXIT_SYNTAX }
    }

    /// Says so, and gives the exit status.
    pub(crate) fn print(&self) -> ExitCode {
        eprintln!("quorate: {}", self.message);
        eprintln!("  hint: 'quorate --help' lists the flags");
        ExitCode::from(self.code)
    }
}

impl Parsed {
    /// The value of a flag, from the command line or the environment.
    pub(crate) fn text(&self, flag: &str) -> Option<&str> {
        self.values.get(flag).map(String::as_str)
    }
}

/// What is printed for `--version`.
pub(crate) fn version() -> String {
    format!("quorate {}\netcd API 3.4.23\n", env!("CARGO_PKG_VERSION"))
}

/// Reads the arguments, without the program's name, and the environment.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refused> {
    let mut args = args.into_iter().map(text).peekable();
    let dev = args.next_if(|first| first == "dev").is_some();
    let flags: Vec<&Flag> =
        if dev { DEV_FLAGS } else { SERVE_FLAGS }.iter().flat_map(|f| f.iter()).collect();
    let (given, other) = normalize(args, &flags)?;
    match other {
        Some(Other::Help) => {
            return Ok(say(Command::Help(command(dev, &flags).render_long_help().to_string())));
        }
        Some(Other::Version) => return Ok(say(Command::Version(version()))),
        None => {}
    }
    let matches = command(dev, &flags)
        .try_get_matches_from(given)
        .map_err(|error| Refused::syntax(error.to_string()))?;
    let mut parsed = say(if dev { Command::Dev } else { Command::Serve });
    for flag in &flags {
        if let Some(value) = matches.get_one::<String>(flag.name) {
            parsed.values.insert(flag.name, value.clone());
        }
    }
    environment::fill(&mut parsed, &flags, environment);
    for (flag, value) in &parsed.values {
        check(flag, value)?;
    }
    Ok(parsed)
}

const fn say(command: Command) -> Parsed {
    Parsed { command, notices: Vec::new(), values: BTreeMap::new() }
}

/// What is asked for instead of a start.
enum Other {
    Help,
    Version,
}

/// Brings the arguments into the form `--name=value`, which leaves clap nothing to guess: in Go's
/// syntax the argument behind `-name` is its value, whatever it looks like.
fn normalize(
    mut args: impl Iterator<Item = String>,
    flags: &[&Flag],
) -> Result<(Vec<String>, Option<Other>), Refused> {
    let mut given = Vec::new();
    while let Some(arg) = args.next() {
        let flag = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).unwrap_or_default();
        if flag.is_empty() || flag.starts_with(['-', '=']) {
            return Err(positional(&arg));
        }
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        match name {
            "help" | "h" => return Ok((given, Some(Other::Help))),
            "version" => return Ok((given, Some(Other::Version))),
            _ => {}
        }
        if !flags.iter().any(|flag| flag.name == name) {
            return Err(Refused::syntax(format!("flag provided but not defined: -{name}")));
        }
        let value = value
            .or_else(|| args.next())
            .ok_or_else(|| Refused::syntax(format!("flag needs an argument: -{name}")))?;
        given.push(format!("--{name}={value}"));
    }
    Ok((given, None))
}

fn positional(arg: &str) -> Refused {
    let message = format!("error verifying flags, '{arg}' is not a valid flag");
    Refused { message, code: EXIT_REFUSED }
}

fn check(flag: &str, value: &str) -> Result<(), Refused> {
    let checked = match flag {
        "log-format" if value != "text" && value != "json" => Err("invalid value".to_owned()),
        _ => check_value(flag, value),
    };
    checked.map_err(|cause| {
        Refused::syntax(format!("invalid value {value:?} for flag -{flag}: {cause}"))
    })
}

fn command(dev: bool, flags: &[&Flag]) -> clap::Command {
    let (name, about) = if dev {
        ("quorate dev", "Runs a cluster of three members in this process, to try things out.")
    } else {
        ("quorate", "A clustered key-value store that bootstraps as the etcd 2.0 guide says.")
    };
    let footer = "Every flag may be written with one or two dashes, and as a variable: \
                  ETCD_INITIAL_CLUSTER stands for -initial-cluster. A flag wins over its \
                  variable.\n\n'quorate dev' runs a cluster of three members to try things out.";
    let mut command = clap::Command::new(name)
        .about(about)
        .after_help(footer)
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true);
    for flag in flags {
        command = command.arg(
            Arg::new(flag.name)
                .long(flag.name)
                .value_name(flag.value)
                .help(flag.help)
                .help_heading(flag.group.heading())
                .action(ArgAction::Set)
                .overrides_with(flag.name),
        );
    }
    command
}

/// Arguments that are not UTF-8 cannot be a valid value of any flag but a directory; there they
/// show up as what they look like.
fn text(arg: OsString) -> String {
    arg.into_string().unwrap_or_else(|arg| arg.to_string_lossy().into_owned())
}
