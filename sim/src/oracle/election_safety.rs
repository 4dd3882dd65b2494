//! At most one leader is elected in a term.

use std::collections::BTreeMap;

use quorate_core::raft::{Body, Message};

use super::Violation;

const NAME: &str = "election_safety";

/// Who led in which term.
#[derive(Debug, Default)]
pub struct ElectionSafety {
    leaders: BTreeMap<u64, usize>,
}

impl ElectionSafety {
    /// A member became the leader.
    ///
    /// # Errors
    /// If the term had a leader already; also the same member again, because it must campaign in a
    /// new term after every restart.
    pub fn leads(&mut self, node: usize, term: u64) -> Result<(), Violation> {
        match self.leaders.insert(term, node) {
            None => Ok(()),
            Some(other) => {
                let detail = format!("term {term} was won by node {other} before");
                Err(Violation::safety(NAME, node, detail))
            }
        }
    }

    /// A member sent a message.
    ///
    /// # Errors
    /// If it speaks as the leader of a term that it did not win.
    pub fn sent(&self, node: usize, message: &Message) -> Result<(), Violation> {
        let leads = matches!(
            message.body,
            Body::Append { .. } | Body::Heartbeat { .. } | Body::Snapshot(_)
        );
        if !leads || self.leaders.get(&message.term) == Some(&node) {
            return Ok(());
        }
        let winner = self.leaders.get(&message.term);
        let detail = format!("leads in term {}, which {winner:?} won", message.term);
        Err(Violation::safety(NAME, node, detail))
    }
}
