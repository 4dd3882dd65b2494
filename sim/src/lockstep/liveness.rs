//! The liveness phase: faults end for a random quorum, which then must elect a leader, commit a
//! write, and come to rest with equal logs and states. The others stay down or cut off.
//!
//! Clients keep quiet at first: a leader must find out by itself what is committed.

use quorate_core::api::Verb;

use super::event::{Event, Process};
use super::host::Host;
use super::world::{MS, World};
use crate::machine::Machine;
use crate::oracle::{Kind, Violation};
use crate::place::{Faults as _, Later};
use crate::plan::Fault;
use crate::record::{What, Who};
use crate::settling::{Standing, unpromoted, unsettled};
use crate::workload::request;

/// How often the world looks whether the quorum has settled.
const LOOK: u64 = 50 * MS;

impl<M: Machine> World<M> {
    /// The faults end.
    pub(super) fn calm(&mut self) {
        self.happen(Later::PutBack);
        let chosen = self.places.choose_quorum(&self.plan.calm, &self.oracles);
        let Some(healthy) = chosen else {
            self.stats.stranded += 1;
            self.over = true;
            return;
        };
        self.recorder.add(self.time, Who::World, || What::Calm(healthy.clone()));
        self.network.calm();
        self.calm_since = self.time;
        self.healthy = Some(healthy.clone());
        self.quiet = true;
        for host in 0..self.hosts.len() {
            for later in [Later::Space(host), Later::RightList(host), Later::NamesRight(host)] {
                self.happen(later);
            }
            self.hosts[host].disk.files().read_right();
            if healthy.contains(&host) {
                self.make_healthy(host);
            } else {
                self.leave_behind(host);
            }
        }
        self.drop_requests();
        self.queue.push(self.time + LOOK, Event::Settled);
    }

    fn make_healthy(&mut self, host: usize) {
        match self.current(host) {
            None => {
                let process = Process { host, boot: self.hosts[host].boot };
                self.queue.push(self.time + 100 * MS, Event::Start(process));
            }
            Some(process) => self.resume(process),
        }
    }

    fn leave_behind(&mut self, host: usize) {
        if self.plan.calm.down.contains(&host) {
            self.end_process(host, false);
        }
        let cut = Fault::Isolate { host, length_us: 0 };
        self.network.cut(cut.directions(self.hosts.len()));
    }

    /// Looks whether the quorum has settled, or has run out of time.
    pub(super) fn settled(&mut self) {
        let Some(healthy) = self.healthy.clone() else { return };
        if self.quiet && self.leader_has_committed(&healthy) {
            self.quiet = false;
            (0..self.clients.len()).for_each(|client| self.act(client));
        }
        match self.unsettled(&healthy) {
            None => {
                self.over = true;
                self.finish(&healthy);
            }
            Some(why) if self.time > self.calm_since + self.options.liveness_ms * MS => {
                let (kind, node, index) = (Kind::Liveness, None, None);
                let detail = format!("healthy {healthy:?}: {why}");
                self.violate(Violation { kind, oracle: "liveness", node, index, detail });
            }
            Some(_) => self.queue.push(self.time + LOOK, Event::Settled),
        }
    }

    /// Whether one of them leads and has committed an entry of its own term.
    fn leader_has_committed(&self, healthy: &[usize]) -> bool {
        let ledger = self.oracles.ledger();
        let last = ledger.get(ledger.last_index()).map(|entry| entry.term);
        let running = |host: &usize| self.hosts[*host].running.as_ref();
        last.is_some() && healthy.iter().filter_map(running).any(|running| running.leads_in == last)
    }

    /// What is still missing, in words.
    fn unsettled(&self, healthy: &[usize]) -> Option<String> {
        let read = request(Verb::Get, "/1", "");
        let standing = |host: &usize| {
            let running = self.hosts[*host].running.as_ref();
            Standing {
                host: *host,
                runs: running.is_some(),
                leads: running.is_some_and(|r| r.leads()),
                reads: running.is_some_and(|r| r.machine.read(r.view.as_deref(), &read).is_some()),
                applied: self.oracles.applied_index(*host),
            }
        };
        let quorum: Vec<Standing> = healthy.iter().map(standing).collect();
        let last = self.oracles.ledger().last_index();
        if self.quiet {
            return Some(format!("no leader has committed anything by itself: {quorum:?}"));
        }
        let learners = self.places.learners(healthy, self.oracles.ledger().configurations());
        unsettled(&quorum, self.progress, self.clients_wait(), last)
            .or_else(|| unpromoted(&learners))
            .or_else(|| self.watch_due())
            .or_else(|| self.owed(healthy))
    }

    /// What should have happened by now by the leader's clock, in words.
    fn owed(&self, healthy: &[usize]) -> Option<String> {
        let leader = healthy.iter().map(|host| &self.hosts[*host]);
        let leads = |host: &&Host<M>| host.running.as_ref().is_some_and(|running| running.leads());
        let leader = leader.into_iter().find(leads)?;
        let running = leader.running.as_ref()?;
        let wall = leader.clock.now(self.time).wall.unix_nanos();
        let read = |request: &_| running.machine.read(running.view.as_deref(), request);
        self.workloads.iter().find_map(|workload| workload.owes(wall, &read))
    }

    fn finish(&mut self, healthy: &[usize]) {
        for host in healthy {
            let Some(running) = &self.hosts[*host].running else { return };
            let verdict = self.oracles.settled(*host, &running.machine);
            self.check(verdict);
        }
        let Some(running) = &self.hosts[healthy[0]].running else { return };
        let read = |request: &_| running.machine.read(running.view.as_deref(), request);
        let mut verdict = Ok(());
        for workload in &mut self.workloads {
            verdict = verdict.and_then(|()| workload.finish(&mut self.stats, &read));
        }
        self.check(verdict);
    }
}
