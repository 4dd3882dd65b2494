//! What is known at one point of the log without the entries themselves.

use alloc::vec::Vec;

use super::{HardState, KEPT_MARKS, Mark};
use crate::raft::LogId;

/// The state at one point of the log. Writer and reader both derive it from the records, and every
/// segment header repeats it: where the two disagree, a segment does not belong where it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The newest hard state.
    pub(super) hard_state: HardState,
    /// The last entry of the log.
    pub(super) last: LogId,
    /// The newest snapshot marks, oldest first, at most [`KEPT_MARKS`].
    pub(super) marks: Vec<LogId>,
}

impl Head {
    /// Takes note of a snapshot.
    pub(super) fn mark(&mut self, mark: Mark) {
        let id = mark.id();
        if matches!(mark, Mark::Installed(_)) {
            // The log no longer reaches back to older snapshots.
            self.marks.clear();
            self.last = id;
        }
        self.marks.retain(|known| *known != id);
        self.marks.push(id);
        if self.marks.len() > KEPT_MARKS {
            self.marks.remove(0);
        }
    }

    /// The index of the newest snapshot, or 0.
    pub(super) fn newest_mark(&self) -> u64 {
        self.marks.last().map_or(0, |id| id.index)
    }
}
