//! What only this world can do to its hosts; which faults there are, and when they strike, is the
//! same in both worlds.

use quorate_core::api::{MembersRequest, Request};
use quorate_core::node::Input;

use super::event::{Event, Process};
use super::world::{MS, World};
use crate::disk::FileSystem;
use crate::machine::Machine;
use crate::oracle::Violation;
use crate::outside::discovery::Trouble;
use crate::place::{Doom, Faults as _, Hosts, Later, Parts};
use crate::plan::{Crash, Fault, Moment};
use crate::record::{What, Who};

/// Within this time after an election comes a crash that waits for one: about what it takes to make
/// a vote durable and to tell it.
const AFTER_ELECTION: u64 = 30 * MS;

impl<M: Machine> Hosts for World<M> {
    fn parts(&mut self) -> Parts<'_> {
        Parts {
            options: &self.options,
            plan: &self.plan,
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
        self.recorder.add(self.time, Who::World, || What::Fault(fault.clone()));
    }

    fn plan_later(&mut self, after_us: u64, later: Later) {
        self.queue.push(self.time + after_us * 1000, Event::Later(later));
    }

    fn files(&mut self, host: usize) -> &mut FileSystem {
        self.hosts[host].disk.files()
    }

    fn runs(&self, host: usize) -> bool {
        self.hosts[host].running.is_some()
    }

    fn leads(&self, host: usize) -> bool {
        self.hosts[host].running.as_ref().is_some_and(|running| running.leads())
    }

    fn end_process(&mut self, host: usize, by: Crash) {
        self.end_process(host, by == Crash::Power);
    }

    fn lose_power(&mut self, host: usize) {
        self.hosts[host].disk.lose_power(&mut self.chances.disk);
    }

    fn plan_start(&mut self, host: usize, down_us: u64) {
        self.plan_start(host, down_us);
    }

    fn put_off(&mut self, host: usize, moment: Moment, doom: Doom) -> bool {
        let running = self.hosts[host].running.as_mut();
        running.map(|running| running.doomed = Some((moment, doom))).is_some()
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
        here.disk.set_full(full);
        std::mem::replace(&mut here.full, full) != full
    }

    fn damaged(&mut self, host: usize) {
        let here = &mut self.hosts[host];
        if let Some(running) = &mut here.running {
            running.reasons.damaged(&self.places[host], here.disk.files());
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
        let Some(process) = self.current(host) else { return };
        let (wait, id) = (self.client_delay(), self.next_request());
        if let Some(running) = self.hosts[host].process(process) {
            running.operations.insert(id, number);
        }
        let input = Input::Client { id, request: Request::Members(request) };
        self.queue.push(self.time + wait, Event::Input(process, Box::new(input)));
    }

    fn check(&mut self, verdict: Result<(), Violation>) {
        self.check(verdict);
    }

    fn service(&mut self, trouble: Option<Trouble>) {
        self.discovery.trouble(trouble);
    }
}

impl<M: Machine> World<M> {
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
}
