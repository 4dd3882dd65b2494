//! A discovery service for everybody: what it does with a request, as pure functions.
//!
//! It speaks the protocol of the [client](super::Client) with the token right behind the host, as
//! `https://discovery.etcd.io/TOKEN` does. Anybody may ask, so it is narrow: tokens are made by it
//! alone and cannot be guessed; of a token only its size, its members and their waiting are served;
//! a member can be registered once, with a value that is a registration, and nothing can be changed
//! or deleted. Everything else is refused before it reaches the store.
//!
//! The tokens stand in a store of its own, or in a cluster of others ([`Backend`]); answers are taken
//! alike from both, as those of the v2 API.

mod backend;
mod expiry;
mod limits;
mod page;

use alloc::format;
use alloc::string::{String, ToString as _};

use bytes::Bytes;

use super::answer::Said;
use crate::api::error::Error;
use crate::api::keys::ROOT as KEYS;
use crate::api::read::Read;
use crate::api::{KeysRequest, Verb, WatchRequest, health, path, reply};
use crate::boot::list::InitialCluster;
use crate::http::{Answer, Head, Method, Reply};
use crate::store;
use crate::time::Duration;

pub use backend::{Backend, answer, pass_back, unavailable};
pub use expiry::{Sweep, activity};
pub use limits::Limits;
pub use page::{listing, page};

/// Bytes of the body of a registration. Percent-encoding may make three of one.
pub const BODY_LIMIT: usize = 3 * VALUE_LIMIT + 64;
/// Bytes of a registration.
const VALUE_LIMIT: usize = 4 << 10;
/// The size of a cluster where none is asked for, as the guide says.
const DEFAULT_SIZE: u64 = 3;
/// The largest size that a token is made for.
const LARGEST_SIZE: u64 = 1000;
/// Bytes of a token: 160 bits.
pub const TOKEN_BYTES: usize = 20;

const REGISTRY: &str = "_etcd/registry";
const ACTIVITY: &str = "_etcd/activity";

/// How a service is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What stands before the token in the URLs that are handed out, without a slash at its end.
    pub public_url: String,
    /// After so long without a registration a token is gone.
    pub token_ttl: Duration,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nothing that is done: answer this.
    Answer(Reply),
    /// A token for so many members.
    New {
        /// How many.
        size: u64,
    },
    /// Something about a token.
    Token {
        /// The token.
        token: String,
        /// What.
        what: Of,
    },
    /// Whether the service is well.
    Health,
    /// What it measures.
    Metrics,
}

/// What is asked about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// To read it, its size or a member.
    Read(Read),
    /// To wait for the next registration.
    Wait(WatchRequest),
    /// To register a member.
    Register(KeysRequest),
    /// The page for browsers.
    Page,
}

/// Reads a request. `body` is what was sent, up to [`BODY_LIMIT`] bytes and one more.
pub fn read(head: &Head, body: &[u8]) -> Ask {
    // Judged after decoding: an escape hides nothing.
    let Ok(decoded) = path::decode(head.path.as_bytes()) else { return Ask::Answer(bad("path")) };
    let Ok(path) = str::from_utf8(&decoded) else { return Ask::Answer(bad("path")) };
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: alloc::vec::Vec<&str> = path.split('/').skip(1).collect();
    let reads = head.method == Method::Get;
    match (&parts[..], reads) {
        (["new"], true) => match size(head) {
            Some(size) => Ask::New { size },
            None => Ask::Answer(bad("size")),
        },
        (["health"], true) => Ask::Health,
        (["metrics"], true) => Ask::Metrics,
        ([token], true) if is_token(token) => of(token, directory(head, token)),
        ([token, "_config", "size"], true) if is_token(token) => {
            of(token, get(&format!("{token}/_config/size")))
        }
        ([token, id], true) if is_token(token) && is_id(id) => of(token, member(head, token, id)),
        ([token, id], false) if head.method == Method::Put && is_token(token) && is_id(id) => {
            match register(head, body, token, id) {
                Ok(request) => of(token, Of::Register(request)),
                Err(refusal) => Ask::Answer(refusal),
            }
        }
        (_, true) => Ask::Answer(reply::not_found()),
        (_, false) => Ask::Answer(reply::method_not_allowed(&[Method::Get, Method::Put])),
    }
}

/// A token made of random bytes.
pub fn token(entropy: &[u8; 32]) -> String {
    entropy[..TOKEN_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The writes that make a token, in their order.
pub fn make(token: &str, size: u64, rules: &Rules) -> [KeysRequest; 2] {
    let size = Bytes::from(size.to_string());
    [touch(token, rules), put(&format!("{REGISTRY}/{token}/_config/size"), size)]
}

/// The write that keeps a token alive.
pub fn touch(token: &str, rules: &Rules) -> KeysRequest {
    let ttl_s = Some(rules.token_ttl.as_secs().max(1));
    let value = Bytes::from_static(b"1");
    KeysRequest { ttl_s, prev_exist: None, ..put(&format!("{ACTIVITY}/{token}"), value) }
}

/// The answer to who has made a token.
pub fn made(token: &str, rules: &Rules) -> Reply {
    reply::text(200, format!("{}/{token}", rules.public_url))
}

/// The answer to who asks too much.
pub fn too_many() -> Reply {
    reply::text(429, "too many requests from this address\n")
}

/// The end of waiting for a token that is gone: a poll that is told so asks for the token again,
/// and finds none. An event would be taken for a registration.
pub fn gone(index: u64) -> Reply {
    let cause = String::new();
    Error::from(&store::Error { code: store::Code::EventIndexCleared, cause, index }).reply(None)
}

/// Whether the service is well, by what the cluster that keeps its tokens said when it was asked:
/// that there are none yet is fine.
pub fn health(said: &Answer) -> Reply {
    let read = Said::read(said);
    health::said(matches!(read, Ok(Said::Node { .. } | Said::Error { code: 100, .. })))
}

fn of(token: &str, what: Of) -> Ask {
    Ask::Token { token: token.into(), what }
}

fn get(rest: &str) -> Of {
    Of::Read(Read { path: format!("{KEYS}/{REGISTRY}/{rest}"), recursive: false })
}

fn directory(head: &Head, token: &str) -> Of {
    if let Some(since) = waits(head) {
        let path = format!("{KEYS}/{REGISTRY}/{token}");
        return Of::Wait(WatchRequest { path, recursive: true, stream: false, since });
    }
    let html = |accept: &str| accept.split(',').any(|kind| kind.trim().starts_with("text/html"));
    if head.header("accept").is_some_and(html) { Of::Page } else { get(token) }
}

fn member(head: &Head, token: &str, id: &str) -> Of {
    match waits(head) {
        Some(since) => {
            let path = format!("{KEYS}/{REGISTRY}/{token}/{id}");
            Of::Wait(WatchRequest { path, recursive: false, stream: false, since })
        }
        None => get(&format!("{token}/{id}")),
    }
}

/// From which index on it is waited for a change, if it is.
fn waits(head: &Head) -> Option<u64> {
    let wait = parameter(head, "wait").is_some_and(|wait| wait == "true");
    let since = parameter(head, "waitIndex").and_then(|index| index.parse().ok());
    wait.then(|| since.unwrap_or_default())
}

fn parameter(head: &Head, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(head.query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn size(head: &Head) -> Option<u64> {
    let Some(text) = parameter(head, "size") else { return Some(DEFAULT_SIZE) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|size| digits && (1..=LARGEST_SIZE).contains(size))
}

fn register(head: &Head, body: &[u8], token: &str, id: &str) -> Result<KeysRequest, Reply> {
    if parameter(head, "prevExist").is_none_or(|exist| exist != "false") {
        return Err(reply::method_not_allowed(&[Method::Get]));
    }
    if body.len() > BODY_LIMIT {
        return Err(reply::text(413, "the registration is too long\n"));
    }
    let value = form_urlencoded::parse(body).find(|(name, _)| name == "value");
    let (_, value) = value.ok_or_else(|| bad("value"))?;
    let one = InitialCluster::parse(&value).is_ok_and(|list| list.len() == 1);
    if !one || value.len() > VALUE_LIMIT || value.chars().any(char::is_control) {
        return Err(bad("value"));
    }
    let path = format!("{REGISTRY}/{token}/{id}");
    Ok(put(&path, Bytes::copy_from_slice(value.as_bytes())))
}

/// Writes a key that must not exist.
fn put(path: &str, value: Bytes) -> KeysRequest {
    let path = format!("{KEYS}/{path}");
    KeysRequest { value, prev_exist: Some(false), ..KeysRequest::new(Verb::Put, path) }
}

fn bad(what: &str) -> Reply {
    reply::text(400, format!("bad {what}\n"))
}

fn is_token(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
