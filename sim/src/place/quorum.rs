//! Who stays healthy when faults end, and whom a cluster can spare before.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;

use super::Places;
use crate::oracle::Oracles;
use crate::oracle::configurations::{Configuration, Configurations};
use crate::plan::{Calm, Fault, Plan};

impl Places {
    /// The quorum of the plan, or all members if that is none by what each of them knows, or if one
    /// of them has not formed the cluster yet: it waits for an answer of all that vote. With them
    /// those that are on their way to become members and were not asked to leave. Nobody if there is
    /// no quorum any more: of two members one was removed, and it has left before the other learned
    /// that the removal is committed; or if who has not formed it waits for one that is gone.
    pub(crate) fn choose_quorum(&mut self, calm: &Calm, oracles: &Oracles) -> Option<Vec<usize>> {
        let known = oracles.ledger().configurations();
        self.learn(known);
        if oracles.ledger().last_index() == 0 {
            return Some((0..self.count()).filter(|host| self[*host].is_first()).collect());
        }
        let now = self.latest(known);
        let members = self.hosts_of(&now.voters);
        let lost = |host: usize| self[host].lost.is_some();
        let whole: Vec<usize> = members.iter().copied().filter(|host| !lost(*host)).collect();
        let formed = whole.iter().all(|host| self[*host].formed);
        let (leaving, learners): (Vec<usize>, Vec<usize>) = self
            .hosts_of(&now.learners)
            .into_iter()
            .partition(|host| lost(*host) || self[*host].asked_to_leave);
        // Who has taken part may be promoted at any moment, and is waited for then too.
        let all_stay = whole.len() == now.voters.len()
            && leaving.iter().all(|host| !self[*host].formed)
            && (0..self.count()).all(|host| !self[host].is_first() || whole.contains(&host));
        if !formed && !all_stay {
            return None;
        }
        // Who is behind is brought back by the others, and is of no use to them before.
        let behind = |host: &usize| self[*host].behind;
        let chosen = formed.then(|| calm.quorum_of(&members, |host| lost(host) || behind(&host)));
        let brought_back = whole.iter().copied().filter(behind).collect::<Vec<_>>();
        let whole: Vec<usize> = whole.into_iter().filter(|host| !behind(host)).collect();
        let everybody = whole.iter().chain(&learners).copied().collect();
        let mut candidates = chosen.into_iter().chain([whole, everybody]);
        let mut healthy = candidates.find(|chosen| self.is_quorum(chosen, oracles))?;
        let others = learners.into_iter().chain(brought_back);
        healthy.extend(others.filter(|host| !formed || !calm.down.contains(host)));
        healthy.sort_unstable();
        healthy.dedup();
        Some(healthy)
    }

    /// Leaves those out for whom the cluster that has formed has no place.
    pub(crate) fn retain_members(&self, hosts: &mut Vec<usize>, oracles: &Oracles) {
        let Some(now) = oracles.ledger().configurations().latest() else { return };
        hosts.retain(|host| self[*host].belongs.is_some_and(|id| now.voters.contains(&id)));
    }

    /// The configuration by the committed log; the first one where that is not known.
    fn latest(&self, known: &Configurations) -> Configuration {
        known.latest().cloned().unwrap_or_else(|| {
            let first = self.all.iter().filter(|place| place.is_first());
            let voters = first.filter_map(|place| place.belongs).collect();
            Configuration { voters, learners: BTreeSet::new() }
        })
    }

    /// Where these members are, as far as they are where others believe.
    fn hosts_of(&self, members: &BTreeSet<MemberId>) -> Vec<usize> {
        let there = |host: &usize| {
            let place = &self[*host];
            place.is_at_home() && place.belongs.is_some_and(|id| members.contains(&id))
        };
        (0..self.count()).filter(there).collect()
    }

    /// Whether these hosts are a quorum of the members: by the configuration of each of them, as
    /// far as it has come, and still when changes that were asked for, and of which it is not known
    /// what became of them, take effect.
    fn is_quorum(&self, chosen: &[usize], oracles: &Oracles) -> bool {
        let known = oracles.ledger().configurations();
        let here: Vec<MemberId> = chosen.iter().filter_map(|host| self[*host].belongs).collect();
        let count =
            |voters: &BTreeSet<MemberId>| here.iter().filter(|id| voters.contains(id)).count();
        let behind = chosen.iter().filter_map(|host| known.at(oracles.came_to(*host)));
        if behind.into_iter().any(|then| count(&then.voters) <= then.voters.len() / 2) {
            return false;
        }
        let Configuration { voters, learners } = self.latest(known);
        let mut may_change: Vec<MemberId> = Vec::new();
        for place in &self.all {
            let Some(id) = place.belongs else { continue };
            let may_leave = place.asked_to_leave && voters.contains(&id);
            let may_be_promoted = place.formed && learners.contains(&id);
            may_change.extend((may_leave || may_be_promoted).then_some(id));
        }
        // Who is added before all are known to be Quorate may be a voter at once.
        let unknown =
            self.all.iter().filter(|place| place.joins.is_some() && place.belongs.is_none());
        let unknown = if known.all_quorate() { 0 } else { unknown.count() };
        (0..1_u32 << may_change.len()).all(|subset| {
            let mut voters = voters.clone();
            for (at, id) in may_change.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1) {
                debug_assert!(at < 32, "few hosts");
                if !voters.remove(id) {
                    voters.insert(*id);
                }
            }
            count(&voters) > (voters.len() + unknown) / 2
        })
    }

    /// Whether the cluster would go on if this host were lost for good, whose place is taken by
    /// nobody. A cluster that has not formed yet stands no loss.
    pub(super) fn may_lose(&self, host: usize, oracles: &Oracles) -> bool {
        let is_missing =
            |place: &super::Place| place.is_first() && !place.formed && place.lost.is_none();
        if oracles.ledger().last_index() == 0
            || !self[host].formed
            || self.is_swapped(host)
            || self.others(host).any(is_missing)
        {
            return false;
        }
        self.is_quorum(&self.sound(Some(host), oracles), oracles)
    }

    /// Whether this host may lose its data in a run in which the cluster may be lost with it: there
    /// is another voter who has all that was committed, as far as it knows, and is on the list of
    /// those that may form again. Who is not can only speak to them, if it does so in time.
    pub(super) fn may_end_with(&self, host: usize, oracles: &Oracles) -> bool {
        let formed = self.all.iter().all(|place| !place.is_first() || place.formed);
        let here = self[host].formed && !self.is_swapped(host);
        let is_left = self.sound(Some(host), oracles).iter().any(|left| self[*left].is_first());
        formed && here && is_left
    }

    /// Whether the cluster would go on if somebody became a voter who never comes.
    pub(super) fn stands_a_voter(&self, oracles: &Oracles) -> bool {
        self.is_quorum(&self.sound(None, oracles), oracles)
    }

    /// The voters that count and whose data is there, but for one.
    fn sound(&self, but: Option<usize>, oracles: &Oracles) -> Vec<usize> {
        let now = self.latest(oracles.ledger().configurations());
        let mut sound = self.hosts_of(&now.voters);
        sound.retain(|host| {
            let place = &self[*host];
            Some(*host) != but && place.formed && place.lost.is_none() && !place.behind
        });
        sound
    }

    /// Whether a cluster without this host would have a quorum of hosts whose data is never lost by
    /// the plan, and that will not be removed either.
    pub(super) fn can_spare(&self, host: usize, plan: &Plan, known: &Configurations) -> bool {
        let mut left = self.latest(known).voters;
        let goes = |other: usize| other == host || self[other].asked_to_leave;
        for other in (0..self.count()).filter(|other| goes(*other)) {
            left.retain(|id| self[other].belongs != Some(*id));
        }
        let rots = |fault: &Fault, other| match fault {
            Fault::Rot { host, .. } | Fault::Wipe { host, .. } | Fault::Restore { host, .. } => {
                *host == other
            }
            _ => false,
        };
        let mut stays = self.hosts_of(&left);
        stays.retain(|other| !plan.faults.iter().any(|f| rots(&f.fault, *other)));
        stays.len() > left.len() / 2
    }
}
