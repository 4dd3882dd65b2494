//! Changes of the membership: brought to the leader as a peer's forwarded proposals, which is how
//! they come from a peer of etcd.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;
use quorate_core::member::Member;
use quorate_core::member::json::Context;
use quorate_core::node::Exit;
use quorate_core::raft::{Body, Entry, EntryKind, Message};
use quorate_core::url::Url;
use quorate_core::wire::conf_change::{ConfChange, ConfChangeKind};

use super::event::{Event, Process};
use super::world::World;
use crate::machine::Machine;
use crate::plan::{Change, Fault};

impl<M: Machine> World<M> {
    /// Proposes changes to whoever believes that it leads, all in one message.
    pub(super) fn change(&mut self, changes: &[Change]) {
        let leaders = (0..self.hosts.len()).filter(|host| self.leads(*host));
        let asked: Vec<_> = leaders.filter_map(|leader| self.way_to(leader)).collect();
        if asked.is_empty() {
            return;
        }
        let entries: Vec<Entry> = changes.iter().filter_map(|change| self.entry(*change)).collect();
        for (from, leader, mut message) in asked.into_iter().filter(|_| !entries.is_empty()) {
            message.body = Body::Propose { entries: entries.clone() };
            let (delay, _) = self.network.delay(&mut self.chances.network);
            self.stats.changes += entries.len() as u64;
            let (to, sent) = (leader, self.time);
            let said = self.said(from);
            self.queue.push(sent + delay, Event::Deliver { from, to, sent, message, said });
        }
    }

    fn leads(&self, host: usize) -> bool {
        self.hosts[host].running.as_ref().is_some_and(|running| running.leads())
    }

    /// A message to a leader from a member that reaches it.
    fn way_to(&self, leader: usize) -> Option<(Process, usize, Message)> {
        let to = self.hosts[leader].member?;
        let mut others = (0..self.hosts.len()).filter(|host| *host != leader);
        let (process, from) = others.find_map(|host| {
            let member = self.hosts[host].member.filter(|_| !self.was_removed(host))?;
            let process = self.current(host)?;
            (!self.network.is_cut(host, leader)).then_some((process, member))
        })?;
        let body = Body::Propose { entries: Vec::new() };
        Some((process, leader, Message { from, to, term: 0, body }))
    }

    /// The entry of a change. None for a host that is not there, or that cannot be spared.
    fn entry(&mut self, change: Change) -> Option<Entry> {
        let host = match change {
            Change::Remove { host } | Change::Move { host, .. } => host,
        };
        let node = self.hosts.get(host)?.listed_as;
        if matches!(change, Change::Remove { .. }) {
            if !self.can_spare(host) {
                return None;
            }
            self.hosts[host].asked_to_leave = true;
        }
        let (kind, context) = match change {
            Change::Remove { .. } => (ConfChangeKind::RemoveNode, String::new()),
            Change::Move { by_name, .. } => {
                let name = if by_name { format!("n{host}") } else { format!("10.0.0.{host}") };
                let url = Url::parse(&format!("http://{name}:2380")).ok()?;
                let member = Member {
                    id: node,
                    name: String::new(),
                    peer_urls: vec![url],
                    client_urls: Vec::new(),
                    learner: false,
                };
                (ConfChangeKind::UpdateNode, Context { member, promote: false }.encode())
            }
        };
        let data = ConfChange { id: self.time | 1, kind, node, context: context.into() }.encode();
        Some(Entry { term: 0, index: 0, kind: EntryKind::ConfChange, data })
    }

    /// Whether a cluster without this host would have a quorum of hosts whose data is never lost,
    /// and that will not be removed either.
    fn can_spare(&self, host: usize) -> bool {
        let stays = |other: &usize| *other != host && !self.hosts[*other].asked_to_leave;
        let rots = |fault: &Fault, other| matches!(fault, Fault::Rot { host, .. } | Fault::Wipe { host, .. } if *host == other);
        let faults = &self.plan.faults;
        let sound = |other: &usize| !faults.iter().any(|planned| rots(&planned.fault, *other));
        let left: Vec<usize> = (0..self.hosts.len()).filter(stays).collect();
        left.iter().filter(|other| sound(other)).count() > left.len() / 2
    }

    fn was_removed(&self, host: usize) -> bool {
        self.oracles.ledger().configurations().was_removed(self.hosts[host].listed_as)
    }

    /// Whether a process ends because its member was removed. The few starts that follow must end
    /// in the same way.
    pub(super) fn leaves(&mut self, host: usize, exit: &Exit) -> bool {
        let removed = self.was_removed(host);
        // One that never took part finds itself listed by nobody, and is refused.
        let leaves = removed
            && match exit {
                Exit::Stopped { lines } => !lines.is_empty(),
                Exit::Refused(_) => true,
                Exit::Fault(_) => false,
            };
        if leaves {
            self.hosts[host].left += 1;
            self.stats.removed += 1;
            if let Some(healthy) = &mut self.healthy {
                healthy.retain(|other| *other != host);
            }
        }
        leaves
    }

    /// The hosts that make up the cluster by the committed log; all of them where that is not
    /// known.
    pub(super) fn members(&self) -> Vec<usize> {
        let all = 0..self.hosts.len();
        let Some(voters) = self.oracles.ledger().configurations().latest() else {
            return all.collect();
        };
        all.filter(|host| voters.contains(&self.hosts[*host].listed_as)).collect()
    }

    /// Whether these hosts are a quorum of the members: by the configuration of each of them, as
    /// far as it has come, and still when changes that were proposed, and of which it is not known
    /// what became of them, take effect.
    pub(super) fn is_quorum(&self, chosen: &[usize], members: &[usize]) -> bool {
        let known = self.oracles.ledger().configurations();
        let counts: Vec<MemberId> = chosen.iter().map(|host| self.hosts[*host].listed_as).collect();
        let behind = chosen.iter().filter_map(|host| known.at(self.oracles.came_to(*host)));
        let outvoted = |voters: &BTreeSet<MemberId>| {
            voters.iter().filter(|voter| counts.contains(voter)).count() <= voters.len() / 2
        };
        if behind.into_iter().any(outvoted) {
            return false;
        }
        let pending: Vec<usize> =
            members.iter().copied().filter(|host| self.hosts[*host].asked_to_leave).collect();
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
}
