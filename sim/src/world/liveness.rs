//! The liveness phase: faults end for the quorum of the plan, which then must elect a leader,
//! commit a write, and come to rest with equal logs and states. The others stay down or cut off.

use quorate_core::api::Verb;

use super::event::Event;
use super::host::Host;
use super::process::Process;
use super::state::{MS, State};
use crate::machine::Machine as _;
use crate::oracle::{Kind, Violation};
use crate::place::{Faults, Later};
use crate::plan::{Crash, Fault};
use crate::record::{What, Who};
use crate::settling::{Standing, unpromoted, unsettled};
use crate::workload::request;

/// How often the world looks whether the quorum has settled.
const LOOK: u64 = 50 * MS;

impl State {
    /// The faults end.
    pub(super) fn calm(&mut self) {
        Faults::happen(self, Later::PutBack);
        let chosen = self.places.choose_quorum(&self.scenario.plan.calm, &self.oracles);
        let Some(healthy) = chosen else {
            self.stats.stranded += 1;
            self.over = true;
            return;
        };
        self.record(Who::World, || What::Calm(healthy.clone()));
        self.network.calm();
        self.calm_since = self.now();
        self.healthy = Some(healthy.clone());
        for host in 0..self.members {
            for later in [Later::Space(host), Later::RightList(host), Later::NamesRight(host)] {
                Faults::happen(self, later);
            }
            self.hosts[host].files.read_right();
            if healthy.contains(&host) {
                self.make_healthy(host);
            } else {
                self.leave_behind(host);
            }
        }
        self.calm.notify_waiters();
        self.plan(LOOK, Event::Look);
    }

    fn make_healthy(&mut self, host: usize) {
        match self.current(host) {
            None => {
                let process = Process { host, boot: self.hosts[host].boot };
                self.plan(100 * MS, Event::Start(process));
            }
            Some(process) => self.resume(process),
        }
    }

    fn leave_behind(&mut self, host: usize) {
        if self.scenario.plan.calm.down.contains(&host) {
            self.end_process(host, Crash::Kill);
        }
        let cut = Fault::Isolate { host, length_us: 0 };
        self.network.cut(cut.directions(self.members));
    }

    /// Looks whether the quorum has settled, or has run out of time.
    pub(super) fn look(&mut self) {
        let Some(healthy) = self.healthy.clone() else { return };
        let last = self.oracles.ledger().last_index();
        let waits = self.clients.iter().any(|client| client.waits());
        let learners = self.places.learners(&healthy, self.oracles.ledger().configurations());
        let missing = unsettled(&self.standings(&healthy), self.progress, waits, last)
            .or_else(|| unpromoted(&learners))
            .or_else(|| self.watch_due())
            .or_else(|| self.owed(&healthy));
        match missing {
            None => {
                self.over = true;
                self.finish(&healthy);
            }
            Some(why) if self.now() > self.calm_since + self.options().liveness_ms * MS => {
                let (kind, node, index) = (Kind::Liveness, None, None);
                let detail = format!("healthy {healthy:?}: {why}");
                self.violate(Violation { kind, oracle: "liveness", node, index, detail });
            }
            Some(_) => self.plan(LOOK, Event::Look),
        }
    }

    fn standings(&self, healthy: &[usize]) -> Vec<Standing> {
        let read = request(Verb::Get, "/1", "");
        let standing = |host: &usize| {
            let running = self.hosts[*host].running.as_ref();
            Standing {
                host: *host,
                runs: running.is_some(),
                leads: running.is_some_and(|r| r.leads),
                reads: running.is_some_and(|r| r.node().read(r.view.as_deref(), &read).is_some()),
                applied: self.oracles.applied_index(*host),
            }
        };
        healthy.iter().map(standing).collect()
    }

    /// What should have happened by now by the leader's clock, in words.
    fn owed(&self, healthy: &[usize]) -> Option<String> {
        let leads = |host: &&Host| host.running.as_ref().is_some_and(|running| running.leads);
        let leader = healthy.iter().map(|host| &self.hosts[*host]).find(leads)?;
        let running = leader.running.as_ref()?;
        let wall = leader.clock.now(self.now()).wall.unix_nanos();
        let read = |request: &_| running.node().read(running.view.as_deref(), request);
        self.workloads.iter().find_map(|workload| workload.owes(wall, &read))
    }

    fn finish(&mut self, healthy: &[usize]) {
        for host in healthy {
            let Some(running) = &self.hosts[*host].running else { return };
            let verdict = self.oracles.settled(*host, &*running.node());
            self.check(verdict);
        }
        let Some(running) = &self.hosts[healthy[0]].running else { return };
        let read = |request: &_| running.node().read(running.view.as_deref(), request);
        let mut verdict = Ok(());
        for workload in &mut self.workloads {
            verdict = verdict.and_then(|()| workload.finish(&mut self.stats, &read));
        }
        self.check(verdict);
    }
}
