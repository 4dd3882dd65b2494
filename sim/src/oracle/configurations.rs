//! The configuration after each entry, as the committed log alone says it.
//!
//! Members are held to this one, not to what they believe: it is worked out here a second time,
//! from the entries, by the rule that a change counts once it is applied.

use std::collections::{BTreeMap, BTreeSet};

use quorate_core::id::MemberId;
use quorate_core::raft::{Entry, EntryKind};
use quorate_core::wire::conf_change::{ConfChange, ConfChangeKind};

/// The configurations of a run. Learners and changes that are refused because of their URLs do not
/// occur in it.
#[derive(Debug, Default)]
pub struct Configurations {
    /// The last entry that was looked at.
    last: u64,
    /// An entry was never seen, so that nothing is known from there on.
    gap: bool,
    /// The voters from the entry on that made them so.
    steps: Vec<(u64, BTreeSet<MemberId>)>,
    /// Who was removed, by which entry.
    removed: BTreeMap<MemberId, u64>,
}

impl Configurations {
    /// An entry is committed; each is told once, in order.
    pub(super) fn committed(&mut self, entry: &Entry) {
        self.gap |= entry.index != self.last + 1;
        self.last = entry.index;
        if entry.kind != EntryKind::ConfChange {
            return;
        }
        let Ok(change) = ConfChange::decode(entry.data.clone()) else { return };
        let mut voters = self.latest().cloned().unwrap_or_default();
        let counts = match change.kind {
            ConfChangeKind::AddNode if self.removed.contains_key(&change.node) => false,
            ConfChangeKind::AddNode => voters.insert(change.node),
            ConfChangeKind::RemoveNode => voters.remove(&change.node),
            ConfChangeKind::UpdateNode | ConfChangeKind::AddLearner => false,
        };
        if change.kind == ConfChangeKind::RemoveNode && counts {
            self.removed.insert(change.node, entry.index);
        }
        if counts {
            self.steps.push((entry.index, voters));
        }
    }

    /// The voters of one who has applied everything up to `index`; absent where that is not known.
    pub fn at(&self, index: u64) -> Option<&BTreeSet<MemberId>> {
        if self.gap || index > self.last {
            return None;
        }
        self.steps.iter().rev().find(|(from, _)| *from <= index).map(|(_, voters)| voters)
    }

    /// The voters after all that is known to be committed.
    pub fn latest(&self) -> Option<&BTreeSet<MemberId>> {
        self.steps.last().filter(|_| !self.gap).map(|(_, voters)| voters)
    }

    /// Whether the removal of a member is committed.
    pub fn was_removed(&self, member: MemberId) -> bool {
        self.removed.contains_key(&member)
    }
}
