//! Changes of `/v2/members`: what a request asks for, and what is answered.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Deserialize;

use super::member;
use crate::api::json::Writer;
use crate::api::reply;
use crate::api::request::MembersRequest;
use crate::api::response::{MembersFailure, Response, failure_text};
use crate::http::{Head, Method, Reply};
use crate::id::{ClusterId, MemberId};
use crate::member::json::TEXT_MAX;
use crate::url::{Url, UrlError};

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = TEXT_MAX;

/// The header that tells why a change was answered 500, which etcd keeps to itself.
const CAUSE: &str = "X-Quorate-Cause";

/// The member that a change is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    verb: Verb,
    /// As it stands in the path.
    id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Update,
    Remove,
}

impl Target {
    /// `id` is what follows `/v2/members/` in a clean path; etcd does not look at it where a
    /// member is added. Nothing if the method changes nothing.
    pub(crate) fn new(method: Method, id: &[u8]) -> Option<Self> {
        let verb = match method {
            Method::Post => Verb::Add,
            Method::Put => Verb::Update,
            Method::Delete => Verb::Remove,
            _ => return None,
        };
        Some(Self { verb, id: String::from_utf8_lossy(id).into_owned() })
    }

    /// Whether the body has to be read, up to [`BODY_LIMIT`] bytes and one more, by which a body
    /// that is too long is told.
    pub const fn reads_body(&self) -> bool {
        !matches!(self.verb, Verb::Remove)
    }
}

/// Reads a change. `cluster` is this member's, as soon as it is known.
///
/// # Errors
/// The answer to a request that is malformed.
pub fn parse(
    head: &Head,
    target: &Target,
    body: &[u8],
    cluster: Option<ClusterId>,
) -> Result<MembersRequest, Reply> {
    understand(head, target, body).map_err(|reply| reply::with_cluster(reply, cluster))
}

fn understand(head: &Head, target: &Target, body: &[u8]) -> Result<MembersRequest, Reply> {
    let id = || {
        MemberId::parse_hex(&target.id)
            .filter(|_| !target.id.is_empty())
            .ok_or_else(|| no_such_member(&target.id))
    };
    Ok(match target.verb {
        Verb::Add => MembersRequest::Add { peer_urls: peer_urls(head, body)? },
        Verb::Update => MembersRequest::Update { id: id()?, peer_urls: peer_urls(head, body)? },
        Verb::Remove => MembersRequest::Remove { id: id()? },
    })
}

/// The URLs in a body, sorted by text.
fn peer_urls(head: &Head, body: &[u8]) -> Result<Vec<Url>, Reply> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "peerURLs", default)]
        peer_urls: Option<Vec<String>>,
    }
    let kind = head.header("content-type").unwrap_or_default();
    let (base, _) = kind.split_once(';').unwrap_or((kind, ""));
    if !base.trim().eq_ignore_ascii_case("application/json") {
        let text = format!("Bad Content-Type {kind}, accept application/json");
        return Err(reply::message(415, &text));
    }
    let bad = |text: &str| reply::message(400, text);
    if body.len() > BODY_LIMIT {
        return Err(bad("the body is too long"));
    }
    let read: Body = serde_json::from_slice(body).map_err(|error| bad(&in_go(&error)))?;
    let texts = read.peer_urls.unwrap_or_default();
    if texts.is_empty() {
        return Err(bad("no valid URLs given"));
    }
    let urls: Result<Vec<Url>, UrlError> = texts.iter().map(|text| Url::parse(text)).collect();
    let mut urls = urls.map_err(|error| bad(&url_error(&error)))?;
    urls.sort_unstable();
    urls.dedup();
    Ok(urls)
}

/// What Go says of the faults that clients make, and the words of the parser for others.
fn in_go(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if error.is_eof() {
        return "unexpected end of JSON input".into();
    }
    match text.strip_prefix("invalid type: ").and_then(|rest| rest.split_once([' ', ','])) {
        Some((found @ ("string" | "integer" | "boolean" | "map"), _)) => {
            let found = match found {
                "integer" => "number",
                "boolean" => "bool",
                "map" => "object",
                other => other,
            };
            format!(
                "json: cannot unmarshal {found} into Go struct field .peerURLs of type []string"
            )
        }
        _ => text,
    }
}

/// etcd 3.4 names the sockets that it knows beside; they are not known here.
fn url_error(error: &UrlError) -> String {
    match error {
        UrlError::Scheme(text) if !text.starts_with("unix") => {
            format!("URL scheme must be http, https, unix, or unixs: {text}")
        }
        _ => error.to_string(),
    }
}

fn no_such_member(id: &str) -> Reply {
    reply::message(404, &format!("No such member: {id}"))
}

/// Renders the response to a change.
pub fn render(request: &MembersRequest, response: &Response, cluster: Option<ClusterId>) -> Reply {
    let reply = match response {
        Response::Members(Ok(None)) => {
            Reply { status: 204, headers: Vec::new(), body: Bytes::new() }
        }
        Response::Members(Ok(Some(added))) => {
            let mut body = Writer::default();
            member(&mut body, added);
            reply::json(201, body.finish_line())
        }
        Response::Members(Err(failure)) => refused(request, failure),
        Response::Failed(failure) => internal(failure_text(failure)),
        // Of other resources; the node gives none of them for a change.
        _ => internal("unexpected response"),
    };
    reply::with_cluster(reply, cluster)
}

fn refused(request: &MembersRequest, failure: &MembersFailure) -> Reply {
    let id = match request {
        MembersRequest::Add { .. } => String::new(),
        MembersRequest::Update { id, .. } | MembersRequest::Remove { id } => id.to_string(),
    };
    match failure {
        MembersFailure::IdExists | MembersFailure::UrlExists => {
            reply::message(409, &failure.to_string())
        }
        MembersFailure::NotFound => no_such_member(&id),
        MembersFailure::Removed => {
            reply::message(410, &format!("Member permanently removed: {id}"))
        }
        MembersFailure::NotEnoughStarted | MembersFailure::TooManyLearners => {
            internal(&failure.to_string())
        }
    }
}

/// etcd does not say why; here a header does.
fn internal(cause: &str) -> Reply {
    let mut reply = reply::message(500, "Internal Server Error");
    reply.headers.push((CAUSE, cause.to_string()));
    reply
}

#[cfg(test)]
mod tests;
