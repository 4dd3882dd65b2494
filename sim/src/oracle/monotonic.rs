//! The store index that a member shows never goes back, not even across a restart.

use super::Violation;

const NAME: &str = "monotonic_reads";

/// The highest index that each member showed.
#[derive(Debug)]
pub struct MonotonicReads {
    shown: Vec<u64>,
}

impl MonotonicReads {
    pub(super) fn new(members: usize) -> Self {
        Self { shown: vec![0; members] }
    }

    /// A member showed a reader the store index `index`.
    ///
    /// # Errors
    /// If it had shown a higher one.
    pub fn shown(&mut self, node: usize, index: u64) -> Result<(), Violation> {
        let before = self.shown[node];
        if index < before {
            let detail = format!("shows index {index} after {before}");
            return Err(Violation::safety(NAME, node, detail).at(index));
        }
        self.shown[node] = index;
        Ok(())
    }
}
