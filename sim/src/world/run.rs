//! A run from its beginning to its end.

use std::cell::OnceCell;
use std::future::{Future as _, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use madsim::runtime::Runtime;
use madsim::time::TimeHandle;
use quorate_core::api::MembersRequest;

use super::clients::live;
use super::event::Event;
use super::http::Browser;
use super::platform::Simulated;
use super::process::Process;
use super::sleep::Sleep;
use super::state::{MS, State, World};
use crate::oracle::{Kind, Violation};
use crate::place::{Faults, Told};
use crate::record::Recorder;
use crate::report::{Report, panicked};
use crate::scenario::Scenario;

/// How long whoever asks for a change of the membership waits for the answer.
const CHANGE_PATIENCE: u64 = 10_000 * MS;

/// Far more events than any run needs: tasks that wake each other without end.
const MOST_EVENTS: u64 = 20_000_000;

/// One run, on a thread of its own: the order of hash tables depends on what a thread has made
/// before; recorded if `record`. A panic of a member is a violation like any other.
pub fn run(scenario: &Scenario, record: bool) -> Report {
    let scenario = scenario.clone();
    let thread = thread::spawn(move || {
        let config = madsim::Config::default();
        let runtime = Runtime::with_seed_and_config(scenario.seed, config);
        let recorder = Recorder::new(record);
        // Outside of what a panic takes away.
        let world = OnceCell::new();
        let whole = || runtime.block_on(whole(scenario, recorder.clone(), &world));
        catch_unwind(AssertUnwindSafe(whole)).unwrap_or_else(|panic| {
            let Some(world) = world.get() else { resume_unwind(panic) };
            let state = &mut *world.lock();
            let now = state.now();
            state.violation.get_or_insert_with(|| (now, panicked(panic.as_ref())));
            state.report(&recorder)
        })
    });
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

async fn whole(scenario: Scenario, recorder: Recorder, kept: &OnceCell<World>) -> Report {
    let world = kept.get_or_init(|| World::new(scenario, recorder.clone()));
    let wait = world.begin_service();
    world.begin(wait);
    world.begin_clients();
    world.carry_on().await;
    world.end().await;
    world.lock().report(&recorder)
}

impl World {
    /// Begins. If members `wait`, somebody else starts them.
    fn begin(&self, wait: bool) {
        let state = &mut *self.lock();
        for host in 0..state.members {
            state.oracles.clock_is_ahead(host, state.hosts[host].clock.ahead());
            let at = state.chances.hosts.below(1000 * MS);
            if !wait {
                state.agenda.push(at, Event::Start(Process { host, boot: 0 }));
            }
        }
        state.plan_faults();
        state.agenda.push(state.scenario.options.safety_ms * MS, Event::Calm);
    }

    fn begin_clients(&self) {
        let Some(platform) = self.of_clients() else { return };
        let clients = self.lock().clients.len();
        for number in 0..clients {
            drop(platform.spawner.spawn(live(platform.clone(), number)));
        }
    }

    /// Somebody asks a member for a change of the membership, with a connection of its own.
    fn ask(&self, host: usize, number: usize, request: MembersRequest) {
        let Some(platform) = self.of_clients() else { return };
        let world = self.clone();
        let spawner = platform.spawner.clone();
        drop(spawner.spawn(async move {
            let patience = Sleep::new(world.clone(), CHANGE_PATIENCE);
            let mut browser = Browser::new(platform);
            let told = tokio::select! {
                biased;
                told = browser.change(host, &request) => told,
                () = patience => Told::Unknown,
            };
            Faults::told(&mut *world.lock(), number, told);
        }));
    }

    /// The machine of all clients.
    pub(super) fn of_clients(&self) -> Option<Simulated> {
        let state = self.lock();
        let process = Process { host: state.members, boot: 0 };
        let spawner = state.runtime.get_node(state.hosts[process.host].id)?;
        Some(Simulated { world: self.clone(), process, spawner })
    }

    /// Carries out what is planned, until the run is over.
    pub(super) async fn carry_on(&self) {
        let begin = TimeHandle::current().now_instant() - TimeHandle::current().elapsed();
        poll_fn(|cx| self.turn(cx, begin)).await;
    }

    /// Carries out what is due, and waits for what is not.
    fn turn(&self, cx: &mut Context<'_>, begin: std::time::Instant) -> Poll<()> {
        loop {
            let mut state = self.lock();
            if state.is_over() {
                return Poll::Ready(());
            }
            let now = state.now();
            if let Some(event) = state.agenda.pop(now) {
                drop(state);
                self.happen(event);
                continue;
            }
            let Some(next) = state.agenda.wait(cx.waker()) else { return Poll::Pending };
            let mut alarm = pin!(madsim::time::sleep(Duration::ZERO));
            // Setting it anew avoids the runtime's least time of a millisecond.
            alarm.as_mut().reset(begin + Duration::from_nanos(next));
            if alarm.poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn happen(&self, event: Event) {
        let mut state = self.lock();
        state.stats.events += 1;
        let now = state.now();
        state.digest.add(now);
        state.digest.add(event.number());
        match event {
            Event::Wake(waker) => waker.wake(),
            Event::Tcp(due) => state.wired(|tcp, wire| tcp.due(wire, due)),
            Event::Later(later) => Faults::happen(&mut *state, later),
            Event::Doom(process, doom) => state.doom(process, doom),
            Event::Power(host) => state.tcp.power_up(host),
            Event::Ask { host, number, request } => {
                drop(state);
                self.ask(host, number, request);
            }
            Event::Start(process) => {
                let of_service = process.host > state.members;
                drop(state);
                if of_service { self.start_service() } else { self.start(process) }
            }
            Event::Resume(process) => state.resume(process),
            Event::StopDeadline(process) => state.stop_deadline(process),
            Event::Calm => state.calm(),
            Event::Look => state.look(),
        }
    }

    /// Ends all tasks, so that nothing is left that holds the world.
    async fn end(&self) {
        {
            let state = &mut *self.lock();
            state.tcp.clear();
            state.agenda.clear();
            for host in &state.hosts {
                state.runtime.resume(host.id);
                state.runtime.kill(host.id);
            }
        }
        madsim::time::sleep(Duration::from_millis(1)).await;
        self.lock().agenda.clear();
    }
}

impl State {
    fn is_over(&mut self) -> bool {
        if self.stats.events > MOST_EVENTS {
            self.violate(Violation {
                kind: Kind::Liveness,
                oracle: "progress",
                node: None,
                index: None,
                detail: "events without end".to_owned(),
            });
        }
        self.over || self.violation.is_some()
    }

    fn report(&mut self, recorder: &Recorder) -> Report {
        self.stats.simulated_ms = self.now() / MS;
        let members = self.scenario.options.members;
        self.stats.committed(self.oracles.ledger(), members);
        self.stats.misreads = self.hosts.iter().map(|host| host.files.misreads()).sum();
        self.stats.no_space = self.hosts.iter().map(|host| host.files.no_space_count()).sum();
        Report {
            scenario: self.scenario.clone(),
            stats: self.stats.clone(),
            digest: self.digest.value(),
            violation: self.violation.take(),
            recording: recorder.take(),
        }
    }
}
