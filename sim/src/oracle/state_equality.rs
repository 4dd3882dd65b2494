//! Members that have applied the same index have the same state.
//!
//! The store index after each application is compared always. The digest of the whole store costs
//! more, so it is compared at a sample of the indexes, and of all members at the end of a run.

use std::collections::BTreeMap;

use super::Violation;
use crate::machine::Machine;

const NAME: &str = "state_equality";
const SAMPLE: u64 = 256;

/// The state after each index, as the first member to get there had it.
#[derive(Debug)]
pub struct StateEquality {
    store_indexes: BTreeMap<u64, u64>,
    digests: BTreeMap<u64, u64>,
    store_index: Vec<u64>,
}

impl StateEquality {
    pub(super) fn new(members: usize) -> Self {
        let (store_indexes, digests) = (BTreeMap::new(), BTreeMap::new());
        Self { store_indexes, digests, store_index: vec![0; members] }
    }

    pub(super) fn started(&mut self, node: usize) {
        self.store_index[node] = 0;
    }

    /// A member applied up to `index`.
    ///
    /// # Errors
    /// If its state differs from that of another member at this index, or its store index went
    /// back.
    pub fn applied<M: Machine>(
        &mut self,
        node: usize,
        index: u64,
        store_index: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        let before = std::mem::replace(&mut self.store_index[node], store_index);
        if store_index < before {
            let detail = format!("the store index went back from {before} to {store_index}");
            return Err(Violation::safety(NAME, node, detail).at(index));
        }
        let known = *self.store_indexes.entry(index).or_insert(store_index);
        if known != store_index {
            let detail = format!("the store index is {store_index} here and {known} elsewhere");
            return Err(Violation::safety(NAME, node, detail).at(index));
        }
        if index.is_multiple_of(SAMPLE) { self.compare(node, index, machine) } else { Ok(()) }
    }

    /// A member took over a snapshot.
    ///
    /// # Errors
    /// If its state differs from that of another member at this index.
    pub fn installed<M: Machine>(
        &mut self,
        node: usize,
        index: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        self.compare(node, index, machine)
    }

    /// A member that has nothing more to apply at the end of a run.
    ///
    /// # Errors
    /// If its state differs from that of another member at this index.
    pub fn settled<M: Machine>(
        &mut self,
        node: usize,
        index: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        self.compare(node, index, machine)
    }

    fn compare<M: Machine>(
        &mut self,
        node: usize,
        index: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        let digest = machine.store_digest();
        let known = *self.digests.entry(index).or_insert(digest);
        if known == digest {
            return Ok(());
        }
        let detail = format!("the store is {digest:x} here and {known:x} elsewhere");
        Err(Violation::safety(NAME, node, detail).at(index))
    }
}
