//! The liveness phase in this world. Clients keep quiet at first: a leader must find out by itself
//! what is committed.

use quorate_core::view::View;

use super::event::Event;
use super::world::{MS, World};
use crate::machine::Machine;
use crate::oracle::Violation;
use crate::place::calm::{self, Settles};
use crate::record::{What, Who};
use crate::workload::Workload;

/// How often the world looks whether the quorum has settled.
const LOOK: u64 = 50 * MS;

impl<M: Machine> Settles for World<M> {
    type Node = M;

    fn go_on(&mut self, host: usize) {
        if let Some(process) = self.current(host) {
            self.resume(process);
        }
    }

    fn let_go(&mut self) {
        self.drop_requests();
    }

    fn inspect<T>(&self, host: usize, look: impl FnOnce(&M, Option<&View>) -> T) -> Option<T> {
        let running = self.hosts[host].running.as_ref()?;
        Some(look(&running.machine, running.view.as_deref()))
    }

    fn wall(&self, host: usize) -> i64 {
        self.hosts[host].clock.now(self.time).wall.unix_nanos()
    }

    fn judge(&mut self, host: usize) -> Result<(), Violation> {
        let Some(running) = &self.hosts[host].running else { return Ok(()) };
        self.oracles.settled(host, &running.machine)
    }

    fn workloads(&mut self) -> &mut Vec<Box<dyn Workload>> {
        &mut self.workloads
    }

    fn progress(&self) -> (bool, bool) {
        (self.progress, self.clients_wait())
    }

    fn watch_due(&self) -> Option<String> {
        self.watch_due()
    }
}

impl<M: Machine> World<M> {
    /// The faults end.
    pub(super) fn calm(&mut self) {
        let Some(healthy) = calm::begin(self) else {
            self.over = true;
            return;
        };
        self.recorder.add(self.time, Who::World, || What::Calm(healthy.clone()));
        self.calm_since = self.time;
        self.healthy = Some(healthy.clone());
        self.quiet = true;
        calm::put_right(self, &healthy);
        self.drop_requests();
        self.queue.push(self.time + LOOK, Event::Settled);
    }

    /// Looks whether the quorum has settled, or has run out of time.
    pub(super) fn settled(&mut self) {
        if let Some(healthy) = self.healthy.as_mut().filter(|_| self.options.extra > 0) {
            self.places.retain_members(healthy, &self.oracles);
        }
        let Some(healthy) = self.healthy.clone() else { return };
        if self.quiet && self.leader_has_committed(&healthy) {
            self.quiet = false;
            (0..self.clients.len()).for_each(|client| self.act(client));
        }
        match self.missing(&healthy) {
            None => {
                self.over = true;
                calm::finish(self, &healthy);
            }
            Some(why) if self.time > self.calm_since + self.options.liveness_ms * MS => {
                self.violate(calm::too_late(&healthy, &why));
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
    fn missing(&mut self, healthy: &[usize]) -> Option<String> {
        if !self.quiet {
            return calm::missing(self, healthy);
        }
        let quorum = calm::standings(self, healthy);
        Some(format!("no leader has committed anything by itself: {quorum:?}"))
    }
}
