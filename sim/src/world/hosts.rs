//! Starting, pausing and ending the processes of hosts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate_core::Node;
use quorate_core::node::Exit;
use quorate_shell::{Driver, Options};

use super::event::Event;
use super::host::Running;
use super::machine::Watched;
use super::platform::Simulated;
use super::process::Process;
use super::state::{MS, State, World};
use crate::disk::Damage;
use crate::members::config;
use crate::place::{Ended, RESTART_US, Reasons};
use crate::plan::Crash;
use crate::record::{What, Who};

/// How long whoever asks for a graceful stop is patient.
const STOP_PATIENCE: u64 = 20_000 * MS;

impl World {
    /// Starts the process of a host; `process` is the one that is to come.
    pub(super) fn start(&self, process: Process) {
        let state = &mut *self.lock();
        let time = state.now();
        let host = &mut state.hosts[process.host];
        let vacant = state.places[process.host].is_vacant();
        if host.boot != process.boot || host.running.is_some() || vacant {
            return;
        }
        state.stats.restarts += u64::from(process.boot > 0);
        state.tcp.power_up(process.host);
        let chance = &mut state.chances.hosts;
        host.clock.restart(time, chance.below(1 << 50));
        let (entropy, seed) = (chance.seed(), chance.seed());
        let known = state.oracles.ledger().configurations();
        let (of, first) = state.places.starts(process.host, known, &mut state.stats);
        let config = config(&state.scenario.options, (process.host, of), &first, entropy);
        let options = Options::of(&config);
        let node = Arc::new(Mutex::new(Node::new(config, seed, host.clock.now(time))));
        state.runtime.restart(host.id);
        let Some(spawner) = state.runtime.get_node(host.id) else { return };
        let platform = Simulated { world: self.clone(), process, spawner: spawner.clone() };
        let machine = Watched { world: self.clone(), process, node: Arc::clone(&node) };
        let driver = Driver::new(platform, machine, options);
        let place = &state.places[process.host];
        let reasons = Reasons::new(place, &host.files);
        host.running = Some(Running::new(node, driver.stopper(), reasons));
        state.oracles.started(process.host);
        state.record(Who::Node(process.host), || What::Start(process.boot));
        let world = self.clone();
        drop(spawner.spawn(async move {
            let exit = driver.run().await;
            world.lock().exited(process, &exit);
        }));
    }
}

impl State {
    /// Plans the next start of a host that is down.
    pub(super) fn plan_start(&mut self, host: usize, down_us: u64) {
        if self.healthy.as_ref().is_some_and(|healthy| !healthy.contains(&host)) {
            return;
        }
        let wait = if self.healthy.is_some() { 100 * MS } else { down_us * 1000 };
        let process = Process { host, boot: self.hosts[host].boot };
        // The machine is there some time before the process.
        self.plan(wait / 2, Event::Power(host));
        self.plan(wait, Event::Start(process));
    }

    /// How many microseconds a host stays down whose process ended by itself.
    fn down_us(&mut self) -> u64 {
        let down_ms = self.options().down_ms;
        RESTART_US + self.chances.hosts.wait(down_ms * 1000)
    }

    /// A process has ended by itself.
    fn exited(&mut self, process: Process, exit: &Exit) {
        let Some(running) = self.running(process) else { return };
        let (reasons, stopping) = (running.reasons, running.stopping);
        let host = process.host;
        let verdict = self.oracles.halted(host, exit);
        self.check(verdict);
        // The disk that failed a sync keeps what it kept.
        let by = if reasons.must_halt() { Crash::Power } else { Crash::Kill };
        self.end_process(host, by);
        let (asked, files) = (stopping.is_some(), &self.hosts[host].files);
        let ended = Ended { host, exit, asked, files };
        let known = self.oracles.ledger().configurations();
        match self.places.ended(&ended, &reasons, known, &mut self.stats) {
            Err(violation) => self.violate(violation),
            Ok(fate) => {
                if let Some(healthy) = self.healthy.as_mut().filter(|_| fate.leaves) {
                    healthy.retain(|other| *other != host);
                }
                let down_us = stopping.unwrap_or_else(|| self.down_us());
                if fate.again {
                    self.plan_start(host, down_us);
                }
            }
        }
    }

    /// Ends the process of a host. Its connections are taken from it before its tasks end, so that
    /// what those do while they are dropped reaches nobody; its disk is struck last.
    pub(super) fn end_process(&mut self, host: usize, by: Crash) {
        let boot = self.hosts[host].boot;
        let Some(running) = self.hosts[host].running.take() else { return };
        match by {
            Crash::Power => self.tcp.lose_power(host),
            Crash::Kill => self.wired(|tcp, wire| tcp.end_process(wire, Process { host, boot })),
        }
        let here = &mut self.hosts[host];
        here.boot += 1;
        // Tasks that are paused would be dropped here and now, under the lock.
        self.runtime.resume(here.id);
        self.runtime.kill(here.id);
        match by {
            Crash::Power => self.crash_disk(host),
            Crash::Kill => here.files.kill(),
        }
        let verdict = self.oracles.ended(host, &*running.node());
        self.check(verdict);
        let how = if by == Crash::Power { "without power" } else { "without its memory" };
        self.record(Who::Node(host), || What::End(how));
    }

    /// The power of a disk fails.
    pub(super) fn crash_disk(&mut self, host: usize) {
        let Damage { writes_dropped, writes_torn, entries_dropped } =
            self.hosts[host].files.lose_power(&mut self.chances.disk);
        self.stats.writes_dropped += writes_dropped;
        self.stats.writes_torn += writes_torn;
        self.stats.entries_dropped += entries_dropped;
    }

    pub(super) fn pause(&mut self, host: usize, length_us: u64) {
        let Some(process) = self.current(host) else { return };
        let id = self.hosts[host].id;
        let Some(running) = self.running(process) else { return };
        if !std::mem::replace(&mut running.paused, true) {
            self.stats.pauses += 1;
            self.runtime.pause(id);
            self.record(Who::Node(host), || What::Pause);
            self.plan(length_us * 1000, Event::Resume(process));
        }
    }

    pub(super) fn resume(&mut self, process: Process) {
        let id = self.hosts[process.host].id;
        let Some(running) = self.running(process) else { return };
        if std::mem::take(&mut running.paused) {
            self.runtime.resume(id);
            self.record(Who::Node(process.host), || What::Resume);
        }
    }

    pub(super) fn stop(&mut self, host: usize, down_us: u64) {
        let Some(process) = self.current(host) else { return };
        let Some(running) = self.running(process) else { return };
        if running.stopping.is_none() {
            running.stopping = Some(down_us);
            running.stopper.stop();
            self.stats.stops += 1;
            self.plan(STOP_PATIENCE, Event::StopDeadline(process));
        }
    }

    /// Whoever asked for a graceful stop has lost patience.
    pub(super) fn stop_deadline(&mut self, process: Process) {
        let Some(running) = self.running(process) else { return };
        let Some(down_us) = running.stopping else { return };
        self.end_process(process.host, Crash::Kill);
        self.plan_start(process.host, down_us);
    }

    /// How many nanoseconds of true time a process that sleeps for `duration` sleeps.
    pub(super) fn sleeps(&mut self, host: usize, duration: Duration) -> u64 {
        let late = self.chances.hosts.below(self.options().timer_late_us * 1000 + 1);
        let (now, clock) = (self.now(), self.hosts[host].clock);
        clock.time_of(clock.now(now).mono + duration).saturating_sub(now) + late
    }
}
