//! The command line: Go's syntax over the definitions of the flags.
//!
//! etcd's users write `-name infra0`, `--name infra0` and `-name=infra0` alike: the core reads that
//! into one form. clap reads that form, and renders the help, the completions and the manual page
//! (`command`). What the values mean is decided by the core.

mod command;
mod print_config;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap_complete::Shell;
use quorate_core::config::arguments::{self, Arguments};
use quorate_core::config::{Flag, Given, Scope, Settings, Source, flags, variable};
use quorate_core::error::Refusal;

pub(crate) use print_config::{command_line, print_config};

use command::{DEV, DISCOVERY, dev, discovery, serve};

/// What a command line asks for.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What is to be done.
    pub(crate) command: Command,
    /// What is worth saying once the log is there.
    pub(crate) notices: Vec<String>,
    /// The values of the flags.
    pub(crate) settings: Settings,
    /// The values of the flags that are the subcommand's own.
    own: Vec<(&'static str, String)>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print this.
    Say(String),
    /// Be a member.
    Serve,
    /// Print the settings instead.
    PrintConfig {
        /// As one JSON object.
        json: bool,
    },
    /// Be a whole cluster, for a developer.
    Dev,
    /// Take over the data directory of an etcd member.
    Import,
    /// Write a backup of a cluster that runs into a file.
    Backup,
    /// Make the data directory of a member of a new cluster of a backup.
    Restore,
    /// Be a discovery service for everybody.
    Discovery,
    /// Be a member of a cluster that runs, which is told of it first.
    Join,
}

impl Parsed {
    /// The value of a flag, from the command line or the environment.
    pub(crate) fn text(&self, flag: &str) -> Option<&str> {
        self.settings.text(flag)
    }

    /// Whether a boolean flag is set.
    pub(crate) fn is_set(&self, flag: &str) -> bool {
        self.text(flag).is_some_and(|value| value.starts_with(['1', 't', 'T']))
    }

    /// Whether a boolean flag is set that is the subcommand's own.
    pub(crate) fn own_is_set(&self, flag: &str) -> bool {
        self.own(flag).is_some_and(|value| value.starts_with(['1', 't', 'T']))
    }

    /// The value of a flag that is the subcommand's own.
    pub(crate) fn own(&self, flag: &str) -> Option<&str> {
        self.own.iter().find(|(name, _)| *name == flag).map(|(_, value)| value.as_str())
    }

    const fn of(command: Command) -> Self {
        Self { command, notices: Vec::new(), settings: Settings::new(), own: Vec::new() }
    }
}

/// What is printed for `--version`.
pub(crate) fn version() -> String {
    format!("quorate {}\netcd API 3.4.23\n", env!("CARGO_PKG_VERSION"))
}

/// Reads the arguments, without the program's name, and the environment.
///
/// # Errors
/// The command line is malformed.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let args: Vec<String> = args.into_iter().map(text).collect();
    match args.split_first() {
        Some((first, rest)) if first == "dev" => parse_dev(rest, environment),
        Some((first, rest)) if first == "import" => parse_import(rest),
        Some((first, rest)) if first == "backup" => parse_backup(rest, environment),
        Some((first, rest)) if first == "restore" => parse_restore(rest, environment),
        Some((first, rest)) if first == "discovery" => parse_discovery(rest, environment),
        Some((first, rest)) if first == "join" => parse_join(rest, environment),
        Some((first, rest)) if first == "completions" => completions(rest).map(Parsed::of),
        Some((first, [])) if first == "man" => Ok(Parsed::of(Command::Say(command::man()))),
        _ => parse_serve(&args, environment),
    }
}

fn parse_serve(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, flags::all())? else {
        return Ok(Parsed::of(Command::Say(serve().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Serve);
    read(serve(), args, flags::all(), |name, value| {
        parsed.settings.set(name, Given { text: value, source: Source::Flag });
    })?;
    if parsed.is_set("version") {
        return Ok(Parsed::of(Command::Say(version())));
    }
    if let Some(form) = parsed.text("print-config") {
        parsed.command = Command::PrintConfig { json: form == "json" };
    }
    take_environment(&mut parsed, environment, |_| true);
    for (name, _) in parsed.settings.iter() {
        let notice = match flags::find(name).map(|flag| flag.scope) {
            Some(Scope::Ignored) => format!("flag \"-{name}\" is no longer supported - ignoring."),
            Some(Scope::NoEffect { why }) if parsed.is_set(name) => {
                format!("-{name} has no effect: {why}")
            }
            _ => continue,
        };
        parsed.notices.push(notice);
    }
    Ok(parsed)
}

fn parse_dev(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, command::of_dev())? else {
        return Ok(Parsed::of(Command::Say(dev().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Dev);
    read_of(dev(), args, command::of_dev(), &mut parsed)?;
    take_environment(&mut parsed, environment, |name| DEV.contains(&name));
    Ok(parsed)
}

fn parse_import(args: &[String]) -> Result<Parsed, Refusal> {
    let flags = || command::IMPORT.iter();
    let Arguments::Flags(args) = arguments::read(args, flags())? else {
        return Ok(Parsed::of(Command::Say(command::import().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Import);
    read(command::import(), args, flags(), |name, value| parsed.own.push((name, value)))?;
    Ok(parsed)
}

fn parse_backup(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, command::of_backup())? else {
        return Ok(Parsed::of(Command::Say(command::backup().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Backup);
    read_of(command::backup(), args, command::of_backup(), &mut parsed)?;
    take_environment(&mut parsed, environment, |name| command::BACKUP.contains(&name));
    Ok(parsed)
}

fn parse_restore(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, command::of_restore())? else {
        return Ok(Parsed::of(Command::Say(command::restore().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Restore);
    read_of(command::restore(), args, command::of_restore(), &mut parsed)?;
    take_environment(&mut parsed, environment, |name| command::RESTORE.contains(&name));
    Ok(parsed)
}

fn parse_discovery(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, command::of_discovery())? else {
        return Ok(Parsed::of(Command::Say(discovery().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Discovery);
    read_of(discovery(), args, command::of_discovery(), &mut parsed)?;
    take_environment(&mut parsed, environment, |name| DISCOVERY.contains(&name));
    Ok(parsed)
}

fn parse_join(
    args: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Refusal> {
    let Arguments::Flags(args) = arguments::read(args, command::of_join())? else {
        return Ok(Parsed::of(Command::Say(command::join().render_long_help().to_string())));
    };
    let mut parsed = Parsed::of(Command::Join);
    read_of(command::join(), args, command::of_join(), &mut parsed)?;
    take_environment(&mut parsed, environment, |name| !command::NOT_OF_JOIN.contains(&name));
    Ok(parsed)
}

/// Reads the flags of a subcommand: those of a member, and those of its own.
fn read_of(
    command: clap::Command,
    args: Vec<(&'static str, String)>,
    flags: impl Iterator<Item = &'static Flag>,
    parsed: &mut Parsed,
) -> Result<(), Refusal> {
    read(command, args, flags, |name, value| {
        if flags::find(name).is_some() {
            parsed.settings.set(name, Given { text: value, source: Source::Flag });
        } else {
            parsed.own.push((name, value));
        }
    })
}

/// Takes from the environment what the command line does not say, and notices what is ignored.
fn take_environment(
    parsed: &mut Parsed,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    taken: impl Fn(&str) -> bool,
) {
    let variables = environment.into_iter().map(|(name, value)| (text(name), text(value)));
    let not_taken = parsed.settings.take_environment(variables, taken);
    for name in not_taken.shadowed {
        let variable = variable(name);
        parsed.notices.push(format!("{variable} is ignored: the flag -{name} is given"));
    }
    if !not_taken.unknown.is_empty() {
        let names = not_taken.unknown.join(", ");
        parsed.notices.push(format!("unknown variables in the environment: {names}"));
    }
}

/// Has clap read flags in the form `--name=value`, which leaves it nothing to guess.
fn read(
    command: clap::Command,
    args: Vec<(&'static str, String)>,
    flags: impl Iterator<Item = &'static Flag>,
    mut take: impl FnMut(&'static str, String),
) -> Result<(), Refusal> {
    let args = args.into_iter().map(|(name, value)| format!("--{name}={value}"));
    let matches = command
        .no_binary_name(true)
        .try_get_matches_from(args)
        .map_err(|error| syntax(error.to_string()))?;
    for flag in flags {
        if let Some(value) = matches.get_one::<String>(flag.name) {
            take(flag.name, value.clone());
        }
    }
    Ok(())
}

fn completions(args: &[String]) -> Result<Command, Refusal> {
    let names: Vec<String> = command::SHELLS.iter().map(Shell::to_string).collect();
    let shell = match args {
        [name] => name.parse().ok(),
        _ => None,
    };
    let shell: Shell = shell.ok_or_else(|| {
        syntax("'quorate completions' needs the name of a shell".to_owned())
            .hint(format!("it is one of {}", names.join(", ")))
    })?;
    Ok(Command::Say(command::completions(shell)))
}

fn syntax(message: String) -> Refusal {
    Refusal::new(message).of_syntax()
}

/// Arguments that are not UTF-8 cannot be a valid value of any flag but a directory; there they
/// show up as what they look like.
fn text(arg: OsString) -> String {
    arg.into_string().unwrap_or_else(|arg| arg.to_string_lossy().into_owned())
}
