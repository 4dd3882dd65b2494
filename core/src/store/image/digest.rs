//! A checksum of the replicated state.

use super::State;
use crate::store::event::{Event, NodeView};
use crate::store::tree::{Node, Visitor};

/// The checksum of everything that two members have to have in common.
pub(super) fn digest(state: &State) -> u64 {
    let mut digest = Digest(0);
    digest.number(state.index);
    for (_, count) in state.stats.named() {
        digest.number(count);
    }
    digest.bytes(&state.identity);
    state.tree.walk(&mut digest);
    digest.numbers(state.history.start(), state.history.last());
    for event in state.history.events() {
        digest.event(event);
    }
    digest.0
}

/// Every part is mixed in with its length or presence, so that no two contents run together.
struct Digest(u64);

impl Digest {
    /// Mixes in two numbers by one long multiplication, whose halves are put on top of each other.
    fn numbers(&mut self, a: u64, b: u64) {
        let product = u128::from(self.0 ^ a ^ 0xa076_1d64_78bd_642f)
            * u128::from(self.0.rotate_left(32) ^ b ^ 0xe703_7ed1_a0b4_28db);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn number(&mut self, number: u64) {
        self.numbers(number, 0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let number = |bytes: &[u8]| {
            let mut number = [0; 8];
            number[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(number)
        };
        self.numbers(bytes.len() as u64, 1);
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            self.numbers(number(&pair[..8]), number(&pair[8..]));
        }
        let (a, b) = rest.split_at(rest.len().min(8));
        self.numbers(number(a), number(b));
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.numbers(0, 0),
        }
    }

    fn expiry(&mut self, expires: Option<i64>) {
        self.numbers(u64::from(expires.is_some()), expires.unwrap_or_default().cast_unsigned());
    }

    fn event(&mut self, event: &Event) {
        let flags = u64::from(event.refresh) << 1 | u64::from(event.prev.is_some());
        self.numbers(event.index, flags);
        self.bytes(event.action.name().as_bytes());
        for view in [Some(&event.node), event.prev.as_ref()].into_iter().flatten() {
            self.view(view);
        }
    }

    fn view(&mut self, view: &NodeView) {
        self.bytes(view.path.as_bytes());
        self.optional(view.value.as_deref());
        self.number(u64::from(view.dir));
        self.expiry(view.expiration);
        self.numbers(view.modified_index, view.created_index);
    }
}

impl Visitor for Digest {
    fn enter(&mut self, name: &str, _: &str, node: &Node, _: bool) {
        self.bytes(name.as_bytes());
        self.optional(node.value().map(|value| &**value));
        self.expiry(node.expires);
        self.numbers(node.modified, node.created);
    }

    fn leave(&mut self) {
        self.numbers(0, 0);
    }
}
