//! A leader's log holds every entry that was committed in an earlier term.

use super::Violation;
use super::ledger::Ledger;
use crate::machine::Machine;

const NAME: &str = "leader_completeness";

/// The oracle; all that it needs is the ledger.
#[derive(Debug)]
pub struct LeaderCompleteness;

impl LeaderCompleteness {
    /// A member became the leader of `term`.
    ///
    /// # Errors
    /// If it lacks the last entry that was committed before its term; log matching extends this to
    /// all entries before.
    pub fn elected<M: Machine>(
        &self,
        node: usize,
        term: u64,
        machine: &M,
        ledger: &Ledger,
    ) -> Result<(), Violation> {
        // A commit of a higher term may be known already: this election was then won by votes that
        // were long under way, and its leader will be deposed.
        let known = (1..=ledger.last_index())
            .rev()
            .find_map(|i| ledger.get(i).filter(|e| e.committed_in < term).map(|e| (i, e)));
        let Some((index, committed)) = known else { return Ok(()) };
        if index <= machine.base().index {
            return Ok(());
        }
        let own = machine.entry(index).map(|e| e.term);
        if own == Some(committed.term) {
            return Ok(());
        }
        let detail = format!(
            "leader of term {term} has {own:?} where term {} was committed; its last is {:?}",
            committed.term,
            machine.last()
        );
        Err(Violation::safety(NAME, node, detail).at(index))
    }
}
