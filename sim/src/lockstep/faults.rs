//! Faults: what the plan says, carried out when its time has come.

use super::event::{Doom, Event, Process};
use super::world::{MS, World};
use crate::machine::Machine;
use crate::plan::{Crash, Fault, Moment};
use crate::record::{What, Who};

/// Within this time after an election comes a crash that waits for one: about what it takes to make
/// a vote durable and to tell it.
const AFTER_ELECTION: u64 = 30 * MS;

impl<M: Machine> World<M> {
    /// Puts the whole plan on the heap.
    pub(super) fn plan_faults(&mut self) {
        for (number, planned) in self.plan.faults.iter().enumerate() {
            self.queue.push(planned.at_us * 1000, Event::Fault(number));
        }
    }

    /// It is time for the fault with this number.
    pub(super) fn fault(&mut self, number: usize) {
        let fault = self.plan.faults[number].fault.clone();
        let nobody = fault.host().is_some_and(|host| host >= self.hosts.len());
        if self.healthy.is_some() || nobody {
            return;
        }
        self.recorder.add(self.time, Who::World, || What::Fault(fault.clone()));
        match fault {
            Fault::Partition { length_us, .. }
            | Fault::OneWay { length_us, .. }
            | Fault::Isolate { length_us, .. } => self.cut(&fault, length_us),
            Fault::Crash { host, by, moment, down_us } => {
                self.crash_soon(host, moment, Doom { by, down_us });
            }
            Fault::CrashAll { by, down_us } => self.crash_all(by, &down_us),
            Fault::Stop { host, down_us } => self.stop(host, down_us),
            Fault::Pause { host, length_us } => self.pause(host, length_us),
            Fault::Jump { host, by_ms } => {
                self.hosts[host].clock.jump(by_ms * MS as i64);
                self.oracles.clock_is_ahead(host, self.hosts[host].clock.ahead());
                self.stats.jumps += 1;
            }
            Fault::Change { changes } => self.change(&changes),
            Fault::Full { host, length_us } => self.fill_disk(host, length_us),
            Fault::Rot { host, rot } => self.rot(host, &rot),
            Fault::Misread { host, rot } => {
                self.hosts[host].disk.files().misread_next(rot);
                self.hosts[host].damaged();
            }
            Fault::WrongList { host, list, down_us, length_us } => {
                self.wrong_list(host, list, down_us);
                self.queue.push(self.time + length_us * 1000, Event::RightList(host));
            }
            Fault::Names { host, trouble, length_us } => {
                self.dns.trouble(host, Some(trouble));
                self.queue.push(self.time + length_us * 1000, Event::NamesRight(host));
            }
            Fault::Wipe { host, down_us } => self.wipe(host, down_us),
            Fault::Copy { host } => {
                self.hosts[host].copy = Some(self.hosts[host].disk.files().durable_copy());
            }
            Fault::Restore { host, down_us } => self.restore(host, down_us),
        }
    }

    fn cut(&mut self, fault: &Fault, length_us: u64) {
        let directions = fault.directions(self.hosts.len());
        self.stats.cut(fault, directions.len());
        let number = self.network.cut(directions);
        self.queue.push(self.time + length_us * 1000, Event::Heal(number));
    }

    fn crash_soon(&mut self, host: usize, moment: Moment, doom: Doom) {
        match &mut self.hosts[host].running {
            Some(running) if moment != Moment::Now => running.doomed = Some((moment, doom)),
            _ => self.crash(host, doom),
        }
    }

    /// A member voted or was elected: a crash that was put off until then comes before long.
    pub(super) fn took_part_in_election(&mut self, process: Process) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let doomed = running.doomed.take_if(|(moment, _)| *moment == Moment::NextElection);
        if let Some((_, doom)) = doomed {
            let at = self.time + self.chances.hosts.below(AFTER_ELECTION);
            self.queue.push(at, Event::Doom(process, doom));
        }
    }

    /// The crash that was put off until a sync or an election.
    pub(super) fn doom(&mut self, process: Process, doom: Doom) {
        if self.healthy.is_none() && self.current(process.host) == Some(process) {
            self.crash(process.host, doom);
        }
    }

    fn crash(&mut self, host: usize, Doom { by, down_us }: Doom) {
        if self.hosts[host].running.is_some() {
            match by {
                Crash::Power => self.stats.power_losses += 1,
                Crash::Kill => self.stats.kills += 1,
            }
            self.end_process(host, by == Crash::Power);
            self.plan_start(host, down_us);
        } else if by == Crash::Power {
            // The machine goes down under a process that is down already.
            self.hosts[host].disk.lose_power(&mut self.chances.disk);
        }
    }

    fn crash_all(&mut self, by: Crash, down_us: &[u64]) {
        self.stats.all_down += 1;
        for host in 0..self.hosts.len() {
            // A plan for fewer hosts says nothing of the others.
            let down_us = down_us.get(host).copied().unwrap_or(0);
            self.crash(host, Doom { by, down_us });
        }
    }

    fn fill_disk(&mut self, host: usize, length_us: u64) {
        let here = &mut self.hosts[host];
        if !std::mem::replace(&mut here.full, true) {
            here.disk.set_full(true);
            if let Some(running) = &mut here.running {
                running.excused = true;
            }
            self.stats.disks_full += 1;
            self.queue.push(self.time + length_us * 1000, Event::Space(host));
        }
    }
}
