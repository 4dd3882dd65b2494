//! A checksum of the replicated state.

use alloc::vec::Vec;

use crc32fast::Hasher;

use super::State;
use crate::store::event::{Event, NodeView};
use crate::store::tree::{Node, Visitor};

/// The checksum of everything that two members have to have in common.
pub(super) fn digest(state: &State) -> u32 {
    let mut digest = Digest { hasher: Hasher::new(), pending: Vec::with_capacity(2 * PIECE) };
    digest.number(state.index);
    for (_, count) in state.stats.named() {
        digest.number(count);
    }
    digest.bytes(&state.identity);
    state.tree.walk(&mut digest);
    digest.number(state.history.start());
    digest.number(state.history.last());
    for event in state.history.slots().flatten() {
        digest.event(event);
    }
    digest.finish()
}

/// Bytes that are hashed in one go: the hasher takes long pieces much faster than many short ones.
const PIECE: usize = 4096;

/// Every part is hashed with its length or presence, so that no two contents run together.
struct Digest {
    hasher: Hasher,
    pending: Vec<u8>,
}

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
    }

    fn finish(mut self) -> u32 {
        self.hasher.update(&self.pending);
        self.hasher.finalize()
    }

    fn number(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.add(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.add(&[u8::from(bytes.is_some())]);
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
        self.add(&[u8::from(event.refresh), u8::from(event.prev.is_some())]);
        for view in [Some(&event.node), event.prev.as_ref()].into_iter().flatten() {
            self.view(view);
        }
    }

    fn view(&mut self, view: &NodeView) {
        self.bytes(view.path.as_bytes());
        self.optional(view.value.as_deref());
        self.add(&[u8::from(view.dir)]);
        self.expiry(view.expiration);
        self.number(view.modified_index);
        self.number(view.created_index);
    }
}

impl Visitor for Digest {
    fn enter(&mut self, name: &str, _: &str, node: &Node, _: bool) {
        self.add(&[1]);
        self.bytes(name.as_bytes());
        self.optional(node.value().map(|value| &**value));
        self.expiry(node.expires);
        self.number(node.modified);
        self.number(node.created);
    }

    fn leave(&mut self) {
        self.add(&[0]);
    }
}
