//! Messages, requests and answers in few words.

use std::fmt::Write as _;

use quorate_core::api::{KeysRequest, Verb};
use quorate_core::raft::{Body, Entry, Message};

use super::{End, brief, message_kind};
use crate::workload::{Asked, Outcome};

/// What a message says, with its term.
pub fn message(message: &Message) -> String {
    let mut words = format!("term {} {}", message.term, message_kind(&message.body));
    // Writing to a string cannot fail.
    let _ = match &message.body {
        Body::Propose { entries } => write!(words, " of {} entries", entries.len()),
        Body::Append { prev, entries, commit } => {
            let last = entries.last().map_or(prev.index, |entry: &Entry| entry.index);
            let (index, term) = (prev.index, prev.term);
            write!(words, " after {index} of term {term} up to {last}, commit {commit}")
        }
        Body::Appended { index } | Body::Held { index } => write!(words, " up to {index}"),
        Body::AppendRejected { index, hint } => {
            write!(words, " at {index}, try {} of term {}", hint.index, hint.term)
        }
        Body::Vote { last, transfer, .. } => {
            let forced = if *transfer { ", asked for by the leader" } else { "" };
            write!(words, ", last is {} of term {}{forced}", last.index, last.term)
        }
        Body::VoteResponse { granted, .. } => {
            write!(words, " {}", if *granted { "granted" } else { "refused" })
        }
        Body::Snapshot(s) => {
            let (index, term, bytes) = (s.last.index, s.last.term, s.data.len());
            write!(words, " of {index} of term {term}, {bytes} bytes")
        }
        Body::Heartbeat { commit, .. } => write!(words, ", commit {commit}"),
        Body::ReadIndexResponse { index, .. } => write!(words, " {index}"),
        Body::HeartbeatResponse { .. }
        | Body::TransferLeader
        | Body::TimeoutNow
        | Body::ReadIndex { .. } => Ok(()),
    };
    words
}

/// What a client asks.
pub(super) fn asked(asked: &Asked) -> String {
    match asked {
        Asked::Keys(request) => keys(request),
        Asked::Read(request) => format!("{}, of this member alone", keys(request)),
        Asked::Watch(watch) => {
            let mut words = format!("watch {}", watch.path);
            if watch.recursive {
                words.push_str(" recursive");
            }
            if watch.stream {
                words.push_str(" stream");
            }
            if watch.since > 0 {
                let _ = write!(words, " waitIndex={}", watch.since);
            }
            words
        }
    }
}

fn keys(request: &KeysRequest) -> String {
    let verb = match request.verb {
        Verb::Get => "GET",
        Verb::Put => "PUT",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    };
    let mut words = format!("{verb} {}", request.path);
    if request.verb != Verb::Get && !request.value.is_empty() {
        let _ = write!(words, "={}", text(&request.value));
    }
    if let Some(value) = &request.prev_value {
        let _ = write!(words, " prevValue={}", text(value));
    }
    if request.prev_index > 0 {
        let _ = write!(words, " prevIndex={}", request.prev_index);
    }
    if let Some(exist) = request.prev_exist {
        let _ = write!(words, " prevExist={exist}");
    }
    if let Some(ttl) = request.ttl_s {
        let _ = write!(words, " ttl={ttl}");
    }
    if let Some(refresh) = request.refresh {
        let _ = write!(words, " refresh={refresh}");
    }
    let flags = [
        (request.dir, "dir"),
        (request.recursive, "recursive"),
        (request.sorted, "sorted"),
        (request.quorum, "quorum"),
    ];
    for (_, name) in flags.iter().filter(|(set, _)| *set) {
        let _ = write!(words, " {name}");
    }
    words
}

/// What came of a request.
pub(super) fn outcome(outcome: &Outcome) -> (End, String) {
    match outcome {
        Outcome::Answered { result: Ok(event), stamp } => {
            let node = &event.node;
            let value = node.value.as_ref().map(|v| format!("={}", text(v))).unwrap_or_default();
            let (action, path, changed) = (event.action, &node.path, node.modified_index);
            let index = stamp.store_index;
            let words = format!("{action:?} {path}{value} changed at {changed}, index {index}");
            (End::Done, words)
        }
        Outcome::Answered { result: Err(error), .. } => (End::Failed, brief(error)),
        Outcome::Refused => (End::Refused, String::new()),
        Outcome::Unknown => (End::Unknown, String::new()),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().take(60).collect()
}
