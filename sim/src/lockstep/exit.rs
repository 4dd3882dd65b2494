//! How processes end by themselves.

use quorate_core::node::Exit;

use super::event::Process;
use super::world::World;
use crate::machine::Machine;
use crate::place::Ended;

impl<M: Machine> World<M> {
    /// The node ends its process.
    pub(super) fn halt(&mut self, process: Process, exit: &Exit) {
        let verdict = self.oracles.halted(process.host, exit);
        let host = process.host;
        let Some(running) = self.hosts[host].process(process) else { return };
        let (reasons, stopping) = (running.reasons, running.stopping);
        self.end_process(host, reasons.must_halt());
        self.check(verdict);
        let (asked, files) = (stopping.is_some(), &*self.hosts[host].disk.files());
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
}
