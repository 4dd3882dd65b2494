//! Writing the dump.

use alloc::vec::Vec;

use bytes::Bytes;

use super::State;
use super::json::Writer;
use crate::store::event::{Event, NodeView};
use crate::store::history::{CAPACITY, History, slot};
use crate::store::stats::Stats;
use crate::store::tree::{Node, Visitor};
use crate::time::rfc3339::Rfc3339;

/// How etcd writes the expiry of a node that has none.
pub(super) const NEVER: &str = "0001-01-01T00:00:00Z";
const NEVER_TEXT: &str = "\"0001-01-01T00:00:00Z\"";

/// The version of the dump's form, which etcd has never changed.
const VERSION: u64 = 2;

/// About what an event and a node take in the dump, in bytes: guesses that spare most of the
/// growing.
const EVENT_BYTES: usize = 256;
const NODE_BYTES: usize = 192;

pub(super) fn encode(state: &State) -> Bytes {
    let events = (state.history.last() + 1 - state.history.start()) as usize;
    let nodes = state.tree.node_count();
    let about = events * EVENT_BYTES + nodes * NODE_BYTES + 4 * CAPACITY as usize;
    let mut json = Writer(Vec::with_capacity(about));
    json.raw(r#"{"Root":"#);
    state.tree.walk(&mut Tree(&mut json));
    json.raw(r#","WatcherHub":{"EventHistory":"#);
    history(&mut json, &state.history);
    json.raw(r#"},"CurrentIndex":"#);
    json.number(state.index);
    json.raw(r#","Stats":"#);
    stats(&mut json, &state.stats);
    json.raw(r#","CurrentVersion":"#);
    json.number(VERSION);
    if !state.identity.is_empty() {
        json.raw(r#","Quorate":"#);
        json.value(&state.identity, r#","QuorateHex":"#);
    }
    json.raw("}");
    Bytes::from(json.0)
}

/// Writes nodes into each other.
struct Tree<'a>(&'a mut Writer);

impl Visitor for Tree<'_> {
    fn enter(&mut self, name: &str, path: &str, node: &Node, first: bool) {
        let Self(json) = self;
        if !first {
            json.raw(",");
        }
        if path != "/" {
            json.string(name.as_bytes());
            json.raw(":");
        }
        json.raw(r#"{"Path":"#);
        json.string(path.as_bytes());
        json.raw(r#","CreatedIndex":"#);
        json.number(node.created);
        json.raw(r#","ModifiedIndex":"#);
        json.number(node.modified);
        json.raw(r#","ExpireTime":"#);
        match node.expires {
            Some(time) => json.display(Rfc3339(time)),
            None => json.raw(NEVER_TEXT),
        }
        json.raw(r#","Value":"#);
        json.value(node.value().map_or(&[], |value| value), r#","ValueHex":"#);
        json.raw(r#","Children":"#);
        json.raw(if node.directory().is_some() { "{" } else { "null}" });
    }

    fn leave(&mut self) {
        self.0.raw("}}");
    }
}

fn history(json: &mut Writer, history: &History) {
    let (start, end) = (history.start(), history.last() + 1);
    json.raw(r#"{"Queue":{"Events":["#);
    for (at, slot) in history.slots().enumerate() {
        if at > 0 {
            json.raw(",");
        }
        match slot {
            Some(kept) => event(json, kept),
            None => json.raw("null"),
        }
    }
    json.raw(r#"],"Size":"#);
    json.number(end - start);
    json.raw(r#","Front":"#);
    json.number(slot(start) as u64);
    json.raw(r#","Back":"#);
    json.number(slot(end) as u64);
    json.raw(r#","Capacity":"#);
    json.number(CAPACITY);
    json.raw(r#"},"StartIndex":"#);
    json.number(if history.last() == 0 { 0 } else { start });
    json.raw(r#","LastIndex":"#);
    json.number(history.last());
    json.raw("}");
}

/// An event in the form of the API, but with store paths and without the remaining time to live,
/// which is a matter of when it is asked for.
fn event(json: &mut Writer, event: &Event) {
    json.raw(r#"{"action":"#);
    json.string(event.action.name().as_bytes());
    json.raw(r#","node":"#);
    view(json, &event.node);
    if let Some(prev) = &event.prev {
        json.raw(r#","prevNode":"#);
        view(json, prev);
    }
    if event.refresh {
        json.raw(r#","refresh":true"#);
    }
    json.raw("}");
}

fn view(json: &mut Writer, view: &NodeView) {
    json.raw(r#"{"key":"#);
    json.string(view.path.as_bytes());
    if let Some(value) = &view.value {
        json.raw(r#","value":"#);
        json.value(value, r#","valueHex":"#);
    }
    if view.dir {
        json.raw(r#","dir":true"#);
    }
    if let Some(time) = view.expiration {
        json.raw(r#","expiration":"#);
        json.display(Rfc3339(time));
    }
    for (name, index) in
        [(r#","modifiedIndex":"#, view.modified_index), (r#","createdIndex":"#, view.created_index)]
    {
        if index != 0 {
            json.raw(name);
            json.number(index);
        }
    }
    json.raw("}");
}

fn stats(json: &mut Writer, stats: &Stats) {
    json.raw("{");
    for (name, count) in stats.named() {
        json.string(name.as_bytes());
        json.raw(":");
        json.number(count);
        json.raw(",");
    }
    // Watchers are of the member that dumps, and not of the state.
    json.raw(r#""watchers":0}"#);
}
