//! Go's syntax of flags.

use quorate_core::config::Flag;
use quorate_core::error::Refusal;

use super::syntax;

/// Brings the arguments into the form `--name=value`, which leaves clap nothing to guess: in Go's
/// syntax the argument behind `-name` is its value, whatever it looks like, and a boolean flag has
/// its value behind `=` or none. Nothing, if the help is asked for.
pub(super) fn normalize<'a>(
    args: &[String],
    flags: impl Iterator<Item = &'a Flag>,
) -> Result<Option<Vec<String>>, Refusal> {
    let flags: Vec<&Flag> = flags.collect();
    let mut given = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = match (arg.strip_prefix("--"), arg.strip_prefix('-')) {
            // What follows are no flags.
            (Some(""), _) => return args.next().map_or(Ok(Some(given)), |arg| positional(arg)),
            (Some(text), _) | (None, Some(text)) if !text.is_empty() => text,
            _ => return positional(arg),
        };
        if text.starts_with(['-', '=']) {
            return Err(hint(syntax(format!("bad flag syntax: {arg}"))));
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name == "h" || name == "help" {
            return Ok(None);
        }
        let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
            return Err(hint(syntax(format!("flag provided but not defined: -{name}"))));
        };
        let value = match value.or_else(|| flag.bare_value()) {
            Some(value) => value,
            None => args
                .next()
                .ok_or_else(|| hint(syntax(format!("flag needs an argument: -{name}"))))?,
        };
        given.push(format!("--{name}={value}"));
    }
    Ok(Some(given))
}

fn positional<T>(arg: &str) -> Result<T, Refusal> {
    let refusal = Refusal::new(format!("error verifying flags, '{arg}' is not a valid flag"));
    Err(hint(refusal).hint(
        "every flag begins with a dash; the value of a boolean flag stands behind \"=\", as in \
         -force-new-cluster=true",
    ))
}

fn hint(refusal: Refusal) -> Refusal {
    refusal.hint("'quorate --help' lists the flags")
}
