//! Members that speak to one that asks before it forms, and are not on its list.
//!
//! The list makes the cluster ID, so one that speaks for this cluster and is not on the list was
//! added after it had formed. It may be the only one that still has the data.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Forming, Standing};
use crate::http::Answer;
use crate::id::MemberId;
use crate::time::Instant;

/// How many are named at most. One is enough to wait.
const MAX_NAMED: usize = 16;

/// The header in which a member that asks names those, with commas between.
pub const UNLISTED_HEADER: &str = "x-quorate-unlisted";

/// What the header says.
pub fn header(members: &BTreeSet<MemberId>) -> String {
    members.iter().map(MemberId::to_string).collect::<Vec<_>>().join(",")
}

/// Why nobody forms a cluster with the one that gave this answer. Where others have formed it, they
/// take it in all the same.
pub(super) fn heard_of(answer: &Answer) -> Option<String> {
    let members = answer.header(UNLISTED_HEADER).filter(|members| !members.is_empty())?;
    Some(format!("{members} speaks to it, and is not on the list"))
}

/// The same of this member, and what to do.
fn here() -> String {
    "it speaks to this member for the same cluster, and is not on the list: it was added to that \
     cluster, which has formed before, and may be the last that has its data. Join it with \
     -initial-cluster-state existing, or, where it has no quorum, start it with \
     -force-new-cluster; to give its data up, stop it and start this member again"
        .into()
}

impl Forming {
    /// Somebody has spoken to this member as one of its cluster.
    pub fn spoken_to(&mut self, by: MemberId) {
        let listed = by == self.asker.own.id || self.others.contains_key(&by);
        if !listed && self.unlisted.len() < MAX_NAMED {
            self.unlisted.insert(by);
        }
    }

    /// Who has done so and is not on the list.
    pub const fn unlisted(&self) -> &BTreeSet<MemberId> {
        &self.unlisted
    }

    /// Whether nobody has, who had the time to do so.
    pub(super) fn is_undisturbed(&self, now: Instant) -> bool {
        let heard = || self.others.values().any(|other| other.unlisted.is_some());
        self.others.is_empty() || self.unlisted.is_empty() && !heard() && now >= self.listened
    }

    /// Who has spoken and is not on the list, for a report; as long as nobody runs that takes this
    /// member in.
    pub(super) fn disturbed(&self) -> Vec<(String, String)> {
        if self.is_late() {
            return Vec::new();
        }
        let here = self.unlisted.iter().map(|id| (id.to_string(), here()));
        let ready = self.others.values().filter(|other| other.standing == Standing::Ready);
        let there = ready.filter_map(|other| Some((other.name.clone(), other.unlisted.clone()?)));
        there.chain(here).collect()
    }
}
