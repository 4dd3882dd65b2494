//! The Content-Type of a request, judged as Go's `mime.ParseMediaType` judges it.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::String;

/// Whether a body of this type is a form.
///
/// # Errors
/// What is wrong with the type, in Go's words.
pub(crate) fn is_form(content_type: &str) -> Result<bool, &'static str> {
    let (base, parameters) = match content_type.find(';') {
        Some(at) => content_type.split_at(at),
        None => (content_type, ""),
    };
    let base = base.trim();
    check_type(base)?;
    check_parameters(parameters)?;
    Ok(base.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn check_type(text: &str) -> Result<(), &'static str> {
    let (kind, rest) = token(text);
    if kind.is_empty() {
        return Err("mime: no media type");
    }
    if rest.is_empty() {
        return Ok(());
    }
    let Some(rest) = rest.strip_prefix('/') else {
        return Err("mime: expected slash after first token");
    };
    let (subtype, rest) = token(rest);
    if subtype.is_empty() {
        return Err("mime: expected token after slash");
    }
    if !rest.is_empty() {
        return Err("mime: unexpected content after media subtype");
    }
    Ok(())
}

fn check_parameters(mut text: &str) -> Result<(), &'static str> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    loop {
        text = text.trim_start();
        if text.is_empty() || text.trim_end() == ";" {
            return Ok(());
        }
        let (name, value, rest) = parameter(text).ok_or("mime: invalid media parameter")?;
        match seen.entry(name) {
            Entry::Occupied(first) if *first.get() != value => {
                return Err("mime: duplicate parameter name");
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
        }
        text = rest;
    }
}

/// The name and value of the parameter at the beginning, and what follows it.
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = token(text.strip_prefix(';')?.trim_start());
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => match token(rest) {
            ("", _) => return None,
            (value, rest) => (value.into(), rest),
        },
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

/// What stands before the closing quote, and what follows it. A backslash counts as an escape only
/// before a character that has a meaning of its own in a header.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\r' | '\n' => return None,
            '\\' => match chars.next_if(|(_, next)| is_special(*next)) {
                Some((_, next)) => value.push(next),
                None => value.push(c),
            },
            _ => value.push(c),
        }
    }
    None
}

/// The longest token at the beginning, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_graphic() || is_special(c));
    text.split_at(end.unwrap_or(text.len()))
}

const fn is_special(c: char) -> bool {
    matches!(
        c,
        '(' | ')' | '<' | '>' | '@' | ',' | ';' | ':' | '\\' | '"' | '/' | '[' | ']' | '?' | '='
    )
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::is_form;

    #[test]
    fn judges_as_go_does() {
        const PARAMETER: Result<bool, &str> = Err("mime: invalid media parameter");
        for (text, verdict) in [
            ("application/x-www-form-urlencoded", Ok(true)),
            (" Application/X-WWW-Form-Urlencoded ; Charset = \"utf-8\" ; ", Ok(true)),
            ("application/x-www-form-urlencoded; a=1; A=1", Ok(true)),
            ("application/x-www-form-urlencoded; a=\"\\\"\\x;\"", Ok(true)),
            ("application/x-www-form-urlencoded;", Ok(true)),
            ("text/plain", Ok(false)),
            ("multipart/form-data; boundary=X", Ok(false)),
            ("text", Ok(false)),
            ("application/x-www-form-urlencoded; =", PARAMETER),
            ("application/x-www-form-urlencoded; a", PARAMETER),
            ("application/x-www-form-urlencoded; a=", PARAMETER),
            ("application/x-www-form-urlencoded; a=\"b", PARAMETER),
            ("application/x-www-form-urlencoded; a=b c", PARAMETER),
            ("application/x-www-form-urlencoded;; a=b", PARAMETER),
            ("a/b; x=1; x=2", Err("mime: duplicate parameter name")),
            ("; a=b", Err("mime: no media type")),
            ("a b", Err("mime: expected slash after first token")),
            ("a/", Err("mime: expected token after slash")),
            ("a/b c", Err("mime: unexpected content after media subtype")),
        ] {
            assert_eq!(is_form(text), verdict, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), close in "[a/;=\" \\\\é]{0,16}") {
            let _ = is_form(&text);
            let _ = is_form(&close);
        }
    }
}
