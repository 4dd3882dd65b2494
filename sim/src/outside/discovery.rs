//! A discovery service, as far as a member that joins through one can see: the keys below one
//! token of the v2 API.
//!
//! Sound unless it is told otherwise; then it is as bad as such services can be. It knows no time:
//! a call that waits is answered with what a later call has changed.

mod reply;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use quorate_core::http::{Answer, Call, Method};
use quorate_core::id::MemberId;
use serde::{Deserialize, Serialize};

use crate::members::token_path;
use crate::options::Options;

/// What is wrong with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It answers late: by this many milliseconds.
    Slow(u64),
    /// It answers with status 503 and does nothing.
    Unavailable,
    /// It does what it is asked, and the answer is lost.
    LosesAnswers,
    /// It answers as if it had stored a registration, and has not.
    Forgets,
    /// It lists each registration twice.
    Duplicates,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// It is answered, so many milliseconds later than usual.
    Answered(Answer, u64),
    /// It is carried out, and nobody hears of it.
    Lost,
    /// It waits for a change; the answer comes from [`Discovery::woken`] under this number.
    Waits(u64),
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Registered {
    value: String,
    index: u64,
}

/// The service, with one token.
#[derive(Debug)]
pub struct Discovery {
    token: String,
    size: Option<String>,
    members: BTreeMap<String, Registered>,
    index: u64,
    waiting: BTreeMap<u64, u64>,
    made: u64,
    trouble: Option<Trouble>,
}

impl Discovery {
    /// A service that knows the path `token`, such as `/TOKEN`, with this text as the size of its
    /// cluster; without one the token has no size.
    pub fn new(token: &str, size: Option<&str>) -> Self {
        Self {
            token: token.trim_end_matches('/').to_owned(),
            size: size.map(str::to_owned),
            members: BTreeMap::new(),
            index: 1,
            waiting: BTreeMap::new(),
            made: 0,
            trouble: None,
        }
    }

    /// The service of a run, with the token that its members are given.
    pub fn of(options: &Options) -> Self {
        Self::new(token_path(options), Some(&options.places().to_string()))
    }

    /// The service has this trouble from now on, or none.
    pub const fn trouble(&mut self, trouble: Option<Trouble>) {
        self.trouble = trouble;
    }

    /// Takes a call.
    pub fn serve(&mut self, call: &Call) -> Served {
        if self.trouble == Some(Trouble::Unavailable) {
            return Served::Answered(reply::unavailable(), 0);
        }
        let (path, query) = split(&call.url);
        let Some(key) = path.strip_prefix(&self.token) else {
            return self.answered(reply::missing(path, self.index));
        };
        let key = key.trim_start_matches('/');
        let answer = match (call.method, key) {
            (Method::Get, "_config/size") => self.size(path),
            (Method::Get, "") if has(query, "wait", "true") => return self.wait(query),
            (Method::Get, "") => self.directory(),
            (Method::Get, key) => self.member(key, path),
            (Method::Put, key) if !key.is_empty() && !key.contains('/') => {
                self.register(key, path, call, has(query, "prevExist", "false"))
            }
            _ => reply::method_not_allowed(),
        };
        self.answered(answer)
    }

    fn answered(&self, answer: Answer) -> Served {
        match self.trouble {
            Some(Trouble::LosesAnswers) => Served::Lost,
            Some(Trouble::Slow(ms)) => Served::Answered(answer, ms),
            _ => Served::Answered(answer, 0),
        }
    }

    /// The members that have registered first, as many as the cluster is to have; nobody as long as
    /// some are missing.
    pub fn first(&self) -> BTreeSet<MemberId> {
        let size = self.size.as_ref().and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
        let mut members: Vec<_> = self.members.iter().map(|(key, r)| (r.index, key)).collect();
        members.sort_unstable();
        if members.len() < size {
            return BTreeSet::new();
        }
        members.iter().take(size).filter_map(|(_, key)| MemberId::parse_hex(key)).collect()
    }

    /// The waiting calls that a registration has answered since the last time.
    pub fn woken(&mut self) -> Vec<(u64, Answer)> {
        let ready: Vec<(u64, u64)> = self
            .waiting
            .iter()
            .filter(|(_, from)| **from <= self.index)
            .map(|(n, f)| (*n, *f))
            .collect();
        let mut answers = Vec::new();
        for (number, from) in ready {
            if let Some(answer) = self.since(from) {
                self.waiting.remove(&number);
                answers.push((number, answer));
            }
        }
        answers
    }

    fn size(&self, path: &str) -> Answer {
        match &self.size {
            Some(size) => reply::node(200, "get", path, size, 1, self.index),
            None => reply::missing(path, self.index),
        }
    }

    fn directory(&self) -> Answer {
        let times = if self.trouble == Some(Trouble::Duplicates) { 2 } else { 1 };
        let nodes = self.members.iter().flat_map(|(key, registered)| {
            let path = format!("{}/{key}", self.token);
            std::iter::repeat_n((path, registered.value.clone(), registered.index), times)
        });
        reply::directory(&self.token, &nodes.collect::<Vec<_>>(), self.index)
    }

    fn member(&self, key: &str, path: &str) -> Answer {
        match self.members.get(key) {
            Some(r) => reply::node(200, "get", path, &r.value, r.index, self.index),
            None => reply::missing(path, self.index),
        }
    }

    fn register(&mut self, key: &str, path: &str, call: &Call, fresh: bool) -> Answer {
        if fresh && self.members.contains_key(key) {
            return reply::exists(path, self.index);
        }
        let value = value(&call.body);
        let index = self.index + 1;
        if self.trouble != Some(Trouble::Forgets) {
            self.index = index;
            self.members.insert(key.to_owned(), Registered { value: value.clone(), index });
        }
        let action = if fresh { "create" } else { "set" };
        reply::node(201, action, path, &value, index, index)
    }

    fn wait(&mut self, query: &str) -> Served {
        let from = query.split('&').find_map(|pair| pair.strip_prefix("waitIndex="));
        let from = from.and_then(|text| text.parse().ok()).unwrap_or(self.index + 1);
        match self.since(from) {
            Some(answer) => self.answered(answer),
            None => {
                self.made += 1;
                self.waiting.insert(self.made, from);
                Served::Waits(self.made)
            }
        }
    }

    /// The first registration at this index or later.
    fn since(&self, from: u64) -> Option<Answer> {
        let first =
            self.members.iter().filter(|(_, r)| r.index >= from).min_by_key(|(_, r)| r.index);
        let (key, r) = first?;
        let path = format!("{}/{key}", self.token);
        Some(reply::node(200, "create", &path, &r.value, r.index, self.index))
    }
}

/// The path and the query of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split_once('?').unwrap_or((path, ""))
}

fn has(query: &str, name: &str, value: &str) -> bool {
    query.split('&').any(|pair| pair.split_once('=') == Some((name, value)))
}

/// The field `value` of a form.
fn value(body: &[u8]) -> String {
    form_urlencoded::parse(body)
        .find(|(name, _)| name == "value")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
