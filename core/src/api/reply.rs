//! The plain answers that several resources share.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::json::Writer;
use crate::http::{Method, Reply};
use crate::id::ClusterId;

pub(crate) const CLUSTER_ID: &str = "X-Etcd-Cluster-ID";
const CONTENT_TYPE: &str = "Content-Type";
const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that is text.
pub(crate) fn text(status: u16, body: impl Into<Bytes>) -> Reply {
    Reply { status, headers: vec![(CONTENT_TYPE, TEXT.to_string())], body: body.into() }
}

/// A failure that is told as text; browsers are asked not to take it for anything else.
pub(crate) fn failure(status: u16, body: &'static str) -> Reply {
    let mut reply = text(status, body);
    reply.headers.push(("X-Content-Type-Options", "nosniff".to_string()));
    reply
}

/// An answer that is JSON.
pub(crate) fn json(status: u16, body: Bytes) -> Reply {
    let headers = vec![(CONTENT_TYPE, "application/json".to_string())];
    Reply { status, headers, body }
}

/// A failure that is told as JSON: `{"message":"…"}`, without a line feed.
pub(crate) fn message(status: u16, message: &str) -> Reply {
    let mut writer = Writer::default();
    writer.object(|fields| fields.string("message", message.as_bytes()));
    json(status, writer.finish())
}

/// 404: there is no such resource.
pub(crate) fn not_found() -> Reply {
    failure(404, "404 page not found\n")
}

/// 405: the resource takes only `allowed`.
pub(crate) fn method_not_allowed(allowed: &[Method]) -> Reply {
    let mut reply = failure(405, "Method Not Allowed\n");
    if !allowed.is_empty() {
        let names: Vec<&str> = allowed.iter().map(|method| method.name()).collect();
        reply.headers.push(("Allow", names.join(",")));
    }
    reply
}

/// 301: the resource is at `location`.
pub(crate) fn moved(method: Method, location: &str) -> Reply {
    let mut headers = vec![("Location", ascii(location))];
    if matches!(method, Method::Get | Method::Head) {
        headers.push((CONTENT_TYPE, "text/html; charset=utf-8".to_string()));
    }
    let body = match method {
        Method::Get => html_link(location).into(),
        _ => Bytes::new(),
    };
    Reply { status: 301, headers, body }
}

/// The reply with the header that names the cluster, once that is known.
pub(crate) fn with_cluster(mut reply: Reply, cluster: Option<ClusterId>) -> Reply {
    reply.headers.extend(cluster.map(|id| (CLUSTER_ID, id.to_string())));
    reply
}

fn html_link(location: &str) -> String {
    let mut html = "<a href=\"".to_string();
    for c in location.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html.push_str("\">Moved Permanently</a>.\n\n");
    html
}

/// The text with every byte outside of ASCII percent-encoded, fit for a header.
fn ascii(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, &percent_encoding::AsciiSet::EMPTY).to_string()
}
