//! A service with one token. It knows no time: a watch is answered at once, with what there is or
//! as one that has waited too long.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::super::super::answer::Entry;
use super::TOKEN;
use crate::disk::double::Dice;
use crate::http::{Answer, Call, Method};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It is answered.
    Served,
    /// It does not arrive.
    Lost,
    /// It is carried out, and its answer does not arrive.
    AnswerLost,
    /// The service says that it cannot.
    Unavailable,
    /// It answers as if it had done it.
    Forgotten,
}

impl Fate {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        [Self::Lost, Self::AnswerLost, Self::Unavailable, Self::Forgotten][dice.below(4)]
    }
}

pub(super) struct Service {
    size: usize,
    members: Vec<Entry>,
    index: u64,
}

impl Service {
    pub(super) const fn new(size: usize) -> Self {
        Self { size, members: Vec::new(), index: 3 }
    }

    pub(super) fn answer(&mut self, call: &Call, fate: Fate) -> Result<Answer, String> {
        match fate {
            Fate::Lost => return Err("connection refused".to_owned()),
            Fate::Unavailable => return Ok(self.said(503, "")),
            Fate::Forgotten if call.method == Method::Put => {
                return Ok(self.said(201, r#"{"action":"create","node":{"createdIndex":9}}"#));
            }
            Fate::Served | Fate::AnswerLost | Fate::Forgotten => {}
        }
        let answer = self.carry_out(call);
        if matches!(fate, Fate::AnswerLost) { Err("reset".to_owned()) } else { Ok(answer) }
    }

    fn said(&self, status: u16, body: &str) -> Answer {
        let headers = vec![("x-etcd-index".to_owned(), self.index.to_string())];
        Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn carry_out(&mut self, call: &Call) -> Answer {
        let rest = call.url.strip_prefix(TOKEN).expect("it asks for the token");
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        match (call.method, path) {
            (Method::Get, "/_config/size") => self.said(
                200,
                &format!(r#"{{"node":{{"key":"/t/_config/size","value":"{}"}}}}"#, self.size),
            ),
            (Method::Get, "") if query.contains("wait=true") => {
                let since = query.rsplit_once('=').and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
                match self.members.iter().find(|entry| entry.created >= since) {
                    Some(entry) => {
                        self.said(200, &format!(r#"{{"action":"create","node":{}}}"#, node(entry)))
                    }
                    None => self.said(200, ""),
                }
            }
            (Method::Get, "") => {
                let nodes: Vec<String> = self.members.iter().rev().map(node).collect();
                self.said(
                    200,
                    &format!(
                        r#"{{"node":{{"key":"/t","dir":true,"nodes":[{}]}}}}"#,
                        nodes.join(",")
                    ),
                )
            }
            (Method::Put, path) => {
                assert_eq!(query, "prevExist=false");
                let key = path.trim_start_matches('/').to_owned();
                if self.members.iter().any(|entry| entry.key == key) {
                    return self.said(412, r#"{"errorCode":105,"message":"Key already exists"}"#);
                }
                let value = form_urlencoded::parse(&call.body).next().expect("a value").1;
                self.index += 1;
                self.members.push(Entry { key, value: value.into_owned(), created: self.index });
                self.said(201, r#"{"action":"create","node":{}}"#)
            }
            (method, path) => panic!("{method:?} {path}"),
        }
    }
}

fn node(entry: &Entry) -> String {
    let Entry { key, value, created } = entry;
    format!(r#"{{"key":"/t/{key}","value":"{value}","createdIndex":{created}}}"#)
}
