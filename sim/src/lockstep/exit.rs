//! How processes end by themselves: for a reason, and with words that say it.

use quorate_core::node::Exit;

use super::event::Process;
use super::host::{Directory, Loss};
use super::world::World;
use crate::machine::Machine;
use crate::oracle::{Kind, Violation};

/// How often a host that will never run again is started.
const ATTEMPTS: u32 = 3;

/// What a start was refused for.
#[derive(Clone, Copy, Debug)]
enum Cause {
    /// The data was lost, and the cluster knows that there was some.
    Wiped,
    /// The list of members was wrong.
    List,
    /// The resolver told something wrong, or nothing.
    Names,
    /// The data is damaged.
    Damage,
}

impl<M: Machine> World<M> {
    /// The node ends its process.
    pub(super) fn halt(&mut self, process: Process, exit: &Exit) {
        let verdict = self.oracles.halted(process.host, exit);
        let leaves = self.leaves(process.host, exit);
        let Some(running) = self.hosts[process.host].process(process) else { return };
        let (lost_sync, stopping, excused) = (running.must_halt, running.stopping, running.excused);
        let (found, wrong_list) = (running.found, running.wrong_list.is_some());
        let misinformed = running.misinformed;
        if stopping.is_some() && exit.code() == 0 {
            self.stats.stopped += 1;
        }
        self.end_process(process.host, lost_sync);
        let explained = match exit {
            _ if leaves => true,
            Exit::Stopped { .. } => stopping.is_some(),
            Exit::Refused(_) | Exit::Fault(_) if excused => true,
            Exit::Refused(refusal) => {
                let cause = self.cause(process.host, found, wrong_list, misinformed);
                self.count_refusal(cause);
                cause.is_some() && !refusal.message.is_empty() && !refusal.hints.is_empty()
            }
            Exit::Fault(_) => false,
        };
        self.check(verdict);
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
        let host = &mut self.hosts[process.host];
        // What has lost its data, or its place in the cluster, ends in the same way each time.
        host.hopeless += u32::from(leaves || host.lost.is_some());
        if host.hopeless < ATTEMPTS {
            self.plan_start(process.host, down_us);
        }
    }

    /// What a start can have been refused for.
    fn cause(
        &mut self,
        host: usize,
        found: Option<Directory>,
        wrong_list: bool,
        misinformed: bool,
    ) -> Option<Cause> {
        let here = &mut self.hosts[host];
        if here.lost == Some(Loss::Wiped) {
            return Some(Cause::Wiped);
        }
        // A member that took part once looks at no list any more.
        if wrong_list && !here.formed {
            return Some(Cause::List);
        }
        if misinformed && !here.formed {
            return Some(Cause::Names);
        }
        let files = here.disk.files();
        let misled = found.is_some_and(|found| files.misreads() > found.misreads);
        let damaged = here.lost == Some(Loss::Rot) || misled;
        // Whoever refuses damaged data leaves it as it is.
        let untouched = found.is_some_and(|found| files.digest() == found.digest);
        (damaged && untouched).then_some(Cause::Damage)
    }

    const fn count_refusal(&mut self, cause: Option<Cause>) {
        match cause {
            Some(Cause::Wiped) => self.stats.wiped_refused += 1,
            Some(Cause::List) => self.stats.lists_refused += 1,
            Some(Cause::Names) => self.stats.names_refused += 1,
            Some(Cause::Damage) => self.stats.damage_refused += 1,
            None => {}
        }
    }
}
