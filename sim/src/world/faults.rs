//! What only this world can do to its hosts; which faults there are, and when they strike, is the
//! same in both worlds.

use quorate_core::api::MembersRequest;
use quorate_core::disk::DiskError;

use super::event::Event;
use super::process::Process;
use super::state::{MS, State};
use crate::disk::{FileSystem, Inode};
use crate::oracle::Violation;
use crate::outside::discovery::Trouble;
use crate::place::{Doom, Faults as _, Hosts, Later, Parts};
use crate::plan::{Crash, Fault, Moment};
use crate::record::{What, Who};

impl Hosts for State {
    fn parts(&mut self) -> Parts<'_> {
        self.time_passes();
        Parts {
            options: &self.scenario.options,
            plan: &self.scenario.plan,
            places: &mut self.places,
            oracles: &mut self.oracles,
            network: &mut self.network,
            dns: &mut self.dns,
            certificates: &mut self.certificates,
            stats: &mut self.stats,
            is_calm: self.healthy.is_some(),
        }
    }

    fn record_fault(&self, fault: &Fault) {
        self.record(Who::World, || What::Fault(fault.clone()));
    }

    fn plan_later(&mut self, after_us: u64, later: Later) {
        self.plan(after_us * 1000, Event::Later(later));
    }

    fn files(&mut self, host: usize) -> &mut FileSystem {
        &mut self.hosts[host].files
    }

    fn runs(&self, host: usize) -> bool {
        self.hosts[host].running.is_some()
    }

    fn leads(&self, host: usize) -> bool {
        self.hosts[host].running.as_ref().is_some_and(|running| running.leads)
    }

    fn end_process(&mut self, host: usize, by: Crash) {
        self.end_process(host, by);
    }

    fn lose_power(&mut self, host: usize) {
        self.tcp.lose_power(host);
        self.crash_disk(host);
    }

    fn plan_start(&mut self, host: usize, down_us: u64) {
        self.plan_start(host, down_us);
    }

    /// Whatever it waits for, the crash comes with the next sync.
    fn put_off(&mut self, host: usize, _: Moment, doom: Doom) -> bool {
        let running = self.hosts[host].running.as_mut();
        running.map(|running| running.doomed = Some(doom)).is_some()
    }

    fn stop(&mut self, host: usize, down_us: u64) {
        self.stop(host, down_us);
    }

    fn pause(&mut self, host: usize, length_us: u64) {
        self.pause(host, length_us);
    }

    fn jump(&mut self, host: usize, by_ms: i64) {
        self.hosts[host].clock.jump(by_ms * MS as i64);
        self.oracles.clock_is_ahead(host, self.hosts[host].clock.ahead());
    }

    fn set_full(&mut self, host: usize, full: bool) -> bool {
        let here = &mut self.hosts[host];
        here.files.set_full(full);
        std::mem::replace(&mut here.full, full) != full
    }

    fn damaged(&mut self, host: usize) {
        let here = &mut self.hosts[host];
        if let Some(running) = &mut here.running {
            running.reasons.damaged(&self.places[host], &here.files);
        }
    }

    fn has_wrong_list(&self, host: usize) -> bool {
        let running = self.hosts[host].running.as_ref();
        running.is_some_and(|running| running.reasons.has_wrong_list())
    }

    fn choose(&mut self, below: usize) -> usize {
        self.chances.hosts.index(below)
    }

    fn ask(&mut self, host: usize, number: usize, request: MembersRequest) {
        self.plan(0, Event::Ask { host, number, request });
    }

    fn check(&mut self, verdict: Result<(), Violation>) {
        self.check(verdict);
    }

    fn service(&mut self, trouble: Option<Trouble>) {
        self.trouble_service(trouble);
    }
}

impl State {
    /// The crash that was put off until a sync is under way.
    pub(super) fn doom(&mut self, process: Process, doom: Doom) {
        if self.healthy.is_none() && self.current(process.host) == Some(process) {
            self.crash(process.host, doom);
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
        if let Some(doom) = doomed {
            // While the sync is under way: that is when there is something to lose.
            let wait = self.chances.disk.below(takes + 1);
            self.plan(wait, Event::Doom(process, doom));
        }
        takes
    }

    /// Whether a sync fails, and if so, with which error.
    pub(super) fn sync_fails(&mut self, process: Process, file: Inode) -> Option<DiskError> {
        let ppm = self.options().sync_error_ppm;
        let spared = self.healthy.is_some() || process.host >= self.members;
        if spared || !self.chances.disk.hit(ppm) {
            return None;
        }
        self.stats.sync_errors += 1;
        let files = &mut self.hosts[process.host].files;
        Some(files.fail_sync(Some(file), &mut self.chances.disk))
    }
}
