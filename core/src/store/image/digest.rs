//! A checksum of the replicated state.

use crc32fast::Hasher;

use super::State;
use crate::store::event::{Event, NodeView};
use crate::store::tree::{Node, Visitor};

/// The checksum of everything that two members have to have in common.
pub(super) fn digest(state: &State) -> u32 {
    let mut digest = Digest(Hasher::new());
    digest.number(state.index);
    for (_, count) in state.stats.named() {
        digest.number(count);
    }
    digest.bytes(&state.identity);
    state.tree.walk(&mut digest);
    digest.number(state.history.start());
    digest.number(state.history.last());
    for index in state.history.start()..=state.history.last() {
        if let Some(event) = state.history.event(index) {
            digest.event(event);
        }
    }
    digest.0.finalize()
}

/// Every part is hashed with its length or presence, so that no two contents run together.
struct Digest(Hasher);

impl Digest {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.0.update(&[u8::from(bytes.is_some())]);
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    fn expiry(&mut self, expires: Option<i64>) {
        self.optional(expires.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn event(&mut self, event: &Event) {
        self.bytes(event.action.name().as_bytes());
        self.number(event.index);
        self.0.update(&[u8::from(event.refresh), u8::from(event.prev.is_some())]);
        for view in [Some(&event.node), event.prev.as_ref()].into_iter().flatten() {
            self.view(view);
        }
    }

    fn view(&mut self, view: &NodeView) {
        self.bytes(view.path.as_bytes());
        self.optional(view.value.as_deref());
        self.0.update(&[u8::from(view.dir)]);
        self.expiry(view.expiration);
        self.number(view.modified_index);
        self.number(view.created_index);
    }
}

impl Visitor for Digest {
    fn enter(&mut self, name: &str, _: &str, node: &Node, _: bool) {
        self.0.update(&[1]);
        self.bytes(name.as_bytes());
        self.optional(node.value().map(|value| &**value));
        self.expiry(node.expires);
        self.number(node.modified);
        self.number(node.created);
    }

    fn leave(&mut self) {
        self.0.update(&[0]);
    }
}
