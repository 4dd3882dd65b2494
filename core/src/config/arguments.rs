//! Go's syntax of flags.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Flag;
use crate::error::Refusal;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// The help.
    Help,
    /// What its flags say: names without dashes, and values. Of several of one name the last one
    /// counts.
    Flags(Vec<(&'static str, String)>),
}

/// Reads arguments, of which the program's name is none. In Go's syntax `-name`, `--name` and
/// `-name=value` are all the same; the argument behind `-name` is its value, whatever it looks like,
/// and a boolean flag has its value behind `=` or none. The values are not judged here.
///
/// # Errors
/// A flag that is not among `flags`, or has no value; or an argument that is no flag.
pub fn read(
    args: &[String],
    flags: impl Iterator<Item = &'static Flag>,
) -> Result<Arguments, Refusal> {
    let flags: Vec<&Flag> = flags.collect();
    let mut given = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = match (arg.strip_prefix("--"), arg.strip_prefix('-')) {
            // What follows are no flags.
            (Some(""), _) => {
                return args.next().map_or(Ok(Arguments::Flags(given)), |arg| positional(arg));
            }
            (Some(text), _) | (None, Some(text)) if !text.is_empty() => text,
            _ => return positional(arg),
        };
        if text.starts_with(['-', '=']) {
            return Err(syntax(format!("bad flag syntax: {arg}")));
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name == "h" || name == "help" {
            return Ok(Arguments::Help);
        }
        let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
            return Err(syntax(format!("flag provided but not defined: -{name}")));
        };
        let value = match value.or_else(|| flag.bare_value()) {
            Some(value) => value,
            None => {
                args.next().ok_or_else(|| syntax(format!("flag needs an argument: -{name}")))?
            }
        };
        given.push((flag.name, value.to_owned()));
    }
    Ok(Arguments::Flags(given))
}

fn positional(arg: &str) -> Result<Arguments, Refusal> {
    Err(hint(Refusal::new(format!("error verifying flags, '{arg}' is not a valid flag"))).hint(
        "every flag begins with a dash; the value of a boolean flag stands behind \"=\", as in \
         -force-new-cluster=true",
    ))
}

fn syntax(message: String) -> Refusal {
    hint(Refusal::new(message).of_syntax())
}

fn hint(refusal: Refusal) -> Refusal {
    refusal.hint("'quorate --help' lists the flags")
}
