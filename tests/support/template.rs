//! Texts that are compared byte for byte, but for what differs from run to run.
//!
//! `"<uint>"` stands for a number, `"<expiration>"` for a time in quotes, and so on; `{name}` for
//! what a variable says; and a `ttl` may have lost a second since it was given.

use std::collections::BTreeMap;

/// What stands for `{name}` in a template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(format!("{{{name}}}"), value.to_owned());
    }

    /// The text with the value of each variable.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

const TTL: &str = "\"ttl\":";

/// Where the text differs from the template, in bytes of the text; nothing if it does not.
pub(crate) fn differs(template: &str, text: &str) -> Option<usize> {
    let (mut wanted, mut given) = (template, text);
    let at = |given: &str| Some(text.len() - given.len());
    while !wanted.is_empty() {
        if let Some((kind, quoted, rest)) = placeholder(wanted) {
            let Some(left) = take(kind, quoted, given) else { return at(given) };
            (wanted, given) = (rest, left);
        } else if let (Some(want), Some(got)) = (wanted.strip_prefix(TTL), given.strip_prefix(TTL))
        {
            let (want, rest) = digits(want);
            let (got, left) = digits(got);
            let (want, got) = (want.parse::<u64>().ok(), got.parse::<u64>().ok());
            let fits = want == got || want.is_some_and(|w| Some(w) == got.map(|g| g + 1));
            if !fits {
                return at(given);
            }
            (wanted, given) = (rest, left);
        } else {
            let next = wanted.chars().next().expect("it is not empty");
            let Some(left) = given.strip_prefix(next) else { return at(given) };
            (wanted, given) = (&wanted[next.len_utf8()..], left);
        }
    }
    if given.is_empty() { None } else { at(given) }
}

/// The kind of the placeholder at the beginning, whether it has quotes around it, and what follows.
fn placeholder(template: &str) -> Option<(&str, bool, &str)> {
    let bare = template.strip_prefix('"').unwrap_or(template);
    let (kind, rest) = bare.strip_prefix('<')?.split_once('>')?;
    let known = ["uint", "number", "hex", "expiration", "time", "string"].contains(&kind);
    let quoted = bare.len() != template.len();
    let rest = if quoted { rest.strip_prefix('"')? } else { rest };
    known.then_some((kind, quoted, rest))
}

/// What follows a value of this kind at the beginning of the text.
fn take<'a>(kind: &str, quoted: bool, text: &'a str) -> Option<&'a str> {
    if matches!(kind, "uint" | "number") {
        let (digits, rest) = digits(text);
        return (!digits.is_empty()).then_some(rest);
    }
    let (value, rest) = if quoted { text.strip_prefix('"')?.split_once('"')? } else { (text, "") };
    let fits = match kind {
        "hex" => value.len() <= 16 && u64::from_str_radix(value, 16).is_ok(),
        "string" => !value.is_empty(),
        _ => is_time(value),
    };
    fits.then_some(rest)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// RFC 3339 in UTC, with up to nine digits of a fraction.
fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let Some((seconds, rest)) = text.split_at_checked(SHAPE.len()) else { return false };
    let shaped = seconds.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == *shape,
    });
    let fraction = rest.strip_suffix('Z').map(|rest| rest.strip_prefix('.').unwrap_or(rest));
    shaped && fraction.is_some_and(|f| f.len() <= 9 && f.bytes().all(|b| b.is_ascii_digit()))
}
