//! What happens to the data of hosts behind the back of their processes, and to the list of members
//! that they are started with.

use super::event::{Event, Process};
use super::host::Loss;
use super::world::World;
use crate::disk::FileSystem;
use crate::disk::rot::Rot;
use crate::machine::Machine;
use crate::oracle::Violation;
use crate::plan::WrongList;

impl<M: Machine> World<M> {
    /// Whether this host may be lost for good: a cluster stands it only of a minority, and only
    /// once all others have formed it.
    fn may_lose(&self, host: usize) -> bool {
        let mut others = self.hosts.iter().enumerate().filter(|(other, _)| *other != host);
        let lost = others.clone().filter(|(_, other)| other.lost.is_some()).count();
        lost < (self.hosts.len() - 1) / 2
            && others.all(|(_, other)| other.formed || other.lost.is_some())
    }

    pub(super) fn rot(&mut self, host: usize, rot: &Rot) {
        if self.may_lose(host) && self.hosts[host].disk.files().rot(rot) {
            self.hosts[host].lost.get_or_insert(Loss::Rot);
            self.hosts[host].damaged();
            self.stats.rotten += 1;
        }
    }

    pub(super) fn wipe(&mut self, host: usize, down_us: u64) {
        if !self.may_lose(host) || !self.has_published(host) {
            return;
        }
        self.replace_data(host, FileSystem::default(), down_us);
        self.hosts[host].lost = Some(Loss::Wiped);
        self.oracles.wiped(host);
        self.stats.wiped += 1;
    }

    pub(super) fn restore(&mut self, host: usize, down_us: u64) {
        if let Some(copy) = self.hosts[host].copy.take() {
            self.replace_data(host, copy, down_us);
            self.stats.restored += 1;
        }
    }

    /// The host goes down, and finds other data when it starts again.
    fn replace_data(&mut self, host: usize, data: FileSystem, down_us: u64) {
        if self.current(host).is_some() {
            self.end_process(host, false);
            self.plan_start(host, down_us);
        }
        self.hosts[host].disk.replace(data);
        self.oracles.data_replaced(host);
    }

    /// Whether every other member that runs knows that this one has started.
    fn has_published(&self, host: usize) -> bool {
        let Some(member) = self.hosts[host].member else { return false };
        let knows = |other: usize| {
            let running = self.hosts[other].running.as_ref();
            let view = running.and_then(|running| running.view.as_ref());
            let known = view.and_then(|view| view.cluster.members.get(&member));
            known.is_some_and(|known| !known.client_urls.is_empty())
        };
        (0..self.hosts.len()).filter(|other| *other != host).all(knows)
    }

    /// From now on the host is started with a wrong list. One that runs is started anew.
    pub(super) fn wrong_list(&mut self, host: usize, list: WrongList, down_us: u64) {
        // A member alone, or two with the same wrong list, are right to take it at its word.
        let mut others = self.hosts.iter().enumerate().filter(|(other, _)| *other != host);
        if self.hosts.len() == 1 || others.any(|(_, other)| other.wrong_list.is_some()) {
            return;
        }
        self.hosts[host].wrong_list = Some(list);
        if self.current(host).is_some() {
            self.end_process(host, false);
            self.plan_start(host, down_us);
        }
    }

    /// The list is put right. A process that waits because of the wrong one is started anew.
    pub(super) fn right_list(&mut self, host: usize) {
        if self.hosts[host].wrong_list.take().is_none() || self.hosts[host].formed {
            return;
        }
        if let Some(running) = &self.hosts[host].running
            && running.wrong_list.is_some()
        {
            self.end_process(host, false);
            let process = Process { host, boot: self.hosts[host].boot };
            self.queue.push(self.time, Event::Start(process));
        }
    }

    /// Somebody leads: a cluster has formed, and nobody may do so with one whose list differs.
    pub(super) fn formed_together(&mut self, leader: usize) {
        let differs = |host: &usize| {
            let host = &self.hosts[*host];
            host.wrong_list.is_some() && !host.listed
        };
        if let Some(host) = (0..self.hosts.len()).find(differs) {
            let detail = format!("a cluster has formed, but n{host} has another list");
            self.violate(Violation::safety("forms_together", leader, detail));
        }
    }
}
