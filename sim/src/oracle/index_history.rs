//! A store index stands for one change: whoever sees it sees the same key with the same value.

use std::collections::BTreeMap;

use quorate_core::store::{Event, NodeView};

use super::{Kind, Violation};
use crate::digest::Digest;

const NAME: &str = "index_history";

/// What clients saw at each index.
#[derive(Debug, Default)]
pub struct IndexHistory {
    seen: BTreeMap<u64, u64>,
}

impl IndexHistory {
    /// A client saw an event.
    ///
    /// # Errors
    /// If another client saw another value at one of its indexes.
    pub fn saw(&mut self, event: &Event) -> Result<(), Violation> {
        self.node(&event.node)?;
        event.prev.as_ref().map_or(Ok(()), |prev| self.node(prev))
    }

    fn node(&mut self, node: &NodeView) -> Result<(), Violation> {
        if let Some(value) = &node.value {
            let mut digest = Digest::default();
            digest.add_bytes(node.path.as_bytes());
            digest.add_bytes(value);
            let known = *self.seen.entry(node.modified_index).or_insert_with(|| digest.value());
            if known != digest.value() {
                let detail = format!("{} has {value:?} there, and another did before", node.path);
                return Err(Violation {
                    kind: Kind::Safety,
                    oracle: NAME,
                    node: None,
                    index: Some(node.modified_index),
                    detail,
                });
            }
        }
        node.nodes.iter().try_for_each(|child| self.node(child))
    }
}
