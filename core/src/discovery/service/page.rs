//! The page of a token, for people who wait for its members.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::{KEYS, REGISTRY, Rules};
use crate::api::read::Read;
use crate::discovery::answer::{Listing, Said};
use crate::http::{Answer, Reply};

/// Nothing is loaded, run or embedded.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is read for the page: the size and the members.
pub fn listing(token: &str) -> [Read; 2] {
    ["/_config/size", ""]
        .map(|rest| Read { path: format!("{KEYS}/{REGISTRY}/{token}{rest}"), recursive: false })
}

/// Size, who has registered, and how many are missing, by the answers to [`listing`]. All that is
/// shown is escaped.
pub fn page(token: &str, rules: &Rules, [size, members]: &[Answer; 2]) -> Reply {
    let size = match Said::read(size) {
        Ok(Said::Node { entry, .. }) => entry.value,
        _ => String::new(),
    };
    let members = match Said::read(members) {
        Ok(Said::Node { below, index, .. }) => Listing::new(below, index).entries,
        _ => Vec::new(),
    };
    let missing = size.parse::<usize>().unwrap_or_default().saturating_sub(members.len());
    let rows: String = members
        .iter()
        .map(|entry| format!("<li><code>{}</code></li>\n", escape(&entry.value)))
        .collect();
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"5\">\n<title>Discovery of a cluster</title>\n\
         <h1>Discovery of a cluster of {size}</h1>\n<p><code>{url}/{token}</code></p>\n\
         <p>{registered} registered, {missing} missing.</p>\n<ol>\n{rows}</ol>\n</html>\n",
        size = escape(&size),
        url = escape(&rules.public_url),
        registered = members.len(),
    );
    let header = |name, value: &str| (name, value.to_string());
    Reply {
        status: 200,
        headers: vec![
            header("Content-Type", "text/html; charset=utf-8"),
            header("Content-Security-Policy", POLICY),
            header("X-Content-Type-Options", "nosniff"),
            header("Referrer-Policy", "no-referrer"),
        ],
        body: html.into(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_registered_is_markup() {
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
