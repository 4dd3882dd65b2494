//! Faults: each recurs with a mean of its own, as long as the safety phase lasts.

use super::event::{Event, Fault, Process};
use super::trace::trace;
use super::world::{MS, World};
use crate::machine::Machine;

impl<M: Machine> World<M> {
    const fn mean(&self, fault: Fault) -> u64 {
        let options = &self.options;
        match fault {
            Fault::Partition => options.partition_mean_ms,
            Fault::OneWay => options.one_way_mean_ms,
            Fault::Isolate => options.isolate_mean_ms,
            Fault::Power => options.power_mean_ms,
            Fault::Kill => options.kill_mean_ms,
            Fault::All => options.all_mean_ms,
            Fault::Stop => options.stop_mean_ms,
            Fault::Pause => options.pause_mean_ms,
            Fault::Jump => options.jump_mean_ms,
            Fault::Full => options.full_mean_ms,
        }
    }

    pub(super) fn schedule_faults(&mut self) {
        use Fault::{All, Full, Isolate, Jump, Kill, OneWay, Partition, Pause, Power, Stop};
        for fault in [Partition, OneWay, Isolate, Power, Kill, All, Stop, Pause, Jump, Full] {
            self.schedule(fault);
        }
    }

    fn schedule(&mut self, fault: Fault) {
        let mean = self.mean(fault);
        if mean > 0 {
            let wait = self.chances.faults.wait(mean * MS);
            self.queue.push(self.time + wait, Event::Fault(fault));
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.healthy.is_some() {
            return;
        }
        self.schedule(fault);
        let host = self.chances.faults.index(self.hosts.len());
        trace!(self, "", "fault", "{fault:?} n{host}");
        match fault {
            Fault::Partition => self.partition(),
            Fault::OneWay => self.one_way(),
            Fault::Isolate => self.isolate(host),
            Fault::Power => self.crash_soon(host, true),
            Fault::Kill => self.crash_soon(host, false),
            Fault::All => self.crash_all(),
            Fault::Stop => self.stop(host),
            Fault::Pause => self.pause(host),
            Fault::Jump => self.jump(host),
            Fault::Full => self.fill_disk(host),
        }
    }

    fn cut(&mut self, pairs: Vec<(usize, usize)>) {
        let number = self.network.cut(pairs);
        let length = self.chances.faults.wait(self.options.cut_length_ms * MS);
        self.queue.push(self.time + length, Event::Heal(number));
    }

    fn partition(&mut self) {
        let members = self.hosts.len();
        let side: Vec<bool> = (0..members).map(|_| self.chances.faults.coin()).collect();
        let pairs: Vec<_> = pairs(members).filter(|(a, b)| side[*a] != side[*b]).collect();
        self.stats.partitions += u64::from(!pairs.is_empty());
        self.cut(pairs);
    }

    fn one_way(&mut self) {
        let members = self.hosts.len();
        let pairs: Vec<_> = pairs(members).filter(|_| self.chances.faults.below(3) == 0).collect();
        self.stats.one_way_cuts += pairs.len() as u64;
        self.cut(pairs);
    }

    fn isolate(&mut self, host: usize) {
        let pairs: Vec<_> =
            pairs(self.hosts.len()).filter(|(a, b)| *a == host || *b == host).collect();
        self.stats.isolations += u64::from(!pairs.is_empty());
        self.cut(pairs);
    }

    /// A crash now, or in the middle of the next sync.
    fn crash_soon(&mut self, host: usize, power: bool) {
        let later = self.chances.faults.coin();
        match &mut self.hosts[host].running {
            Some(running) if later => running.doomed = Some(power),
            _ => self.crash(host, power),
        }
    }

    /// The crash that was put off until a sync is under way.
    pub(super) fn doom(&mut self, process: Process, power: bool) {
        if self.healthy.is_none() && self.current(process.host) == Some(process) {
            self.crash(process.host, power);
        }
    }

    fn crash(&mut self, host: usize, power: bool) {
        if self.hosts[host].running.is_some() {
            let counter = if power { &mut self.stats.power_losses } else { &mut self.stats.kills };
            *counter += 1;
            self.end_process(host, power);
            self.plan_start(host);
        } else if power {
            // The machine goes down under a process that is down already.
            self.hosts[host].disk.lose_power(&mut self.chances.disk);
        }
    }

    fn crash_all(&mut self) {
        self.stats.all_down += 1;
        let power = self.chances.faults.coin();
        for host in 0..self.hosts.len() {
            self.crash(host, power);
        }
    }

    fn jump(&mut self, host: usize) {
        let far = [1000, 60_000, 3_600_000, 86_400_000 * 400][self.chances.faults.index(4)];
        let by = self.chances.faults.between(0, 2 * far * MS) as i64 - (far * MS) as i64;
        self.hosts[host].clock.jump(by);
        self.stats.jumps += 1;
    }

    fn fill_disk(&mut self, host: usize) {
        let here = &mut self.hosts[host];
        if !std::mem::replace(&mut here.full, true) {
            here.disk.set_full(true);
            if let Some(running) = &mut here.running {
                running.excused = true;
            }
            self.stats.disks_full += 1;
            let length = self.chances.faults.wait(self.options.full_length_ms * MS);
            self.queue.push(self.time + length, Event::Space(host));
        }
    }
}

/// All directions between two members.
fn pairs(members: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..members).flat_map(move |a| (0..members).map(move |b| (a, b))).filter(|(a, b)| a != b)
}
