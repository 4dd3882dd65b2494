//! Drawing a plan: each kind of fault recurs with a mean of its own, as long as the safety phase
//! lasts.

use super::{At, Calm, Change, Crash, Fault, Moment, Plan, Planned, WrongList};
use crate::chance::Chance;
use crate::disk::rot::{Damage, Kind, Rot};
use crate::options::Options;
use crate::outside::{certificates, discovery, dns::Trouble};

/// Microseconds in a millisecond.
const MS: u64 = 1000;

impl Plan {
    /// A plan for a run with these options.
    pub fn draw(options: &Options, chance: &mut Chance) -> Self {
        let calm = Calm::draw(options, chance);
        let mut draft = Draft { options, chance, faults: Vec::new() };
        draft.network();
        draft.processes();
        draft.machines();
        draft.data();
        draft.membership();
        draft.names();
        draft.service();
        draft.certificates();
        let mut faults = draft.faults;
        faults.sort_by_key(|planned| planned.at_us);
        Self { calm, faults }
    }
}

impl Calm {
    fn draw(options: &Options, chance: &mut Chance) -> Self {
        let members = options.members;
        let mut order: Vec<usize> = (0..options.hosts()).collect();
        chance.shuffle(&mut order);
        let healthy = chance.between(members / 2 + 1, members) as usize;
        let down = (0..options.hosts()).filter(|_| chance.coin()).collect();
        Self { order, healthy, down }
    }
}

struct Draft<'a> {
    options: &'a Options,
    chance: &'a mut Chance,
    faults: Vec<Planned>,
}

impl Draft<'_> {
    /// Makes a fault again and again, `mean_ms` apart on average.
    fn recur(&mut self, mean_ms: u64, make: impl Fn(&mut Self) -> Fault) {
        if mean_ms == 0 {
            return;
        }
        let mut at_us = self.chance.wait(mean_ms * MS);
        while at_us < self.options.safety_ms * MS {
            let fault = make(self);
            self.faults.push(Planned { at_us, fault });
            at_us += self.chance.wait(mean_ms * MS).max(1);
        }
    }

    fn hosts(&self) -> usize {
        self.options.hosts()
    }

    fn host(&mut self) -> usize {
        self.chance.index(self.hosts())
    }

    fn cut_us(&mut self) -> u64 {
        self.chance.wait(self.options.cut_length_ms * MS)
    }

    fn down_us(&mut self) -> u64 {
        self.chance.wait(self.options.down_ms * MS)
    }

    fn network(&mut self) {
        self.recur(self.options.partition_mean_ms, |d| {
            let side = (0..d.hosts()).filter(|_| d.chance.coin()).collect();
            Fault::Partition { side, length_us: d.cut_us() }
        });
        self.recur(self.options.one_way_mean_ms, |d| {
            let hosts = d.hosts();
            let all = (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b)));
            let directions = all.filter(|(a, b)| a != b && d.chance.below(3) == 0).collect();
            Fault::OneWay { directions, length_us: d.cut_us() }
        });
        self.recur(self.options.isolate_mean_ms, |d| Fault::Isolate {
            host: d.host(),
            length_us: d.cut_us(),
        });
    }

    fn processes(&mut self) {
        self.recur(self.options.power_mean_ms, |d| d.crash(Crash::Power));
        self.recur(self.options.kill_mean_ms, |d| d.crash(Crash::Kill));
        self.recur(self.options.all_mean_ms, |d| {
            let by = if d.chance.coin() { Crash::Power } else { Crash::Kill };
            Fault::CrashAll { by, down_us: (0..d.hosts()).map(|_| d.down_us()).collect() }
        });
        self.recur(self.options.stop_mean_ms, |d| Fault::Stop {
            host: d.host(),
            down_us: d.down_us(),
        });
        self.recur(self.options.pause_mean_ms, |d| {
            let length_us = d.chance.wait(d.options.pause_length_ms * MS);
            Fault::Pause { host: d.host(), length_us }
        });
    }

    fn crash(&mut self, by: Crash) -> Fault {
        use Moment::{NextElection, NextLeaderSync, NextSync, Now};
        let moment = [Now, NextSync, NextLeaderSync, NextElection][self.chance.index(4)];
        Fault::Crash { host: self.host(), by, moment, down_us: self.down_us() }
    }

    fn membership(&mut self) {
        self.recur(self.options.change_mean_ms, |d| {
            let count = if d.chance.below(3) == 0 { 2 } else { 1 };
            let changes = (0..count).map(|_| {
                let host = d.host();
                match d.chance.below(5) {
                    0 | 1 => Change::Remove { host },
                    2 => Change::Move { host, by_name: d.chance.coin() },
                    _ => d.addition(),
                }
            });
            Fault::Change { changes: changes.collect() }
        });
    }

    fn addition(&mut self) -> Change {
        let at = [At::Home, At::Home, At::Home, At::Home, At::Elsewhere, At::Nowhere];
        let at = at[self.chance.index(6)];
        // Those that have no member at first get one sooner than those that have to lose theirs.
        let spares = self.options.spares as usize;
        let host = if spares > 0 && self.chance.coin() {
            self.hosts() - 1 - self.chance.index(spares)
        } else {
            self.host()
        };
        Change::Add { host, at, auto: self.chance.coin() }
    }

    fn machines(&mut self) {
        self.recur(self.options.jump_mean_ms, |d| {
            let far = [1000, 60_000, 3_600_000, 86_400_000 * 400][d.chance.index(4)];
            let by_ms = d.chance.between(0, 2 * far) as i64 - far as i64;
            Fault::Jump { host: d.host(), by_ms }
        });
        self.recur(self.options.full_mean_ms, |d| {
            let length_us = d.chance.wait(d.options.full_length_ms * MS);
            Fault::Full { host: d.host(), length_us }
        });
    }

    fn data(&mut self) {
        self.recur(self.options.rot_mean_ms, |d| Fault::Rot { host: d.host(), rot: d.rot() });
        self.recur(self.options.misread_mean_ms, |d| Fault::Misread {
            host: d.host(),
            rot: d.rot(),
        });
        self.recur(self.options.wipe_mean_ms, |d| Fault::Wipe {
            host: d.host(),
            down_us: d.down_us(),
        });
        self.lists();
        self.recur(self.options.swap_mean_ms, |d| {
            let hosts = (d.host(), d.host());
            let length_us = d.chance.wait(d.options.wrong_list_length_ms * MS);
            Fault::Swap { hosts, down_us: d.down_us(), length_us }
        });
        self.twins();
        self.copies();
    }

    /// The first twin is there from the start: that is when members get to know each other.
    fn twins(&mut self) {
        if self.options.twin_mean_ms > 0 && self.options.spares > 0 {
            let fault = self.twin();
            self.faults.push(Planned { at_us: 0, fault });
            self.recur(self.options.twin_mean_ms, Self::twin);
        }
    }

    fn twin(&mut self) -> Fault {
        let host = self.hosts() - 1 - self.chance.index(self.options.spares as usize);
        let of = self.chance.index(self.options.members as usize);
        let length_us = self.chance.wait(self.options.wrong_list_length_ms * 2 * MS);
        Fault::Twin { host, of, length_us }
    }

    /// The first trouble with names is there from the start: members ask for names before they
    /// form their cluster.
    fn names(&mut self) {
        if self.options.dns_mean_ms > 0 {
            let fault = self.name_trouble();
            self.faults.push(Planned { at_us: 0, fault });
            if self.options.srv > 0 && self.chance.coin() {
                self.late_address();
            }
        }
        self.recur(self.options.dns_mean_ms, Self::name_trouble);
    }

    fn name_trouble(&mut self) -> Fault {
        let target = self.host();
        let troubles = [
            Trouble::Absent,
            Trouble::Server,
            Trouble::Silent,
            Trouble::Other,
            Trouble::Flips,
            Trouble::Partial,
            Trouble::Ports,
            Trouble::Tls,
            Trouble::Unresolved { target },
        ];
        let mut trouble = troubles[self.chance.index(troubles.len())];
        // Two mistakes that agree make a smaller cluster, as two right lists would.
        if trouble == Trouble::Partial && self.options.wrong_list_mean_ms > 0 {
            trouble = Trouble::Absent;
        }
        let length_us = self.chance.wait(self.options.dns_length_ms * MS);
        Fault::Names { host: self.host(), trouble, length_us }
    }

    /// One host gets its address later than its record, as everybody sees.
    fn late_address(&mut self) {
        let trouble = Trouble::Unresolved { target: self.host() };
        let length_us = self.chance.wait(self.options.dns_length_ms * MS);
        for host in 0..self.options.members as usize {
            let fault = Fault::Names { host, trouble, length_us };
            self.faults.push(Planned { at_us: 0, fault });
        }
    }

    /// The first trouble with the discovery service is there from the start.
    fn service(&mut self) {
        if self.options.discovery_mean_ms > 0 {
            let fault = self.service_trouble();
            self.faults.push(Planned { at_us: 0, fault });
        }
        self.recur(self.options.discovery_mean_ms, Self::service_trouble);
    }

    fn service_trouble(&mut self) -> Fault {
        let troubles = [
            discovery::Trouble::Slow(self.chance.below(15_000)),
            discovery::Trouble::Unavailable,
            discovery::Trouble::LosesAnswers,
            discovery::Trouble::Forgets,
            discovery::Trouble::Duplicates,
        ];
        let trouble = troubles[self.chance.index(troubles.len())];
        let length_us = self.chance.wait(self.options.discovery_length_ms * MS);
        Fault::Service { trouble, length_us }
    }

    /// The first trouble with a certificate is there from the start: that is when members connect
    /// for the first time.
    fn certificates(&mut self) {
        if self.options.tls == 0 || self.options.certificate_mean_ms == 0 {
            return;
        }
        let fault = self.certificate_trouble();
        self.faults.push(Planned { at_us: 0, fault });
        self.recur(self.options.certificate_mean_ms, Self::certificate_trouble);
    }

    fn certificate_trouble(&mut self) -> Fault {
        let troubles = [
            certificates::Trouble::Expired,
            certificates::Trouble::Unknown,
            certificates::Trouble::Of { host: self.host() },
        ];
        let trouble = troubles[self.chance.index(troubles.len())];
        let length_us = self.chance.wait(self.options.certificate_length_ms * MS);
        Fault::Certificate { host: self.host(), trouble, length_us }
    }

    fn copies(&mut self) {
        let mean_ms = self.options.old_copy_mean_ms;
        let before = self.faults.len();
        self.recur(mean_ms, |d| Fault::Copy { host: d.host() });
        for copy in before..self.faults.len() {
            let Planned { at_us, fault: Fault::Copy { host } } = self.faults[copy] else {
                continue;
            };
            let at_us = at_us + self.chance.wait(mean_ms * MS);
            let fault = Fault::Restore { host, down_us: self.down_us() };
            if at_us < self.options.safety_ms * MS {
                self.faults.push(Planned { at_us, fault });
            }
        }
    }

    /// The first wrong list is there from the start: lists matter most while a cluster forms.
    fn lists(&mut self) {
        if self.options.wrong_list_mean_ms > 0 {
            let fault = self.wrong_list();
            self.faults.push(Planned { at_us: 0, fault });
        }
        self.recur(self.options.wrong_list_mean_ms, Self::wrong_list);
    }

    fn wrong_list(&mut self) -> Fault {
        let listed = self.chance.index(self.options.members as usize);
        let list = match self.chance.below(3) {
            0 => WrongList::Token,
            1 => WrongList::Lacks(listed),
            _ => WrongList::Url(listed),
        };
        let length_us = self.chance.wait(self.options.wrong_list_length_ms * MS);
        Fault::WrongList { host: self.host(), list, down_us: self.down_us(), length_us }
    }

    fn rot(&mut self) -> Rot {
        let kinds = [Kind::Log, Kind::Log, Kind::Snapshot, Kind::Identity];
        let damages = [Damage::Flip, Damage::Zero, Damage::Misplaced];
        Rot {
            file: kinds[self.chance.index(4)],
            age: self.chance.index(3),
            place_ppm: self.chance.below(1_000_000),
            damage: damages[self.chance.index(3)],
        }
    }
}
