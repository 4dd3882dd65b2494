//! A leader's log holds every entry that was committed in an earlier term. That rests on a rule
//! for leaders, which is looked at too: no entry of an earlier term is committed by counting.

use std::collections::BTreeMap;

use quorate_core::note::Note;
use quorate_core::raft::LogId;

use super::Violation;
use super::ledger::Ledger;
use crate::machine::Machine;

const NAME: &str = "leader_completeness";

/// Who leads by its own notes, and in which term; all else that the oracle needs is the ledger.
#[derive(Debug, Default)]
pub struct LeaderCompleteness {
    leads: BTreeMap<usize, u64>,
}

impl LeaderCompleteness {
    /// A member starts.
    pub(super) fn started(&mut self, node: usize) {
        self.leads.remove(&node);
    }

    /// A member said what happened to it.
    pub(super) fn noted(&mut self, node: usize, note: &Note) {
        match note {
            Note::BecameLeader { term, .. } => {
                self.leads.insert(node, *term);
            }
            Note::BecameFollower { .. } | Note::Campaigned { .. } => {
                self.leads.remove(&node);
            }
            _ => {}
        }
    }

    /// A member learned that everything up to `last` is committed.
    ///
    /// # Errors
    /// If it leads, and that is an entry of an earlier term.
    pub fn committed(&self, node: usize, last: LogId) -> Result<(), Violation> {
        match self.leads.get(&node) {
            Some(term) if last.term != *term => {
                let detail = format!("commits an entry of term {} in term {term}", last.term);
                Err(Violation::safety(NAME, node, detail).at(last.index))
            }
            _ => Ok(()),
        }
    }

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

#[cfg(test)]
mod tests {
    use quorate_core::raft::EntryKind;

    use super::*;
    use crate::oracle::double::Double;

    fn member(terms: &[u64], commit: u64) -> Double {
        let mut member = Double::default();
        terms.iter().for_each(|term| member.push(*term, EntryKind::Normal, ""));
        member.standing.commit = commit;
        member
    }

    /// An entry of term 1 was committed in term 3, and is applied before the entry that shows it. It
    /// was blamed on a leader of term 2, whom votes had elected that were long under way.
    #[test]
    fn an_earlier_leader_may_lack_what_was_committed_behind_its_election() {
        let mut ledger = Ledger::new(2);
        let applies = LogId { term: 1, index: 2 };
        assert_eq!(ledger.applied(0, applies, &member(&[1, 1, 3], 3)), Ok(()));
        let elected =
            |term| LeaderCompleteness::default().elected(1, term, &member(&[1, 2], 1), &ledger);
        assert_eq!(elected(2), Ok(()));
        assert!(elected(4).is_err());
    }
}
