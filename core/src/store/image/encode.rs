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

/// The version of the dump's form, which etcd has never changed.
const VERSION: u64 = 2;

/// About what an event takes in the dump, in bytes: a guess that spares most of the growing.
const EVENT_BYTES: usize = 192;

pub(super) fn encode(state: &State) -> Bytes {
    let events = (state.history.last() + 1 - state.history.start()) as usize;
    let mut json = Writer(Vec::with_capacity(events * EVENT_BYTES + 4 * CAPACITY as usize));
    json.raw("{\"Root\":");
    state.tree.walk(&mut Tree(&mut json));
    json.raw(",\"WatcherHub\":{\"EventHistory\":");
    history(&mut json, &state.history);
    json.raw("},");
    json.number("CurrentIndex", state.index);
    json.raw(",\"Stats\":");
    stats(&mut json, &state.stats);
    json.raw(",");
    json.number("CurrentVersion", VERSION);
    if !state.identity.is_empty() {
        json.raw(",");
        json.value(["Quorate", "QuorateHex"], &state.identity);
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
        json.raw("{");
        json.name("Path");
        json.string(path.as_bytes());
        json.raw(",");
        json.number("CreatedIndex", node.created);
        json.raw(",");
        json.number("ModifiedIndex", node.modified);
        json.raw(",");
        json.name("ExpireTime");
        match node.expires {
            Some(time) => json.display(Rfc3339(time)),
            None => json.display(NEVER),
        }
        json.raw(",");
        json.value(["Value", "ValueHex"], node.value().map_or(&[], |value| value));
        json.raw(",\"Children\":");
        json.raw(if node.directory().is_some() { "{" } else { "null}" });
    }

    fn leave(&mut self) {
        self.0.raw("}}");
    }
}

fn history(json: &mut Writer, history: &History) {
    let (start, end) = (history.start(), history.last() + 1);
    json.raw("{\"Queue\":{\"Events\":[");
    let unused = core::iter::repeat(None);
    for (at, slot) in history.slots().chain(unused).take(CAPACITY as usize).enumerate() {
        if at > 0 {
            json.raw(",");
        }
        match slot {
            Some(kept) => event(json, kept),
            None => json.raw("null"),
        }
    }
    json.raw("],");
    json.number("Size", end - start);
    json.raw(",");
    json.number("Front", slot(start) as u64);
    json.raw(",");
    json.number("Back", slot(end) as u64);
    json.raw(",");
    json.number("Capacity", CAPACITY);
    json.raw("},");
    json.number("StartIndex", if history.last() == 0 { 0 } else { start });
    json.raw(",");
    json.number("LastIndex", history.last());
    json.raw("}");
}

/// An event in the form of the API, but with store paths and without the remaining time to live,
/// which is a matter of when it is asked for.
fn event(json: &mut Writer, event: &Event) {
    json.raw("{");
    json.name("action");
    json.string(event.action.name().as_bytes());
    json.raw(",\"node\":");
    view(json, &event.node);
    if let Some(prev) = &event.prev {
        json.raw(",\"prevNode\":");
        view(json, prev);
    }
    if event.refresh {
        json.raw(",\"refresh\":true");
    }
    json.raw("}");
}

fn view(json: &mut Writer, view: &NodeView) {
    json.raw("{");
    json.name("key");
    json.string(view.path.as_bytes());
    if let Some(value) = &view.value {
        json.raw(",");
        json.value(["value", "valueHex"], value);
    }
    if view.dir {
        json.raw(",\"dir\":true");
    }
    if let Some(time) = view.expiration {
        json.raw(",");
        json.name("expiration");
        json.display(Rfc3339(time));
    }
    for (name, index) in
        [("modifiedIndex", view.modified_index), ("createdIndex", view.created_index)]
    {
        if index != 0 {
            json.raw(",");
            json.number(name, index);
        }
    }
    json.raw("}");
}

fn stats(json: &mut Writer, stats: &Stats) {
    json.raw("{");
    for (name, count) in stats.named() {
        json.number(name, count);
        json.raw(",");
    }
    // Watchers are of the member that dumps, and not of the state.
    json.number("watchers", 0);
    json.raw("}");
}
