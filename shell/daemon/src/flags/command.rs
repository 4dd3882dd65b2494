//! The definitions of the flags as clap has them: for reading, the help, the completions and the
//! manual page.

use clap::builder::EnumValueParser;
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use quorate_core::config::flags::{self, FLAGS};
use quorate_core::config::grammar::Grammar;
use quorate_core::config::{Flag, Scope};

/// The flags of a member that `quorate dev` takes too.
pub(super) const DEV: [&str; 3] = ["debug", "log-format", "help"];

/// The flag of `quorate dev` that is its own.
const DIR: Flag =
    Flag::new("dir", "DIR", Grammar::Text, "quorate-dev", "Where the members keep their data.");

/// The flags of `quorate import`.
pub(super) const IMPORT: [Flag; 3] = [
    Flag::new(
        "from",
        "DIR",
        Grammar::Text,
        "",
        "The data directory of a stopped member of etcd 2.0 to 3.4. Nothing in it is touched.",
    ),
    Flag::new(
        "data-dir",
        "DIR",
        Grammar::Text,
        "default.quorate",
        "The data directory to make. It must be absent or empty.",
    ),
    Flag::new(
        "check",
        "",
        Grammar::Bool,
        "false",
        "Compare the two directories, and write nothing.",
    ),
];

/// The flags of a member that `quorate backup` takes too.
pub(super) const BACKUP: [&str; 4] = ["cert-file", "key-file", "trusted-ca-file", "help"];

/// The flags of `quorate backup` that are its own.
static OF_BACKUP: [Flag; 3] = [
    Flag::new(
        "endpoints",
        "URLS",
        Grammar::Text,
        "http://127.0.0.1:2379",
        "Client URLs of members, http://[USER:PASSWORD@]HOST:PORT; the first that gives a backup is \
         enough.",
    ),
    Flag::new(
        "to",
        "FILE",
        Grammar::Text,
        "",
        "The file to write. It must not exist, and only its owner may read it.",
    ),
    Flag::new(
        "local",
        "",
        Grammar::Bool,
        "false",
        "Take what the member has, without asking the others whether that is all: where there is no \
         quorum.",
    ),
];

/// The flags of a member that `quorate restore` takes too.
pub(super) const RESTORE: [&str; 6] = [
    "name",
    "data-dir",
    "initial-cluster",
    "initial-cluster-token",
    "initial-advertise-peer-urls",
    "help",
];

/// The flags of `quorate restore` that are its own.
static OF_RESTORE: [Flag; 2] = [
    Flag::new("from", "FILE", Grammar::Text, "", "A file that 'quorate backup' has written."),
    Flag::new(
        "check",
        "",
        Grammar::Bool,
        "false",
        "Verify the file and say what it is, and write nothing.",
    ),
];

/// The flags of a member that `quorate discovery` takes too.
pub(super) const DISCOVERY: [&str; 11] = [
    "data-dir",
    "cert-file",
    "key-file",
    "trusted-ca-file",
    "client-cert-auth",
    "auto-tls",
    "cors",
    "host-whitelist",
    "debug",
    "log-format",
    "help",
];

/// The flags of `quorate discovery` that are its own.
static OF_DISCOVERY: [Flag; 5] = [
    Flag::new("listen", "URLS", Grammar::Urls, "http://localhost:8087", "Where to listen."),
    Flag::new(
        "public-url",
        "URL",
        Grammar::Service,
        "",
        "What stands before the tokens in the URLs that are handed out; the first of -listen where \
         none is given.",
    ),
    Flag::new(
        "token-ttl",
        "SECONDS",
        Grammar::Number,
        "604800",
        "After so many seconds without a registration a token is gone.",
    ),
    Flag::new(
        "endpoints",
        "URLS",
        Grammar::Text,
        "",
        "Keeps the tokens in the cluster of Quorate, or of etcd with its v2 API, whose members \
         serve clients at these URLs, http://[USER:PASSWORD@]HOST:PORT, in place of a data \
         directory.",
    ),
    Flag::new(
        "endpoints-ca-file",
        "FILE",
        Grammar::Text,
        "",
        "Authorities that sign the certificates of -endpoints of https, in PEM; those of the \
         system where none is given.",
    ),
];

/// The flags of a member that say how it gets into a cluster, which `quorate join` finds out.
pub(super) const NOT_OF_JOIN: [&str; 14] = [
    "initial-cluster",
    "initial-cluster-state",
    "initial-cluster-token",
    "initial-cluster-form",
    "discovery",
    "discovery-srv",
    "discovery-srv-timeout",
    "discovery-proxy",
    "discovery-fallback",
    "force-new-cluster",
    "proxy",
    "peers",
    "peers-file",
    "print-config",
];

/// The flags of `quorate join` that are its own.
static OF_JOIN: [Flag; 2] = [
    Flag::new(
        "endpoints",
        "URLS",
        Grammar::Text,
        "",
        "Client URLs of members of the cluster; one that answers is enough.",
    ),
    Flag::new(
        "replace",
        "",
        Grammar::Bool,
        "false",
        "Remove the member that the cluster lists here, if the data directory is empty and nobody \
         answers in its place.",
    ),
];

/// The shells that completions are made for.
pub(super) const SHELLS: [Shell; 5] =
    [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh];

const FOOTER: &str = "Every flag may be written with one or two dashes, and as a variable: \
                      ETCD_INITIAL_CLUSTER stands for -initial-cluster. A flag wins over its \
                      variable, and the last one of several counts.";

/// The flags of `quorate dev`.
pub(super) fn of_dev() -> impl Iterator<Item = &'static Flag> {
    [&DIR].into_iter().chain(flags::all().filter(|flag| DEV.contains(&flag.name)))
}

/// The flags of `quorate backup`.
pub(super) fn of_backup() -> impl Iterator<Item = &'static Flag> {
    OF_BACKUP.iter().chain(flags::all().filter(|flag| BACKUP.contains(&flag.name)))
}

/// The flags of `quorate restore`.
pub(super) fn of_restore() -> impl Iterator<Item = &'static Flag> {
    OF_RESTORE.iter().chain(flags::all().filter(|flag| RESTORE.contains(&flag.name)))
}

/// The flags of `quorate discovery`.
pub(super) fn of_discovery() -> impl Iterator<Item = &'static Flag> {
    OF_DISCOVERY.iter().chain(flags::all().filter(|flag| DISCOVERY.contains(&flag.name)))
}

/// The flags of `quorate join`.
pub(super) fn of_join() -> impl Iterator<Item = &'static Flag> {
    let taken = flags::all().filter(|flag| !NOT_OF_JOIN.contains(&flag.name));
    OF_JOIN.iter().chain(taken)
}

/// A member, and the subcommands.
pub(super) fn serve() -> Command {
    let mut command = base("quorate")
        .about("A clustered key-value store that bootstraps as the etcd 2.0 guide says.")
        .after_help(FOOTER);
    for (group, flags) in FLAGS {
        let heading = group.heading();
        command = command.args(flags.iter().map(|flag| arg(flag).help_heading(heading)));
    }
    let shells = EnumValueParser::<Shell>::new();
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(shells);
    command
        .subcommand(dev())
        .subcommand(import())
        .subcommand(backup())
        .subcommand(restore())
        .subcommand(discovery())
        .subcommand(join())
        .subcommand(base("completions").about("Prints the completions for a shell.").arg(shell))
        .subcommand(base("man").about("Prints the manual page."))
        .subcommand_negates_reqs(true)
}

/// `quorate dev`
pub(super) fn dev() -> Command {
    base("dev")
        .about("Runs a cluster of three members in this process, to try things out.")
        .args(of_dev().map(arg))
}

/// `quorate import`
pub(super) fn import() -> Command {
    base("import")
        .about(
            "Makes a data directory of the one of an etcd member, with the same IDs and indexes.",
        )
        .args(IMPORT.iter().map(arg))
}

/// `quorate backup`
pub(super) fn backup() -> Command {
    base("backup")
        .about("Writes a backup of a cluster that runs into a file.")
        .args(of_backup().map(arg))
}

/// `quorate restore`
pub(super) fn restore() -> Command {
    base("restore")
        .about(
            "Makes the data directory of a member of a new cluster of a backup. Each member of the \
             list is restored from the same file.",
        )
        .args(of_restore().map(arg))
}

/// `quorate discovery`
pub(super) fn discovery() -> Command {
    base("discovery")
        .about("Runs a discovery service for everybody, with tokens of its own.")
        .args(of_discovery().map(arg))
}

/// `quorate join`
pub(super) fn join() -> Command {
    base("join")
        .about(
            "Adds this member to a cluster that runs, and starts it. With data in its directory it \
             only starts.",
        )
        .args(of_join().map(arg))
}

/// The completions for a shell, as it reads them.
pub(super) fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut serve(), "quorate", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The manual page, as `man` reads it.
pub(super) fn man() -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(serve()).render(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Every flag is one of ours, also those that clap would bring along.
fn base(name: &'static str) -> Command {
    Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
}

fn arg(flag: &Flag) -> Arg {
    let mut help = flag.help.to_owned();
    match flag.scope {
        Scope::FirstStart => help.push_str(" Ignored once the data directory holds a member."),
        Scope::Missing { .. } => help.push_str(" Not supported yet."),
        Scope::NoEffect { .. } => help.push_str(" Without effect here."),
        _ => {}
    }
    if !flag.default.is_empty() && flag.scope != Scope::Program {
        help = format!("{help} Default: {}", flag.default);
    }
    let arg = Arg::new(flag.name)
        .long(flag.name)
        .help(help)
        .action(ArgAction::Set)
        .overrides_with(flag.name);
    let value = match flag.grammar {
        _ if !flag.is_switch() => flag.value,
        Grammar::Bool => "BOOL",
        Grammar::OneOf(_) => "FORM",
        _ => "VALUE",
    };
    let arg = arg.value_name(value);
    match flag.bare_value() {
        Some(bare) => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(bare)
            .hide_possible_values(true),
        None => arg,
    }
}
