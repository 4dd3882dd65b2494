//! Starting, pausing and stopping the processes of hosts.

use std::collections::VecDeque;

use quorate_core::node::Input;

use super::event::{Event, Process};
use super::host::Running;
use super::world::{MS, World};
use crate::machine::Machine;
use crate::members::config;
use crate::place::{RESTART_US, Reasons};
use crate::record::{What, Who};

impl<M: Machine> World<M> {
    /// Starts the process of a host; `process` is the one that is to come.
    pub(super) fn start(&mut self, process: Process) {
        let host = &mut self.hosts[process.host];
        let vacant = self.places[process.host].is_vacant();
        if host.boot != process.boot || host.running.is_some() || vacant {
            return;
        }
        self.stats.restarts += u64::from(process.boot > 0);
        let origin = self.chances.hosts.below(1 << 50);
        host.clock.restart(self.time, origin);
        let (entropy, seed) = (self.chances.hosts.seed(), self.chances.hosts.seed());
        let known = self.oracles.ledger().configurations();
        let (of, first) = self.places.starts(process.host, known, &mut self.stats);
        let config = config(&self.options, (process.host, of), &first, entropy);
        let machine = M::new(config, seed, host.clock.now(self.time));
        let place = &self.places[process.host];
        let reasons = Reasons::new(place, host.disk.files());
        host.running = Some(Running::new(machine, reasons));
        self.oracles.started(process.host);
        self.recorder.add(self.time, Who::Node(process.host), || What::Start(process.boot));
        self.batch_end(process);
    }

    /// How many microseconds a host stays down whose process ended by itself. What starts it again
    /// gives it at least [`RESTART_US`].
    pub(super) fn down_us(&mut self) -> u64 {
        RESTART_US + self.chances.hosts.wait(self.options.down_ms * 1000)
    }

    /// Puts the next start of a host that is down on the heap.
    pub(super) fn plan_start(&mut self, host: usize, down_us: u64) {
        if self.healthy.as_ref().is_some_and(|healthy| !healthy.contains(&host)) {
            return;
        }
        let wait = if self.healthy.is_some() { 500 * MS } else { down_us * 1000 };
        let process = Process { host, boot: self.hosts[host].boot };
        self.queue.push(self.time + wait, Event::Start(process));
    }

    /// The process that runs on a host now, if one does.
    pub(super) fn current(&self, host: usize) -> Option<Process> {
        let here = &self.hosts[host];
        here.running.as_ref().map(|_| Process { host, boot: here.boot })
    }

    pub(super) fn pause(&mut self, host: usize, length_us: u64) {
        let Some(process) = self.current(host) else { return };
        let Some(running) = self.hosts[host].process(process) else { return };
        if running.paused.is_none() {
            running.paused = Some(VecDeque::new());
            self.stats.pauses += 1;
            self.recorder.add(self.time, Who::Node(host), || What::Pause);
            self.queue.push(self.time + length_us * 1000, Event::Resume(process));
        }
    }

    /// The process goes on: what has waited comes in one batch.
    pub(super) fn resume(&mut self, process: Process) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let Some(waiting) = running.paused.take() else { return };
        self.recorder.add(self.time, Who::Node(process.host), || What::Resume);
        running.batch = true;
        running.look_at = None;
        for input in waiting {
            self.input(process, input);
        }
        self.batch_end(process);
    }

    pub(super) fn stop(&mut self, host: usize, down_us: u64) {
        let Some(process) = self.current(host) else { return };
        let Some(running) = self.hosts[host].process(process) else { return };
        if running.stopping.is_none() {
            running.stopping = Some(down_us);
            self.stats.stops += 1;
            self.queue.push(self.time + 20_000 * MS, Event::StopDeadline(process));
            self.input(process, Input::Stop);
        }
    }

    /// Whoever asked for a graceful stop has lost patience.
    pub(super) fn stop_deadline(&mut self, process: Process) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let Some(down_us) = running.stopping else { return };
        self.end_process(process.host, false);
        self.plan_start(process.host, down_us);
    }
}
