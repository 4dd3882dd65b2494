//! How processes end by themselves: for a reason, and with words that say it.

use quorate_core::error::Refusal;
use quorate_core::node::Exit;

use super::event::Process;
use super::host::Directory;
use super::world::World;
use crate::machine::Machine;
use crate::oracle::{Kind, Violation};

impl<M: Machine> World<M> {
    /// The node ends its process.
    pub(super) fn halt(&mut self, process: Process, exit: &Exit) {
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let (lost_sync, stopping) = (running.must_halt, running.stopping);
        let (excused, found) = (running.excused, running.found);
        if stopping.is_some() && exit.code() == 0 {
            self.stats.stopped += 1;
        }
        self.end_process(process.host, lost_sync);
        let explained = match (exit, found) {
            (Exit::Stopped { .. }, _) => stopping.is_some(),
            (Exit::Refused(_) | Exit::Fault(_), _) if excused => true,
            (Exit::Refused(refusal) | Exit::Fault(refusal), Some(found)) => {
                self.refused_damage(process.host, refusal, found)
            }
            (Exit::Refused(_) | Exit::Fault(_), None) => false,
        };
        if !explained {
            self.violate(Violation {
                kind: Kind::Crash,
                oracle: "explained_exit",
                node: Some(process.host),
                index: None,
                detail: format!("{exit:?}"),
            });
        }
        let down_us = stopping.unwrap_or_else(|| self.down_us());
        self.plan_start(process.host, down_us);
    }

    /// A start was refused. Says whether damage of the data directory is the reason, with words
    /// that help, and without a change of anything.
    fn refused_damage(&mut self, host: usize, refusal: &Refusal, found: Directory) -> bool {
        let here = &mut self.hosts[host];
        let misled = here.disk.files().misreads() > found.misreads;
        self.stats.damage_refused += 1;
        let helps = !refusal.message.is_empty() && !refusal.hints.is_empty();
        (here.rotten || misled) && helps && here.disk.files().digest() == found.digest
    }
}
