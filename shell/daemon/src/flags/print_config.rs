//! `-print-config`: what counts, and where it comes from.

use std::fmt::Write as _;

use quorate_core::config::flags::{FLAGS, find};
use quorate_core::config::{Flag, Group, Origin, Settings, Source, variable};
use serde_json::{Map, Value, json};

use crate::secrets::{HIDDEN, hide_users};

/// Each effective value with its origin, as text or as a JSON object. Passwords in URLs and
/// discovery tokens are not shown: whoever has a token can register with it.
pub(crate) fn print_config(settings: &Settings, json: bool) -> String {
    if json { as_json(settings) } else { as_text(settings) }
}

/// The flags that were given on the command line, without anything secret.
pub(crate) fn command_line(settings: &Settings) -> Vec<String> {
    let flags = settings.iter().filter(|(_, given)| given.source == Source::Flag);
    let shown = flags.filter_map(|(name, _)| {
        let (value, _) = effective(settings, find(name)?);
        Some(format!("-{name}={value}"))
    });
    std::iter::once("quorate".to_owned()).chain(shown).collect()
}

fn as_text(settings: &Settings) -> String {
    let mut text = String::new();
    for (group, flags) in FLAGS {
        let shown: Vec<&Flag> = shown(settings, group, flags).collect();
        if shown.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}:", group.heading());
        for flag in shown {
            let (value, origin) = effective(settings, flag);
            let origin = match origin {
                Origin::Flag => "flag".to_owned(),
                Origin::Environment => variable(flag.name),
                Origin::Default => "default".to_owned(),
                Origin::Derived(from) => format!("derived from -{from}"),
            };
            let _ = writeln!(text, "  {} = {value:?} ({origin})", flag.name);
        }
    }
    text
}

fn as_json(settings: &Settings) -> String {
    let mut object = Map::new();
    for flag in FLAGS.into_iter().flat_map(|(group, flags)| shown(settings, group, flags)) {
        let (value, origin) = effective(settings, flag);
        let entry = match origin {
            Origin::Flag => json!({ "value": value, "origin": "flag" }),
            Origin::Environment => json!({
                "value": value, "origin": "environment", "variable": variable(flag.name)
            }),
            Origin::Default => json!({ "value": value, "origin": "default" }),
            Origin::Derived(from) => json!({ "value": value, "origin": "derived", "from": from }),
        };
        object.insert(flag.name.to_owned(), entry);
    }
    format!("{:#}\n", Value::Object(object))
}

/// The flags of 0.4 only where they were given; nobody is to begin with them.
fn shown(
    settings: &Settings,
    group: Group,
    flags: &'static [Flag],
) -> impl Iterator<Item = &'static Flag> {
    flags.iter().filter(move |flag| match group {
        Group::Program => false,
        Group::Deprecated => settings.given(flag.name).is_some(),
        _ => true,
    })
}

fn effective(settings: &Settings, flag: &Flag) -> (String, Origin) {
    let (value, origin) = settings.effective(flag.name);
    let value = hide_users(&value);
    match flag.name {
        "discovery" => (hide_token(&value), origin),
        _ => (value.into_owned(), origin),
    }
}

/// Leaves the beginning of the token, by which two of them can be told apart.
fn hide_token(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((before, token)) = rest.trim_end_matches('/').rsplit_once('/') else {
        return url.to_owned();
    };
    let shown: String = token.chars().take(4).collect();
    format!("{scheme}://{before}/{shown}{HIDDEN}")
}
