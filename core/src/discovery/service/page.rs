//! The page of a token, for people who wait for its members.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

use super::{KEYS, REGISTRY, Rules};
use crate::api::Response;
use crate::api::read::Read;
use crate::http::Reply;
use crate::store;
use crate::view::View;

/// Nothing is loaded, run or embedded.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Size, who has registered, and how many are missing. All that is shown is escaped.
pub fn page(token: &str, rules: &Rules, view: &View) -> Reply {
    let read = |rest: &str| {
        let read = Read { path: format!("{KEYS}/{REGISTRY}/{token}{rest}"), recursive: false };
        match read.answer(view) {
            Response::Keys { result: Ok(event), .. } => Some(event),
            _ => None,
        }
    };
    let size = read("/_config/size").map(|event| text(&event.node)).unwrap_or_default();
    let mut members: alloc::vec::Vec<(u64, String)> = read("")
        .into_iter()
        .flat_map(|event| event.node.nodes)
        .map(|node| (node.created_index, text(&node)))
        .collect();
    members.sort();
    let missing = size.parse::<usize>().unwrap_or_default().saturating_sub(members.len());
    let rows: String = members
        .iter()
        .map(|(_, value)| format!("<li><code>{}</code></li>\n", escape(value)))
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

fn text(node: &store::NodeView) -> String {
    String::from_utf8_lossy(node.value.as_deref().unwrap_or_default()).into_owned()
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
