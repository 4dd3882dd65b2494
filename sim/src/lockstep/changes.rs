//! Changes of the membership: brought to the leader as a peer's forwarded proposals, which is how
//! they come from a peer of etcd.

use quorate_core::member::Member;
use quorate_core::member::json::Context;
use quorate_core::raft::{Body, Entry, EntryKind, Message};
use quorate_core::url::Url;
use quorate_core::wire::conf_change::{ConfChange, ConfChangeKind};

use super::event::{Event, Process};
use super::world::World;
use crate::machine::Machine;
use crate::plan::Change;

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
        let to = self.places[leader].member?;
        let mut others = (0..self.hosts.len()).filter(|host| *host != leader);
        let (process, from) = others.find_map(|host| {
            let member = self.places[host].member.filter(|_| !self.was_removed(host))?;
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
        self.hosts.get(host)?;
        let node = self.places[host].listed_as;
        if matches!(change, Change::Remove { .. }) {
            if !self.places.can_spare(host, &self.plan) {
                return None;
            }
            self.places[host].asked_to_leave = true;
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

    fn was_removed(&self, host: usize) -> bool {
        self.places[host].was_removed(self.oracles.ledger().configurations())
    }
}
