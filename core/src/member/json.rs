//! Members as JSON: what etcd writes into its store, into the context of configuration changes
//! and into answers on the peer port.
//!
//! The texts are compared by no one, but they are kept: the store's dump and the event history of
//! all members have to agree byte for byte, so what is written here is exactly what etcd's
//! encoder writes. Reading is lenient: absent and `null` lists are empty, unknown keys are
//! skipped.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Deserialize;

use super::Member;
use crate::go_json;
use crate::id::MemberId;
use crate::url::Url;

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON of the expected shape.
    #[error("{0}")]
    Malformed(String),
    /// A peer URL in it is none.
    #[error("{0}")]
    Url(#[from] crate::url::UrlError),
    /// It is longer than any list of members.
    #[error("longer than {TEXT_MAX} bytes")]
    TooLong,
}

/// Longer texts, in bytes, are not believed to tell of members, and are not looked into.
pub const TEXT_MAX: usize = 1024 * 1024;

/// The value of `/0/members/<id>/raftAttributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftAttributes {
    /// The peer URLs.
    pub peer_urls: Vec<Url>,
    /// Whether the member only receives the log (etcd 3.4).
    pub learner: bool,
}

/// The value of `/0/members/<id>/attributes`: what a member publishes of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Its name.
    pub name: String,
    /// Its client URLs, as they were given.
    pub client_urls: Vec<String>,
}

/// The context of a configuration change that adds, updates or promotes a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The member; its name is set in the first entries of a cluster only.
    pub member: Member,
    /// Whether a learner becomes a voter; the URLs are empty then.
    pub promote: bool,
}

impl RaftAttributes {
    /// The text that etcd stores.
    pub fn encode(&self) -> String {
        let mut out = String::from("{");
        push_peer_urls(&mut out, &self.peer_urls);
        if self.learner {
            out.push_str(",\"isLearner\":true");
        }
        out.push('}');
        out
    }

    /// Reads the text.
    ///
    /// # Errors
    /// It is not JSON of that shape, or a URL in it is none.
    pub fn decode(text: &[u8]) -> Result<Self, JsonError> {
        let raw: RawMember = from_slice(text)?;
        Ok(Self { peer_urls: parse_urls(raw.peer_urls)?, learner: raw.learner.unwrap_or(false) })
    }
}

impl Attributes {
    /// The text that etcd 3.4 stores: it writes published values anew, so any other form would
    /// make the stores of members differ.
    pub fn encode(&self) -> String {
        let mut out = String::from("{");
        push_attributes(&mut out, &self.name, &self.client_urls);
        out.push('}');
        out
    }

    /// Reads the text.
    ///
    /// # Errors
    /// It is not JSON of that shape.
    pub fn decode(text: &[u8]) -> Result<Self, JsonError> {
        let raw: RawMember = from_slice(text)?;
        Ok(Self {
            name: raw.name.unwrap_or_default(),
            client_urls: raw.client_urls.unwrap_or_default(),
        })
    }
}

impl Context {
    /// The text that etcd puts into the configuration change.
    pub fn encode(&self) -> String {
        if self.promote {
            return format!("{{\"id\":{},\"peerURLs\":null,\"isPromote\":true}}", self.member.id.0);
        }
        encode_member(&self.member)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// It is not JSON of that shape, or a URL in it is none.
    pub fn decode(text: &[u8]) -> Result<Self, JsonError> {
        let raw: RawMember = from_slice(text)?;
        let promote = raw.promote.unwrap_or(false);
        Ok(Self { member: raw.into_member()?, promote })
    }
}

/// A member as the context of a configuration change and as an element of [`encode_members`].
pub fn encode_member(member: &Member) -> String {
    let mut out = String::new();
    push_member(&mut out, member);
    out
}

/// The body of `GET /members` on the peer port, without the final line feed: all members in
/// ascending order of their IDs, which are decimal here.
pub fn encode_members<'a>(members: impl IntoIterator<Item = &'a Member>) -> String {
    let mut members: Vec<&Member> = members.into_iter().collect();
    members.sort_by_key(|member| member.id);
    let mut out = String::from("[");
    for (i, member) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_member(&mut out, member);
    }
    out.push(']');
    out
}

/// Reads the body of `GET /members`.
///
/// # Errors
/// It is not JSON of that shape, a URL in it is none, or it is longer than [`TEXT_MAX`].
pub fn decode_members(text: &[u8]) -> Result<Vec<Member>, JsonError> {
    let raw: Option<Vec<RawMember>> = from_slice(text)?;
    raw.unwrap_or_default().into_iter().map(RawMember::into_member).collect()
}

fn push_member(out: &mut String, member: &Member) {
    out.push_str("{\"id\":");
    out.push_str(&member.id.0.to_string());
    out.push(',');
    push_peer_urls(out, &member.peer_urls);
    if member.learner {
        out.push_str(",\"isLearner\":true");
    }
    let mut attributes = String::new();
    push_attributes(&mut attributes, &member.name, &member.client_urls);
    if !attributes.is_empty() {
        out.push(',');
        out.push_str(&attributes);
    }
    out.push('}');
}

fn push_peer_urls(out: &mut String, urls: &[Url]) {
    out.push_str("\"peerURLs\":");
    push_list(out, urls.iter().map(Url::as_str));
}

fn push_attributes(out: &mut String, name: &str, client_urls: &[String]) {
    if !name.is_empty() {
        out.push_str("\"name\":");
        push_string(out, name);
    }
    if !client_urls.is_empty() {
        if !name.is_empty() {
            out.push(',');
        }
        out.push_str("\"clientURLs\":");
        push_list(out, client_urls.iter().map(String::as_str));
    }
}

fn push_string(out: &mut String, text: &str) {
    go_json::write_string(out, text.as_bytes()).expect("a string takes everything");
}

fn push_list<'a>(out: &mut String, items: impl Iterator<Item = &'a str>) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_string(out, item);
    }
    out.push(']');
}

/// The union of what the shapes above hold; `Option`, because `null` is the same as absent.
#[derive(Deserialize)]
struct RawMember {
    id: Option<u64>,
    #[serde(rename = "peerURLs")]
    peer_urls: Option<Vec<String>>,
    #[serde(rename = "isLearner")]
    learner: Option<bool>,
    #[serde(rename = "isPromote")]
    promote: Option<bool>,
    name: Option<String>,
    #[serde(rename = "clientURLs")]
    client_urls: Option<Vec<String>>,
}

impl RawMember {
    fn into_member(self) -> Result<Member, JsonError> {
        let id = match self.id {
            Some(id) if id != 0 => MemberId(id),
            _ => return Err(JsonError::Malformed("a member without ID".to_owned())),
        };
        let mut client_urls = self.client_urls.unwrap_or_default();
        client_urls.sort_unstable();
        Ok(Member {
            id,
            name: self.name.unwrap_or_default(),
            peer_urls: parse_urls(self.peer_urls)?,
            client_urls,
            learner: self.learner.unwrap_or(false),
        })
    }
}

fn parse_urls(texts: Option<Vec<String>>) -> Result<Vec<Url>, JsonError> {
    let texts = texts.unwrap_or_default();
    let mut urls = texts.iter().map(|text| Url::parse(text)).collect::<Result<Vec<_>, _>>()?;
    urls.sort_unstable();
    Ok(urls)
}

fn from_slice<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, JsonError> {
    if text.len() > TEXT_MAX {
        return Err(JsonError::TooLong);
    }
    serde_json::from_slice(text).map_err(|error| JsonError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests;
