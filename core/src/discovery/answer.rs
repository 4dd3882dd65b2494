//! What a service answers, in the JSON of the v2 API.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Deserialize;

use crate::http::Answer;

/// A key of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last component of its path.
    pub key: String,
    /// Its value; empty for a directory.
    pub value: String,
    /// When it was created; later ones have higher indexes.
    pub created: u64,
}

/// The content of a token's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The registrations, in the order of their creation.
    pub entries: Vec<Entry>,
    /// The service's index at the time of the answer.
    pub index: u64,
}

/// An answer in the form of the v2 API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A key, or what happened to one.
    Node {
        /// The key itself.
        entry: Entry,
        /// When it was changed.
        modified: u64,
        /// What is below it.
        below: Vec<Entry>,
        /// `X-Etcd-Index`
        index: u64,
    },
    /// It cannot be done.
    Error {
        /// etcd's number for it.
        code: u64,
        /// What it says.
        message: String,
        /// The path or value that it is about.
        cause: String,
    },
}

/// Why an answer is none that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It may go away; the cause in words.
    Passing(String),
    /// What answers there is no discovery service; what it answered instead.
    NotTheService(String),
    /// It is one, and refuses to be asked; its words.
    Refused(String),
}

#[derive(Deserialize)]
struct Raw {
    node: Option<RawNode>,
    #[serde(rename = "errorCode")]
    code: Option<u64>,
    message: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
struct RawNode {
    key: Option<String>,
    value: Option<String>,
    nodes: Option<Vec<Self>>,
    #[serde(rename = "createdIndex")]
    created: Option<u64>,
    #[serde(rename = "modifiedIndex")]
    modified: Option<u64>,
}

impl RawNode {
    fn entry(self) -> (Entry, Vec<Self>) {
        let path = self.key.unwrap_or_default();
        let key = path.rsplit('/').next().unwrap_or_default().to_string();
        let value = self.value.unwrap_or_default();
        let created = self.created.unwrap_or_default();
        (Entry { key, value, created }, self.nodes.unwrap_or_default())
    }
}

impl Said {
    /// Reads an answer.
    pub(super) fn read(answer: &Answer) -> Result<Self, Trouble> {
        let status = answer.status;
        let raw = serde_json::from_slice::<Raw>(&answer.body).ok();
        let said = raw.as_ref().and_then(|raw| raw.message.clone()).unwrap_or_default();
        let words = if said.is_empty() {
            format!("it answered with status {status}")
        } else {
            format!("it answered with status {status}: {said}")
        };
        // 408 and 429 say that the time is wrong, and not the request.
        if status >= 500 || matches!(status, 408 | 429) {
            return Err(Trouble::Passing(words));
        }
        if matches!(status, 401 | 403 | 407) {
            return Err(Trouble::Refused(words));
        }
        match raw {
            Some(Raw { code: Some(code), message, cause, .. }) => Ok(Self::Error {
                code,
                message: message.unwrap_or_default(),
                cause: cause.unwrap_or_default(),
            }),
            Some(Raw { node: Some(node), .. }) if matches!(status, 200 | 201) => {
                let modified = node.modified.unwrap_or_default();
                let (entry, below) = node.entry();
                let below = below.into_iter().map(|node| node.entry().0).collect();
                let index = answer.header("x-etcd-index").and_then(|text| text.parse().ok());
                Ok(Self::Node { entry, modified, below, index: index.unwrap_or_default() })
            }
            // A server that stops ends a poll like this.
            None if status == 200 && answer.body.is_empty() => {
                Err(Trouble::Passing("its answer is empty".to_string()))
            }
            _ => Err(Trouble::NotTheService(words)),
        }
    }
}

impl Listing {
    /// The registrations among what is below a token. What begins with an underscore is hidden.
    pub(super) fn new(below: Vec<Entry>, index: u64) -> Self {
        let mut entries: Vec<Entry> =
            below.into_iter().filter(|entry| !entry.key.starts_with('_')).collect();
        entries.sort_by(|a, b| (a.created, &a.key).cmp(&(b.created, &b.key)));
        // A key is created once; a service that tells of it twice means the same one.
        entries.dedup_by(|a, b| a.key == b.key);
        Self { entries, index }
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        let headers = vec![("x-etcd-index".to_owned(), "7".to_owned())];
        Answer { status, headers, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn a_listing_is_sorted_by_creation_and_hides_the_hidden() {
        let body = r#"{"action":"get","node":{"key":"/d/t","dir":true,"nodes":[
            {"key":"/d/t/b","value":"2","modifiedIndex":9,"createdIndex":6},
            {"key":"/d/t/_config","dir":true,"modifiedIndex":4,"createdIndex":4},
            {"key":"/d/t/a","value":"1","modifiedIndex":5,"createdIndex":5},
            {"key":"/d/t/a","value":"1","modifiedIndex":5,"createdIndex":5}],
            "modifiedIndex":4,"createdIndex":4}}"#;
        let Ok(Said::Node { below, index, .. }) = Said::read(&answer(200, body)) else {
            panic!("it is a directory");
        };
        let listing = Listing::new(below, index);
        let entry = |key: &str, value: &str, created| Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            created,
        };
        assert_eq!(listing.entries, [entry("a", "1", 5), entry("b", "2", 6)]);
        assert_eq!(listing.index, 7);
    }

    #[test]
    fn what_may_go_away_is_told_from_what_will_not() {
        let leader = r#"{"errorCode":300,"message":"Raft Internal Error","cause":"","index":0}"#;
        for (status, body, trouble) in [
            (503, "", Trouble::Passing("it answered with status 503".to_owned())),
            (
                500,
                leader,
                Trouble::Passing("it answered with status 500: Raft Internal Error".to_owned()),
            ),
            (429, "", Trouble::Passing("it answered with status 429".to_owned())),
            (200, "", Trouble::Passing("its answer is empty".to_owned())),
            (200, "<html>", Trouble::NotTheService("it answered with status 200".to_owned())),
            (200, "{}", Trouble::NotTheService("it answered with status 200".to_owned())),
            (
                404,
                "404 page not found\n",
                Trouble::NotTheService("it answered with status 404".to_owned()),
            ),
            (
                401,
                r#"{"message":"no"}"#,
                Trouble::Refused("it answered with status 401: no".to_owned()),
            ),
        ] {
            assert_eq!(Said::read(&answer(status, body)), Err(trouble), "{status} {body}");
        }
        let missing = r#"{"errorCode":100,"message":"Key not found","cause":"/t","index":5}"#;
        let Ok(Said::Error { code: 100, cause, .. }) = Said::read(&answer(404, missing)) else {
            panic!("it is an error of the API");
        };
        assert_eq!(cause, "/t");
    }
}
