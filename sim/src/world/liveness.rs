//! The liveness phase in this world.

use quorate_core::Node;
use quorate_core::view::View;

use super::event::Event;
use super::state::{MS, State};
use crate::oracle::Violation;
use crate::place::calm::{self, Settles};
use crate::record::{What, Who};
use crate::workload::Workload;

/// How often the world looks whether the quorum has settled.
const LOOK: u64 = 50 * MS;

impl Settles for State {
    type Node = Node;

    fn go_on(&mut self, host: usize) {
        if let Some(process) = self.current(host) {
            self.resume(process);
        }
    }

    fn let_go(&mut self) {
        (0..self.clients.len()).for_each(|client| self.give_up(client));
    }

    fn inspect<T>(&self, host: usize, look: impl FnOnce(&Node, Option<&View>) -> T) -> Option<T> {
        let running = self.hosts[host].running.as_ref()?;
        Some(look(&running.node(), running.view.as_deref()))
    }

    fn wall(&self, host: usize) -> i64 {
        self.hosts[host].clock.now(self.now()).wall.unix_nanos()
    }

    fn judge(&mut self, host: usize) -> Result<(), Violation> {
        let Some(running) = &self.hosts[host].running else { return Ok(()) };
        self.oracles.settled(host, &*running.node())
    }

    fn workloads(&mut self) -> &mut Vec<Box<dyn Workload>> {
        &mut self.workloads
    }

    fn progress(&self) -> (bool, bool) {
        (self.progress, self.clients.iter().any(|client| client.waits()))
    }

    fn watch_due(&self) -> Option<String> {
        self.watch_due()
    }
}

impl State {
    /// The faults end.
    pub(super) fn calm(&mut self) {
        let Some(healthy) = calm::begin(self) else {
            self.over = true;
            return;
        };
        self.record(Who::World, || What::Calm(healthy.clone()));
        self.calm_since = self.now();
        self.healthy = Some(healthy.clone());
        calm::put_right(self, &healthy);
        self.calm.notify_waiters();
        self.plan(LOOK, Event::Look);
    }

    /// Looks whether the quorum has settled, or has run out of time.
    pub(super) fn look(&mut self) {
        let Some(healthy) = self.healthy.clone() else { return };
        match calm::missing(self, &healthy) {
            None => {
                self.over = true;
                calm::finish(self, &healthy);
            }
            Some(why) if self.now() > self.calm_since + self.options().liveness_ms * MS => {
                self.violate(calm::too_late(&healthy, &why));
            }
            Some(_) => self.plan(LOOK, Event::Look),
        }
    }
}
