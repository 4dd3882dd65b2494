//! What is tried, in this order: first what takes most away.

use super::Shrinking;
use crate::options::Options;
use crate::plan::Fault;

/// Faults that are shorter are not made shorter still.
const SHORT_US: u64 = 100_000;

/// Options that can be made simpler, and to what: fewer of what there is, less of what it takes,
/// nothing that is not needed. Those by which the plan was drawn mean nothing any more once there is
/// one.
const SIMPLER: &[(&str, &[u64])] = &[
    ("extra", &[0]),
    ("real_service", &[0]),
    ("discovery", &[0]),
    ("srv", &[0]),
    ("addresses", &[0]),
    ("tls", &[0]),
    ("wipe_most", &[0]),
    ("spares", &[0, 1]),
    // No snapshot, all entries kept, and one segment: as far as those that are drawn go.
    ("snapshot_count", &[10_000]),
    ("catch_up_entries", &[1000]),
    ("segment_bytes", &[262_144]),
    ("watchers", &[0]),
    ("ttl_writers", &[0]),
    ("counters", &[0]),
    ("registers", &[0, 1, 2]),
    ("inserters", &[0, 1]),
    ("keys", &[1, 2]),
    ("batch_us", &[0]),
    ("timer_late_us", &[0]),
    ("delay_mean_us", &[0, 100]),
    ("disk_sync_us", &[100, 1000]),
    ("disk_op_us", &[5]),
    ("stall_ms", &[0]),
    ("drift_ppm", &[0]),
    ("skew_ms", &[0]),
];

impl Shrinking<'_> {
    /// Tries everything once; whether anything helped.
    pub(super) fn round(&mut self) -> bool {
        let before = self.best.clone();
        self.end_sooner();
        self.fewer_members();
        self.fewer_faults();
        self.fewer_options();
        self.shorter_faults();
        self.best != before
    }

    /// Nothing after the broken promise matters.
    fn end_sooner(&mut self) {
        let safety_us = self.best.options.safety_ms * 1000;
        let last = self.broken_us.min(safety_us);
        self.change("no faults after the broken promise", |s| {
            s.plan.faults.retain(|planned| planned.at_us <= last);
        });
        if self.broken_us < safety_us {
            let ms = self.broken_us / 1000 + 1;
            self.change(&format!("safety phase of {ms} ms"), |s| s.options.safety_ms = ms);
            return;
        }
        // It is broken in the liveness phase, or at its end.
        for share in [8, 4, 2] {
            let ms = safety_us / 1000 / share;
            let cut = self.change(&format!("safety phase of {ms} ms"), |s| {
                s.options.safety_ms = ms;
                s.plan.faults.retain(|planned| planned.at_us <= ms * 1000);
            });
            if cut {
                return;
            }
        }
    }

    fn fewer_members(&mut self) {
        for members in [1, 3, 5] {
            if members < self.best.options.members {
                let fewer = self.change(&format!("{members} members"), |s| {
                    s.options.members = members;
                });
                if fewer {
                    return;
                }
            }
        }
    }

    /// Takes chunks out of the plan: halves first, single faults last.
    fn fewer_faults(&mut self) {
        let mut chunk = self.best.plan.faults.len();
        while chunk > 0 {
            let mut at = 0;
            while at < self.best.plan.faults.len() {
                let end = (at + chunk).min(self.best.plan.faults.len());
                let words = if chunk == 1 { "a fault less" } else { "fewer faults" };
                if !self.change(words, |s| drop(s.plan.faults.drain(at..end))) {
                    at = end;
                }
            }
            chunk /= 2;
        }
    }

    fn fewer_options(&mut self) {
        // They drew the plan, which is data now.
        self.change("no means", |s| {
            for (name, _) in Options::default().values().filter(|(name, _)| is_mean(name)) {
                set(&mut s.options, name, 0);
            }
        });
        for (name, value) in self.best.options.clone().values() {
            if name.ends_with("_ppm") && value > 0 {
                self.change(&format!("{name}=0"), |s| set(&mut s.options, name, 0));
            }
        }
        self.change("in_order=1", |s| s.options.in_order = 1);
        for (name, choices) in SIMPLER {
            let now = self.best.options.values().find(|(n, _)| n == name).map_or(0, |(_, v)| v);
            for value in choices.iter().take_while(|value| **value != now) {
                let mut candidate = self.best.clone();
                set(&mut candidate.options, name, *value);
                // Without anybody who writes, no write is acknowledged: that would prove nothing.
                if writers(&candidate.options) > 0
                    && self.attempt(&format!("{name}={value}"), &candidate)
                {
                    break;
                }
            }
        }
    }

    /// Halves lengths of faults.
    fn shorter_faults(&mut self) {
        for at in 0..self.best.plan.faults.len() {
            self.change("a fault half as long", |s| halve(&mut s.plan.faults[at].fault));
        }
    }
}

/// Clients that write.
const fn writers(options: &Options) -> u64 {
    options.registers + options.inserters + options.counters + options.ttl_writers
}

/// Whether it is a mean time between two faults.
fn is_mean(name: &str) -> bool {
    name.ends_with("_mean_ms") && name != "think_mean_ms"
}

fn halve(fault: &mut Fault) {
    let half = |us: &mut u64| {
        if *us > SHORT_US {
            *us /= 2;
        }
    };
    match fault {
        Fault::Partition { length_us, .. }
        | Fault::OneWay { length_us, .. }
        | Fault::Isolate { length_us, .. }
        | Fault::Pause { length_us, .. }
        | Fault::Full { length_us, .. }
        | Fault::Names { length_us, .. }
        | Fault::Certificate { length_us, .. }
        | Fault::Swap { length_us, .. }
        | Fault::Twin { length_us, .. }
        | Fault::Service { length_us, .. }
        | Fault::WrongList { length_us, .. } => half(length_us),
        Fault::Crash { down_us, .. }
        | Fault::Stop { down_us, .. }
        | Fault::Wipe { down_us, .. }
        | Fault::Restore { down_us, .. } => half(down_us),
        Fault::CrashAll { down_us, .. } => down_us.iter_mut().for_each(half),
        _ => {}
    }
}

fn set(options: &mut Options, name: &str, value: u64) {
    options.set(name, &value.to_string()).expect("an option of this name");
}
