//! The store index never goes back: not what one member shows, not even across a restart, and not
//! what one client learns through the log, at whichever member it asks.

use quorate_core::api::Stamp;

use super::{Kind, Violation};

const NAME: &str = "monotonic_reads";

/// The highest indexes that were seen.
#[derive(Debug)]
pub struct MonotonicReads {
    /// By each member: store index and Raft index.
    shown: Vec<(u64, u64)>,
    /// By each client: the store index.
    learned: Vec<u64>,
}

impl MonotonicReads {
    pub(super) fn new(members: usize) -> Self {
        Self { shown: vec![(0, 0); members], learned: Vec::new() }
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.shown.swap(a, b);
    }

    /// The member on a host, and all that it has shown, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.shown[node] = (0, 0);
    }

    /// A member showed these indexes to a reader.
    ///
    /// # Errors
    /// If it had shown a higher one, or acknowledged a write of a higher one.
    pub fn shown(&mut self, node: usize, stamp: &Stamp) -> Result<(), Violation> {
        let before = self.shown[node];
        let now = (stamp.store_index, stamp.raft_index);
        if now.0 < before.0 || now.1 < before.1 {
            let detail = format!("shows store and Raft index {now:?} after {before:?}");
            return Err(Violation::safety(NAME, node, detail).at(now.0));
        }
        self.shown[node] = now;
        Ok(())
    }

    /// A member answered a write or quorum read: from now on readers see no less there.
    pub fn acknowledged(&mut self, node: usize, stamp: &Stamp) {
        let shown = &mut self.shown[node];
        *shown = (shown.0.max(stamp.store_index), shown.1.max(stamp.raft_index));
    }

    /// A client got an answer. `quorum` says whether it came through the log.
    ///
    /// # Errors
    /// If it came through the log and is older than what the client knew when it asked.
    pub fn answered(
        &mut self,
        client: usize,
        quorum: bool,
        stamp: &Stamp,
    ) -> Result<(), Violation> {
        if self.learned.len() <= client {
            self.learned.resize(client + 1, 0);
        }
        let (before, index) = (self.learned[client], stamp.store_index);
        if quorum && index < before {
            let detail = format!("client {client} is answered through the log, after {before}");
            let (kind, oracle, node) = (Kind::Safety, NAME, None);
            return Err(Violation { kind, oracle, node, index: Some(index), detail });
        }
        self.learned[client] = before.max(index);
        Ok(())
    }

    /// The highest store index that a member showed or acknowledged.
    pub fn last(&self, node: usize) -> u64 {
        self.shown[node].0
    }

    /// A member showed these indexes to a reader who asked when `before` was the last store index
    /// that it had shown. What it showed to others since may have overtaken the answer.
    ///
    /// # Errors
    /// If it showed less than it had.
    pub fn shown_after(
        &mut self,
        node: usize,
        before: u64,
        stamp: &Stamp,
    ) -> Result<(), Violation> {
        if stamp.store_index < before {
            let detail = format!("shows store index {} after {before}", stamp.store_index);
            return Err(Violation::safety(NAME, node, detail).at(stamp.store_index));
        }
        self.acknowledged(node, stamp);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn stamp(store_index: u64, raft_index: u64) -> Stamp {
        Stamp { store_index, raft_index, raft_term: 1 }
    }

    #[test]
    fn a_member_that_goes_back_is_found() {
        let mut oracle = MonotonicReads::new(2);
        assert_eq!(oracle.shown(0, &stamp(5, 9)), Ok(()));
        assert_eq!(oracle.shown(1, &stamp(4, 8)), Ok(()), "another member may lag");
        assert!(oracle.shown(0, &stamp(4, 9)).is_err());
        assert!(oracle.shown(0, &stamp(5, 8)).is_err());
        oracle.acknowledged(1, &stamp(7, 12));
        assert!(oracle.shown(1, &stamp(6, 12)).is_err(), "less than it has acknowledged");
    }

    #[test]
    fn an_answer_may_be_overtaken_but_not_by_what_was_shown_before_the_question() {
        let mut oracle = MonotonicReads::new(1);
        assert_eq!(oracle.shown(0, &stamp(5, 9)), Ok(()));
        let before = oracle.last(0);
        assert_eq!(oracle.shown(0, &stamp(8, 12)), Ok(()));
        assert_eq!(oracle.shown_after(0, before, &stamp(6, 10)), Ok(()));
        assert_eq!(oracle.last(0), 8);
        assert!(oracle.shown_after(0, before, &stamp(4, 8)).is_err());
    }

    #[test]
    fn a_client_that_goes_back_through_the_log_is_found() {
        let mut oracle = MonotonicReads::new(2);
        assert_eq!(oracle.answered(3, true, &stamp(7, 0)), Ok(()));
        assert_eq!(oracle.answered(3, false, &stamp(5, 0)), Ok(()), "a plain read may be old");
        assert_eq!(oracle.answered(2, true, &stamp(5, 0)), Ok(()), "another client knew less");
        assert!(oracle.answered(3, true, &stamp(6, 0)).is_err());
    }
}
