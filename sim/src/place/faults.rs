//! Faults: what the plan says, carried out when its time has come, in whichever world.

use quorate_core::api::MembersRequest;

use crate::disk::FileSystem;
use crate::network::Network;
use crate::options::Options;
use crate::oracle::{Oracles, Violation};
use crate::outside::{certificates::Certificates, discovery, dns::Dns};
use crate::plan::{Crash, Fault, Moment, Plan};
use crate::stats::Stats;

use super::membership::{self, Told};
use super::{Places, data};

/// A crash that waits for its moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doom {
    pub(crate) by: Crash,
    pub(crate) down_us: u64,
}

/// What the plan makes happen later, by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Later {
    /// It is time for the fault with this number in the plan.
    Fault(usize),
    /// A cut of the network ends.
    Heal(u64),
    /// A disk has space again.
    Space(usize),
    /// The list of members that a host is started with is put right.
    RightList(usize),
    /// The resolver of a host is right again.
    NamesRight(usize),
    /// The certificate of a host is a good one again.
    CertificateRight(usize),
    /// Somebody else is asked for the change of the membership with this number.
    Ask(usize),
    /// Directories are put back to where they belong.
    PutBack,
    /// A process ends that takes itself for the member of another host.
    TwinEnds(usize),
    /// The discovery service is right again.
    ServiceRight,
}

impl Later {
    /// What tells them apart in the digest of a run: a kind, and whom it concerns.
    pub(crate) const fn numbers(self) -> (u64, usize) {
        match self {
            Self::Fault(fault) => (14, fault),
            Self::Heal(_) => (15, 0),
            Self::Space(host) => (19, host),
            Self::RightList(host) => (23, host),
            Self::NamesRight(host) => (24, host),
            Self::Ask(number) => (25, number),
            Self::PutBack => (26, 0),
            Self::TwinEnds(host) => (27, host),
            Self::ServiceRight => (28, 0),
            Self::CertificateRight(host) => (29, host),
        }
    }
}

/// What a world and those who strike it have in common.
pub(crate) struct Parts<'a> {
    pub(crate) options: &'a Options,
    pub(crate) plan: &'a Plan,
    pub(crate) places: &'a mut Places,
    pub(crate) oracles: &'a mut Oracles,
    pub(crate) network: &'a mut Network,
    pub(crate) dns: &'a mut Dns,
    pub(crate) certificates: &'a mut Certificates,
    pub(crate) stats: &'a mut Stats,
    /// Whether faults have ended.
    pub(crate) is_calm: bool,
}

/// What only a world can do to its hosts.
pub(crate) trait Hosts {
    fn parts(&mut self) -> Parts<'_>;

    /// Records that a fault strikes.
    fn record_fault(&self, fault: &Fault);

    /// Plans something for so many microseconds from now.
    fn plan_later(&mut self, after_us: u64, later: Later);

    /// The data directory of a host.
    fn files(&mut self, host: usize) -> &mut FileSystem;

    /// Whether a process runs on a host.
    fn runs(&self, host: usize) -> bool;

    /// Whether the process of a host leads, by its own notes.
    fn leads(&self, host: usize) -> bool;

    /// Ends the process of a host, if one runs.
    fn end_process(&mut self, host: usize, by: Crash);

    /// The power of a machine fails on which no process runs.
    fn lose_power(&mut self, host: usize);

    /// Plans the next start of a host that is down.
    fn plan_start(&mut self, host: usize, down_us: u64);

    /// Puts a crash off until its moment; not if no process runs.
    fn put_off(&mut self, host: usize, moment: Moment, doom: Doom) -> bool;

    /// Asks the process of a host to stop.
    fn stop(&mut self, host: usize, down_us: u64);

    /// The process of a host gets no time.
    fn pause(&mut self, host: usize, length_us: u64);

    /// The wall clock of a host jumps.
    fn jump(&mut self, host: usize, by_ms: i64);

    /// The disk of a host is full, or has space again. Says whether that is new.
    fn set_full(&mut self, host: usize, full: bool) -> bool;

    /// Something happened to the directory of a host behind the back of its process.
    fn damaged(&mut self, host: usize);

    /// Whether the process of a host has a wrong list of members.
    fn has_wrong_list(&self, host: usize) -> bool;

    /// Draws a number.
    fn choose(&mut self, below: usize) -> usize;

    /// Asks the process of a host for a change of the membership. What comes of it is to be
    /// [told](Faults::told) under this number; or not, if the process ends.
    fn ask(&mut self, host: usize, number: usize, request: MembersRequest);

    /// Notes a broken promise; the first one counts.
    fn check(&mut self, verdict: Result<(), Violation>);

    /// The discovery service has this trouble from now on, or none.
    fn service(&mut self, trouble: Option<discovery::Trouble>);
}

/// What is done to hosts of any world.
pub(crate) trait Faults: Hosts + Sized {
    /// Plans all faults.
    fn plan_faults(&mut self) {
        let faults = &self.parts().plan.faults;
        let times: Vec<u64> = faults.iter().map(|planned| planned.at_us).collect();
        for (number, at_us) in times.into_iter().enumerate() {
            self.plan_later(at_us, Later::Fault(number));
        }
    }

    /// The time has come for what was planned.
    fn happen(&mut self, later: Later) {
        match later {
            Later::Fault(number) => self.fault(number),
            Later::Heal(number) => self.parts().network.heal(number),
            Later::Space(host) => {
                self.set_full(host, false);
            }
            Later::RightList(host) => data::right_list(self, host),
            Later::NamesRight(host) => self.parts().dns.trouble(host, None),
            Later::CertificateRight(host) => self.parts().certificates.trouble(host, None),
            Later::Ask(number) => membership::ask(self, number),
            Later::PutBack => data::put_back(self),
            Later::TwinEnds(host) => membership::twin_ends(self, host),
            Later::ServiceRight => self.service(None),
        }
    }

    /// It is time for the fault with this number.
    fn fault(&mut self, number: usize) {
        let parts = self.parts();
        let fault = parts.plan.faults[number].fault.clone();
        let nobody = fault.host().is_some_and(|host| host >= parts.places.count());
        if parts.is_calm || nobody {
            return;
        }
        self.record_fault(&fault);
        match fault {
            Fault::Partition { length_us, .. }
            | Fault::OneWay { length_us, .. }
            | Fault::Isolate { length_us, .. } => self.cut(&fault, length_us),
            Fault::Crash { host, by, moment, down_us } => {
                let doom = Doom { by, down_us };
                if moment == Moment::Now || !self.put_off(host, moment, doom) {
                    self.crash(host, doom);
                }
            }
            Fault::CrashAll { by, down_us } => self.crash_all(by, &down_us),
            Fault::Stop { host, down_us } => self.stop(host, down_us),
            Fault::Pause { host, length_us } => self.pause(host, length_us),
            Fault::Jump { host, by_ms } => {
                self.jump(host, by_ms);
                self.parts().stats.jumps += 1;
            }
            Fault::Change { changes } => membership::change(self, &changes),
            Fault::Full { host, length_us } => {
                if self.set_full(host, true) {
                    self.parts().stats.disks_full += 1;
                    self.plan_later(length_us, Later::Space(host));
                }
            }
            Fault::Rot { host, rot } => data::rot(self, host, &rot),
            Fault::Misread { host, rot } => {
                self.files(host).misread_next(rot);
                self.damaged(host);
            }
            Fault::WrongList { host, list, down_us, length_us } => {
                data::wrong_list(self, host, list, down_us);
                self.plan_later(length_us, Later::RightList(host));
            }
            Fault::Names { host, trouble, length_us } => {
                self.parts().dns.trouble(host, Some(trouble));
                self.plan_later(length_us, Later::NamesRight(host));
            }
            Fault::Certificate { host, trouble, length_us } => {
                let Parts { certificates, stats, .. } = self.parts();
                certificates.trouble(host, Some(trouble));
                stats.certificate_troubles += 1;
                self.plan_later(length_us, Later::CertificateRight(host));
            }
            Fault::Service { trouble, length_us } => {
                self.parts().stats.service_troubles += 1;
                self.service(Some(trouble));
                self.plan_later(length_us, Later::ServiceRight);
            }
            Fault::Wipe { host, down_us } => data::wipe(self, host, down_us),
            Fault::Swap { hosts, down_us, length_us } => {
                data::swap(self, hosts, down_us, length_us);
            }
            Fault::Twin { host, of, length_us } => membership::twin(self, host, of, length_us),
            Fault::Copy { host } => data::copy(self, host),
            Fault::Restore { host, down_us } => data::restore(self, host, down_us),
        }
    }

    /// What came of asking for the change of the membership with this number.
    fn told(&mut self, number: usize, told: Told) {
        membership::told(self, number, told);
    }

    /// Cuts links, for some time.
    fn cut(&mut self, fault: &Fault, length_us: u64) {
        let Parts { places, network, stats, .. } = self.parts();
        let directions = fault.directions(places.count());
        stats.cut(fault, directions.len());
        let number = network.cut(directions);
        self.plan_later(length_us, Later::Heal(number));
    }

    /// A process ends without being asked.
    fn crash(&mut self, host: usize, Doom { by, down_us }: Doom) {
        if self.runs(host) {
            match by {
                Crash::Power => self.parts().stats.power_losses += 1,
                Crash::Kill => self.parts().stats.kills += 1,
            }
            self.end_process(host, by);
            self.plan_start(host, down_us);
        } else if by == Crash::Power {
            // The machine goes down under a process that is down already.
            self.lose_power(host);
        }
    }

    /// All processes end at once.
    fn crash_all(&mut self, by: Crash, down_us: &[u64]) {
        self.parts().stats.all_down += 1;
        for host in 0..self.parts().places.count() {
            // A plan for fewer hosts says nothing of the others.
            let down_us = down_us.get(host).copied().unwrap_or(0);
            self.crash(host, Doom { by, down_us });
        }
    }
}

impl<W: Hosts> Faults for W {}
