//! Tokens with which nobody has registered in a long time.
//!
//! A token lives as long as its activity, a key beside it whose time to live begins anew with each
//! registration. Without it the token is answered as one that never was; its directory goes later,
//! when no poll can be waiting for it any more, so that no member takes its removal for a
//! registration.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ACTIVITY, KEYS, REGISTRY, put};
use crate::api::read::Read;
use crate::api::{KeysRequest, Verb};
use crate::discovery::answer::Said;
use crate::http::Answer;

/// What is read to know whether a token is alive: it is if this is there.
pub fn activity(token: &str) -> Read {
    Read { path: format!("{KEYS}/{ACTIVITY}/{token}"), recursive: false }
}

/// Finds the tokens that are to be removed: those that were without activity in two sweeps in a
/// row, between which every poll of them has ended.
#[derive(Debug, Default)]
pub struct Sweep {
    idle: BTreeSet<String>,
}

impl Sweep {
    /// What is read for a sweep, in this order: a token is made with its activity first.
    pub fn reads() -> [Read; 2] {
        [REGISTRY, ACTIVITY].map(|path| Read { path: format!("{KEYS}/{path}"), recursive: false })
    }

    /// Sweeps once, by the answers to [`Sweep::reads`]. Nothing follows from one that failed.
    pub fn sweep(&mut self, [registry, activity]: &[Answer; 2]) -> Vec<KeysRequest> {
        let (Some(registry), Some(active)) = (children(registry), children(activity)) else {
            return Vec::new();
        };
        let idle: BTreeSet<String> =
            registry.into_iter().filter(|token| !active.contains(token)).collect();
        let before = core::mem::replace(&mut self.idle, idle);
        let gone = self.idle.iter().filter(|token| before.contains(*token));
        gone.map(|token| remove(&format!("{REGISTRY}/{token}"))).collect()
    }
}

fn remove(path: &str) -> KeysRequest {
    let nothing = put(path, bytes::Bytes::new());
    KeysRequest { verb: Verb::Delete, prev_exist: None, dir: true, recursive: true, ..nothing }
}

/// The names below a directory; none of one that was never made.
fn children(answer: &Answer) -> Option<BTreeSet<String>> {
    match Said::read(answer) {
        Ok(Said::Node { below, .. }) => Some(below.into_iter().map(|entry| entry.key).collect()),
        Ok(Said::Error { code: 100, .. }) => Some(BTreeSet::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn listing(tokens: &[&str]) -> Answer {
        let node = |token: &&str| format!(r#"{{"key":"/_etcd/x/{token}"}}"#);
        let nodes: Vec<String> = tokens.iter().map(node).collect();
        let body = format!(r#"{{"action":"get","node":{{"nodes":[{}]}}}}"#, nodes.join(","));
        Answer { status: 200, headers: Vec::new(), body: Bytes::from(body) }
    }

    fn failure(status: u16, body: &'static str) -> Answer {
        Answer { status, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn only_what_is_idle_in_two_sweeps_in_a_row_goes() {
        let mut sweep = Sweep::default();
        let mut swept = |registry: &[&str], active: Answer| -> Vec<String> {
            let removals = sweep.sweep(&[listing(registry), active]);
            removals.into_iter().map(|removal| removal.path).collect()
        };
        let path = |token: &str| format!("/1/_etcd/registry/{token}");
        assert_eq!(swept(&["a", "b", "c"], listing(&["a"])), [""; 0]);
        assert_eq!(swept(&["a", "b", "c"], listing(&["b"])), [path("c")]);
        // That nothing is active is heard, and not concluded from an answer that failed.
        assert_eq!(swept(&["a", "b"], failure(503, "")), [""; 0]);
        let none = r#"{"errorCode":100,"message":"Key not found","cause":"/_etcd/activity"}"#;
        assert_eq!(swept(&["a", "b"], failure(404, none)), [path("a")]);
        assert_eq!(swept(&["a", "b"], failure(404, none)), [path("a"), path("b")]);
    }
}
