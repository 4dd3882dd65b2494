//! Who stays healthy when faults end, and whom a cluster can spare before.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;

use super::Places;
use crate::oracle::Oracles;
use crate::plan::{Calm, Fault, Plan};

impl Places {
    /// The quorum of the plan, or all members if that is none by what each of them knows, or if one
    /// of them has not formed the cluster yet: a cluster forms only when all are there. Nobody if
    /// there is no quorum any more: of two members one was removed, and it has left before the
    /// other learned that the removal is committed.
    pub(crate) fn choose_quorum(&self, calm: &Calm, oracles: &Oracles) -> Option<Vec<usize>> {
        if oracles.ledger().last_index() == 0 {
            return Some((0..self.count()).collect());
        }
        let members = self.members(oracles);
        let lost = |host: usize| self[host].lost.is_some();
        let whole: Vec<usize> = members.iter().copied().filter(|host| !lost(*host)).collect();
        let formed = whole.iter().all(|host| self[*host].formed);
        let chosen = formed.then(|| calm.quorum_of(&members, lost));
        chosen.into_iter().chain([whole]).find(|chosen| self.is_quorum(chosen, &members, oracles))
    }

    /// The hosts that make up the cluster by the committed log; all of them where that is not
    /// known.
    fn members(&self, oracles: &Oracles) -> Vec<usize> {
        let all = 0..self.count();
        let Some(voters) = oracles.ledger().configurations().latest() else {
            return all.collect();
        };
        all.filter(|host| voters.contains(&self[*host].listed_as)).collect()
    }

    /// Whether these hosts are a quorum of the members: by the configuration of each of them, as
    /// far as it has come, and still when changes that were asked for, and of which it is not known
    /// what became of them, take effect.
    fn is_quorum(&self, chosen: &[usize], members: &[usize], oracles: &Oracles) -> bool {
        let known = oracles.ledger().configurations();
        let counts: Vec<MemberId> = chosen.iter().map(|host| self[*host].listed_as).collect();
        let behind = chosen.iter().filter_map(|host| known.at(oracles.came_to(*host)));
        let outvoted = |voters: &BTreeSet<MemberId>| {
            voters.iter().filter(|voter| counts.contains(voter)).count() <= voters.len() / 2
        };
        if behind.into_iter().any(outvoted) {
            return false;
        }
        let pending: Vec<usize> =
            members.iter().copied().filter(|host| self[*host].asked_to_leave).collect();
        (0..1_u32 << pending.len()).all(|subset| {
            let left = |host: &usize| {
                let at = pending.iter().position(|other| other == host);
                at.is_some_and(|at| subset >> at & 1 == 1)
            };
            let members = members.iter().filter(|host| !left(host));
            let (here, all) = members.fold((0, 0), |(here, all), host| {
                (here + usize::from(chosen.contains(host)), all + 1)
            });
            here > all / 2
        })
    }

    /// Whether a cluster without this host would have a quorum of hosts whose data is never lost by
    /// the plan, and that will not be removed either.
    pub(crate) fn can_spare(&self, host: usize, plan: &Plan) -> bool {
        let stays = |other: &usize| *other != host && !self[*other].asked_to_leave;
        let rots = |fault: &Fault, other| matches!(fault, Fault::Rot { host, .. } | Fault::Wipe { host, .. } if *host == other);
        let sound = |other: &usize| !plan.faults.iter().any(|f| rots(&f.fault, *other));
        let left: Vec<usize> = (0..self.count()).filter(stays).collect();
        left.iter().filter(|other| sound(other)).count() > left.len() / 2
    }
}
