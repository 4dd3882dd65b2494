//! The world: everything that exists in a run, and its loop.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use quorate_core::Output;
use quorate_core::node::CallId;

use super::clients::Client;
use super::event::{Event, Process};
use super::host::Host;
use super::queue::Queue;
use crate::chance::{Chance, Stream};
use crate::clock::Clock;
use crate::digest::Digest;
use crate::machine::Machine;
use crate::network::Network;
use crate::options::Options;
use crate::oracle::{Kind, Oracles, Violation};
use crate::outside::certificates::Certificates;
use crate::outside::discovery::Discovery;
use crate::outside::dns::Dns;
use crate::place::{Faults as _, Places};
use crate::plan::Plan;
use crate::record::Recorder;
use crate::report::{Report, panicked};
use crate::scenario::Scenario;
use crate::stats::Stats;
use crate::workload::{self, Workload};

/// A millisecond in the world's unit of time.
pub(super) const MS: u64 = 1_000_000;

/// Far more events than any second of a run needs: a member that asks to be woken without end, or
/// two that answer each other without end.
const MOST_EVENTS_A_SECOND: u64 = 250_000;

/// One run.
#[derive(Debug)]
pub struct World<M> {
    seed: u64,
    pub(super) options: Options,
    pub(super) plan: Plan,
    pub(super) time: u64,
    pub(super) queue: Queue<Event>,
    pub(super) hosts: Vec<Host<M>>,
    pub(super) places: Places,
    pub(super) network: Network,
    pub(super) dns: Dns,
    pub(super) certificates: Certificates,
    pub(super) discovery: Discovery,
    /// Calls that wait for a change at the discovery service, by its number for them.
    pub(super) polls: BTreeMap<u64, (Process, CallId)>,
    pub(super) clients: Vec<Client>,
    pub(super) workloads: Vec<Box<dyn Workload>>,
    pub(super) oracles: Oracles,
    pub(super) chances: Chances,
    pub(super) stats: Stats,
    pub(super) recorder: Recorder,
    /// The members that stay healthy in the liveness phase, once it has begun.
    pub(super) healthy: Option<Vec<usize>>,
    pub(super) calm_since: u64,
    /// Whether clients wait until the quorum has a leader.
    pub(super) quiet: bool,
    /// Whether a write that was asked for in the liveness phase was acknowledged.
    pub(super) progress: bool,
    pub(super) violation: Option<Violation>,
    pub(super) over: bool,
    /// The simulated second, and how many events it has had so far.
    busy: (u64, u64),
    pub(super) requests: u64,
    /// Kept between inputs, so that its memory is reused.
    pub(super) outputs: Vec<Output>,
    digest: Digest,
}

/// The streams of chance of a run.
#[derive(Debug)]
pub(super) struct Chances {
    pub(super) network: Chance,
    pub(super) disk: Chance,
    pub(super) clients: Chance,
    pub(super) hosts: Chance,
}

impl<M: Machine> World<M> {
    /// The world of a scenario, at the moment 0; what happens is pushed to `recorder`.
    pub fn new(scenario: Scenario, recorder: Recorder) -> Self {
        let Scenario { seed, options, plan } = scenario;
        let members = options.hosts();
        let mut chances = Chances {
            network: Chance::new(seed, Stream::Network),
            disk: Chance::new(seed, Stream::Disk),
            clients: Chance::new(seed, Stream::Clients),
            hosts: Chance::new(seed, Stream::Hosts),
        };
        let host = |_| Host::new(Clock::draw(&options, &mut chances.hosts));
        let hosts = (0..members).map(host).collect();
        let (workloads, clients) = workload::all(&options, Client::new);
        let mut world = Self {
            time: 0,
            queue: Queue::new(),
            hosts,
            places: Places::new(&options),
            network: Network::new(members, &options),
            dns: Dns::new(options.members as usize, members, options.tls > 0),
            certificates: Certificates::default(),
            discovery: Discovery::of(&options),
            polls: BTreeMap::new(),
            clients,
            workloads,
            oracles: Oracles::new(members),
            chances,
            stats: Stats::default(),
            recorder,
            healthy: None,
            calm_since: 0,
            quiet: false,
            progress: false,
            violation: None,
            over: false,
            busy: (0, 0),
            requests: 0,
            outputs: Vec::new(),
            digest: Digest::default(),
            seed,
            options,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for host in 0..self.hosts.len() {
            self.oracles.clock_is_ahead(host, self.hosts[host].clock.ahead());
            let at = self.chances.hosts.below(1000 * MS);
            self.queue.push(at, Event::Start(Process { host, boot: 0 }));
        }
        for client in 0..self.clients.len() {
            let at = self.chances.clients.below(3000 * MS);
            self.queue.push(at, Event::Act(client));
        }
        self.plan_faults();
        self.queue.push(self.options.safety_ms * MS, Event::Calm);
    }

    /// Runs to the end, or to the first broken promise. A panic of a member is one like any other.
    pub fn run(mut self) -> Report {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.go_on())) {
            self.violation.get_or_insert_with(|| panicked(panic.as_ref()));
        }
        self.report()
    }

    fn go_on(&mut self) {
        while !self.over
            && self.violation.is_none()
            && let Some((time, event)) = self.queue.pop()
        {
            self.time = time;
            self.oracles.time_is(time);
            self.stats.events += 1;
            self.digest.add(time);
            event.trace(&mut self.digest);
            self.dispatch(event);
            if self.runs_wild() {
                self.violate(Violation {
                    kind: Kind::Liveness,
                    oracle: "progress",
                    node: None,
                    index: None,
                    detail: "events without end".to_owned(),
                });
            }
        }
    }

    fn report(mut self) -> Report {
        self.stats.simulated_ms = self.time / MS;
        self.stats.committed(self.oracles.ledger(), self.options.members);
        self.stats.misreads = self.hosts.iter_mut().map(|h| h.disk.files().misreads()).sum();
        self.stats.no_space = self.hosts.iter().map(|h| h.disk.no_space_count()).sum();
        Report {
            scenario: Scenario { seed: self.seed, options: self.options, plan: self.plan },
            stats: self.stats,
            digest: self.digest.value(),
            violation: self.violation.map(|v| (self.time, v)),
            recording: self.recorder.take(),
        }
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Deadline(process) => self.deadline(process),
            Event::BatchEnd(process) => self.batch_end(process),
            Event::Deliver { from, to, sent, message, said } => {
                self.deliver(from, to, sent, (message, *said));
            }
            Event::DiskEnd(process) => self.disk_end(process),
            Event::Input(process, input) => self.input(process, *input),
            Event::Link { process, to, event } => self.link_news(process, to, event),
            Event::Connect { process, to } => self.connect(process, to),
            Event::Call { from, to, call, request } => self.serve_call(from, to, call, &request),
            Event::Act(client) => self.act(client),
            Event::Arrive { client, turn, host, asked } => {
                self.arrive(client, turn, host, *asked);
            }
            Event::Ended { client, turn, outcome } => self.ended(client, turn, &outcome),
            Event::Watched { client, turn, event } => self.watched(client, turn, &event),
            Event::GiveUp { client, turn } => self.give_up(client, turn),
            Event::Doom(process, doom) => self.doom(process, doom),
            Event::Start(process) => self.start(process),
            Event::Resume(process) => self.resume(process),
            Event::StopDeadline(process) => self.stop_deadline(process),
            Event::Later(later) => self.happen(later),
            Event::Calm => self.calm(),
            Event::Settled => self.settled(),
        }
    }

    /// Counts an event. Says whether this second has had too many.
    const fn runs_wild(&mut self) -> bool {
        let second = self.time / (1000 * MS);
        if self.busy.0 != second {
            self.busy = (second, 0);
        }
        self.busy.1 += 1;
        self.busy.1 > MOST_EVENTS_A_SECOND
    }

    /// Notes a broken promise; the first one counts. If a member could not know of one that it broke
    /// before, the run is over without a verdict.
    pub(super) fn violate(&mut self, violation: Violation) {
        if self.oracles.is_untold() {
            (self.stats.untold, self.over) = (1, true);
        } else {
            self.violation.get_or_insert(violation);
        }
    }

    pub(super) fn check(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.violate(violation);
        }
    }
}
