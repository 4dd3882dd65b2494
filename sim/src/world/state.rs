//! Everything that exists in a run, behind one lock.
//!
//! The members' tasks and the world take turns on one thread, so nobody ever waits for the lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use madsim::runtime::Handle;
use madsim::time::TimeHandle;
use tokio::sync::Notify;

use super::agenda::Agenda;
use super::clients::Client;
use super::event::Event;
use super::host::Host;
use super::service::Service;
use super::tcp::{Tcp, Wire};
use crate::chance::{Chance, Stream};
use crate::clock::Clock;
use crate::digest::Digest;
use crate::network::Network;
use crate::options::Options;
use crate::oracle::{Oracles, Violation};
use crate::outside::certificates::Certificates;
use crate::outside::dns::Dns;
use crate::place::Places;
use crate::record::{Recorder, What, Who};
use crate::scenario::Scenario;
use crate::stats::Stats;
use crate::workload::{self, Workload};

/// A millisecond in the world's unit of time.
pub(super) const MS: u64 = 1_000_000;

/// Everything, as tasks hold it.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<State>>);

/// Everything.
pub(super) struct State {
    pub(super) scenario: Scenario,
    pub(super) runtime: Handle,
    time: TimeHandle,
    pub(super) agenda: Agenda,
    pub(super) network: Network,
    pub(super) tcp: Tcp,
    pub(super) dns: Dns,
    pub(super) certificates: Certificates,
    pub(super) service: Service,
    /// The hosts of the members, and behind them the one of the clients and that of the service.
    pub(super) hosts: Vec<Host>,
    /// What is known of the members' hosts from outside.
    pub(super) places: Places,
    pub(super) members: usize,
    pub(super) clients: Vec<Client>,
    pub(super) workloads: Vec<Box<dyn Workload>>,
    pub(super) oracles: Oracles,
    pub(super) chances: Chances,
    pub(super) stats: Stats,
    pub(super) recorder: Recorder,
    pub(super) digest: Digest,
    /// The members that stay healthy in the liveness phase, once it has begun.
    pub(super) healthy: Option<Vec<usize>>,
    pub(super) calm_since: u64,
    /// Told when the liveness phase begins.
    pub(super) calm: Arc<Notify>,
    /// Whether a write that was asked for in the liveness phase was acknowledged.
    pub(super) progress: bool,
    pub(super) violation: Option<(u64, Violation)>,
    pub(super) over: bool,
}

/// The streams of chance of a run.
#[derive(Debug)]
pub(super) struct Chances {
    pub(super) network: Chance,
    pub(super) disk: Chance,
    pub(super) clients: Chance,
    pub(super) hosts: Chance,
}

impl World {
    /// The world of a scenario, at the moment 0; what happens is pushed to `recorder`. Called inside
    /// of a runtime.
    pub(super) fn new(scenario: Scenario, recorder: Recorder) -> Self {
        let Scenario { seed, options, .. } = &scenario;
        let (seed, members) = (*seed, options.hosts());
        let chance = |stream| Chance::new(seed, stream);
        let mut chances = Chances {
            network: chance(Stream::Network),
            disk: chance(Stream::Disk),
            clients: chance(Stream::Clients),
            hosts: chance(Stream::Hosts),
        };
        let runtime = Handle::current();
        let mut hosts: Vec<Host> = (0..members)
            .map(|host| Host::member(&runtime, host, Clock::draw(options, &mut chances.hosts)))
            .collect();
        hosts.push(Host::of_clients(&runtime));
        if options.has_real_service() {
            hosts.push(Host::of_service(&runtime, Clock::draw(options, &mut chances.hosts)));
        }
        let (workloads, clients) = workload::all(options, Client::new);
        let state = State {
            time: TimeHandle::current(),
            agenda: Agenda::default(),
            network: Network::new(hosts.len(), options),
            tcp: Tcp::new(hosts.len()),
            dns: Dns::new(options.members as usize, members, options.tls > 0),
            certificates: Certificates::default(),
            service: Service::new(options),
            hosts,
            places: Places::new(options),
            members,
            clients,
            workloads,
            oracles: Oracles::new(members),
            chances,
            stats: Stats::default(),
            recorder,
            digest: Digest::default(),
            healthy: None,
            calm_since: 0,
            calm: Arc::default(),
            progress: false,
            violation: None,
            over: false,
            runtime,
            scenario,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Everything, for a moment. After a panic the run is over, and nobody judges what is left.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nanoseconds since the start of the run.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.time.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Tells the oracles what time it is.
    pub(super) fn time_passes(&mut self) -> u64 {
        let now = self.now();
        self.oracles.time_is(now);
        now
    }

    pub(super) const fn options(&self) -> &Options {
        &self.scenario.options
    }

    /// Plans an event so many nanoseconds from now.
    pub(super) fn plan(&mut self, after: u64, event: Event) {
        let at = self.now().saturating_add(after);
        self.agenda.push(at, event);
    }

    /// Works on connections.
    pub(super) fn wired<T>(&mut self, work: impl FnOnce(&mut Tcp, &mut Wire<'_>) -> T) -> T {
        let now = self.now();
        let calm = self.healthy.is_some();
        let break_ppm = if calm { 0 } else { self.options().http_fail_ppm };
        let mut wire = Wire {
            now,
            agenda: &mut self.agenda,
            network: &self.network,
            chance: &mut self.chances.network,
            stats: &mut self.stats,
            break_ppm,
        };
        work(&mut self.tcp, &mut wire)
    }

    /// Records what happens, if anything is recorded.
    pub(super) fn record(&self, who: Who, what: impl FnOnce() -> What) {
        self.recorder.add(self.now(), who, what);
    }

    /// Notes a broken promise; the first one counts, and ends the run. If a member could not know of
    /// one that it broke before, that is without a verdict.
    pub(super) fn violate(&mut self, violation: Violation) {
        let now = self.now();
        if self.oracles.is_untold() {
            (self.stats.untold, self.over) = (1, true);
        } else {
            self.violation.get_or_insert((now, violation));
        }
        self.agenda.wake();
    }

    pub(super) fn check(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.violate(violation);
        }
    }
}
