//! Faults: what the plan says, carried out when its time has come.

use super::event::Event;
use super::process::Process;
use super::state::{MS, State};
use crate::disk::Inode;
use crate::plan::{Crash, Fault, Moment};
use crate::record::{What, Who};
use quorate_core::disk::DiskError;

impl State {
    /// Plans all faults.
    pub(super) fn plan_faults(&mut self) {
        for (number, planned) in self.scenario.plan.faults.iter().enumerate() {
            self.agenda.push(planned.at_us * 1000, Event::Fault(number));
        }
    }

    /// It is time for the fault with this number.
    pub(super) fn fault(&mut self, number: usize) {
        let fault = self.scenario.plan.faults[number].fault.clone();
        let nobody = fault.host().is_some_and(|host| host >= self.members);
        if self.healthy.is_some() || nobody {
            return;
        }
        self.record(Who::World, || What::Fault(fault.clone()));
        match fault {
            Fault::Partition { length_us, .. }
            | Fault::OneWay { length_us, .. }
            | Fault::Isolate { length_us, .. } => self.cut(&fault, length_us),
            Fault::Crash { host, by, moment, down_us } => {
                self.crash_soon(host, by, moment, down_us);
            }
            Fault::CrashAll { by, down_us } => self.crash_all(by, &down_us),
            Fault::Stop { host, down_us } => self.stop(host, down_us),
            Fault::Pause { host, length_us } => self.pause(host, length_us),
            Fault::Jump { host, by_ms } => {
                self.time_passes();
                self.hosts[host].clock.jump(by_ms * MS as i64);
                self.oracles.clock_is_ahead(host, self.hosts[host].clock.ahead());
                self.stats.jumps += 1;
            }
            Fault::Full { host, length_us } => self.fill_disk(host, length_us),
            Fault::Rot { host, rot } => {
                if self.may_lose(host) && self.hosts[host].files.rot(&rot) {
                    self.hosts[host].rotten = true;
                    self.hosts[host].damaged();
                    self.stats.rotten += 1;
                }
            }
            Fault::Misread { host, rot } => {
                self.hosts[host].files.misread_next(rot);
                self.hosts[host].damaged();
            }
            Fault::Names { host, trouble, length_us } => {
                self.dns.trouble(host, Some(trouble));
                self.plan(length_us * 1000, Event::NamesRight(host));
            }
            // What operators do wrong is tried in the lockstep world; see Options::for_world.
            Fault::Change { .. }
            | Fault::WrongList { .. }
            | Fault::Wipe { .. }
            | Fault::Copy { .. }
            | Fault::Restore { .. } => {}
        }
    }

    fn cut(&mut self, fault: &Fault, length_us: u64) {
        let directions = fault.directions(self.members);
        self.stats.cut(fault, directions.len());
        let number = self.network.cut(directions);
        self.plan(length_us * 1000, Event::Heal(number));
    }

    /// Whether this host may be lost for good: a cluster stands it only once it has formed, and
    /// only of a minority.
    fn may_lose(&self, host: usize) -> bool {
        let others = (0..self.members).filter(|other| *other != host);
        let lost = others.filter(|other| self.hosts[*other].rotten).count();
        self.oracles.ledger().last_index() > 0 && lost < (self.members - 1) / 2
    }

    fn crash_soon(&mut self, host: usize, by: Crash, moment: Moment, down_us: u64) {
        match &mut self.hosts[host].running {
            Some(running) if moment != Moment::Now => running.doomed = Some((by, down_us)),
            _ => self.crash(host, by, down_us),
        }
    }

    /// The crash that was put off until a sync is under way.
    pub(super) fn doom(&mut self, process: Process, by: Crash, down_us: u64) {
        if self.healthy.is_none() && self.current(process.host) == Some(process) {
            self.crash(process.host, by, down_us);
        }
    }

    fn crash(&mut self, host: usize, by: Crash, down_us: u64) {
        if self.hosts[host].running.is_some() {
            match by {
                Crash::Power => self.stats.power_losses += 1,
                Crash::Kill => self.stats.kills += 1,
            }
            self.end_process(host, by);
            self.plan_start(host, down_us);
        } else if by == Crash::Power {
            // The machine goes down under a process that is down already.
            self.tcp.lose_power(host);
            self.crash_disk(host);
        }
    }

    fn crash_all(&mut self, by: Crash, down_us: &[u64]) {
        self.stats.all_down += 1;
        for host in 0..self.members {
            // A plan for fewer hosts says nothing of the others.
            self.crash(host, by, down_us.get(host).copied().unwrap_or(0));
        }
    }

    fn fill_disk(&mut self, host: usize, length_us: u64) {
        let here = &mut self.hosts[host];
        if !std::mem::replace(&mut here.full, true) {
            here.files.set_full(true);
            if let Some(running) = &mut here.running {
                running.reasons.excuse();
            }
            self.stats.disks_full += 1;
            self.plan(length_us * 1000, Event::Space(host));
        }
    }

    /// How many nanoseconds the next step of a disk takes.
    pub(super) fn disk_takes(&mut self, process: Process, sync: bool) -> u64 {
        let options = &self.scenario.options;
        let mean = if sync { options.disk_sync_us } else { options.disk_op_us };
        let mut takes = self.chances.disk.wait(mean * 1000);
        if self.healthy.is_none() && self.chances.disk.hit(options.stall_ppm) {
            self.stats.stalls += 1;
            takes += self.chances.disk.wait(options.stall_ms * MS);
        }
        let doomed = self.running(process).filter(|_| sync).and_then(|r| r.doomed.take());
        if let Some((by, down_us)) = doomed {
            // While the sync is under way: that is when there is something to lose.
            let wait = self.chances.disk.below(takes + 1);
            self.plan(wait, Event::Doom(process, by, down_us));
        }
        takes
    }

    /// Whether a sync fails, and if so, with which error.
    pub(super) fn sync_fails(&mut self, process: Process, file: Inode) -> Option<DiskError> {
        let ppm = self.options().sync_error_ppm;
        if self.healthy.is_some() || !self.chances.disk.hit(ppm) {
            return None;
        }
        self.stats.sync_errors += 1;
        let files = &mut self.hosts[process.host].files;
        Some(files.fail_sync(Some(file), &mut self.chances.disk))
    }
}
