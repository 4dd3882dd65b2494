//! One member of a cluster as a pure state machine: events in, actions out.
//!
//! ```text
//!                    ┌──────────────────────────── Node ───────────────────────────┐
//!   Input ──handle──▶│ Boot ──▶ Running: clients → raft → log file → state machine │──▶ Outputs
//!                    └─────────────────────────────────────────────────────────────┘
//! ```
//!
//! A driver takes all inputs that are ready, hands each to [`Node::handle`], then an
//! [`Input::Wake`], and carries the outputs out in order. When nothing comes in, it wakes the node
//! at its [`deadline`](Node::deadline).

mod apply;
mod changes;
mod clients;
pub mod durability;
mod duties;
mod early;
mod effects;
mod exchanged;
pub mod input;
mod inspect;
mod kin;
pub mod output;
mod past;
mod promote;
mod release;
mod requests;
mod room;
mod running;
mod snapshots;
mod stop;
mod timer;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub(crate) use effects::Effects;
pub use input::{CallId, ClientId, Computed, Input, LinkEvent, ListenError};
pub use inspect::Inspection;
pub(crate) use kin::write_met;
pub use output::{Exit, Output, Peer, Task};
pub use timer::Timer;

use crate::boot::{self, Boot};
use crate::config::Config;
use crate::disk::Script;
use crate::member::identity::Said;
use crate::proxy::Proxy;
use crate::raft::Message;
use crate::time::{Instant, Now};
use crate::view::View;
use early::Early;
use running::Running;

/// One member.
#[derive(Debug)]
pub struct Node {
    config: Arc<Config>,
    seed: [u8; 32],
    phase: Phase,
    script: Script,
    calls: u64,
    /// Whether something has happened since the last wake.
    dirty: bool,
}

#[derive(Debug)]
enum Phase {
    Booting(Box<Boot>, Early),
    Running(Box<Running>),
    /// It is no member, but forwards to a cluster.
    Proxying(Box<Proxy>),
    /// It has halted; what it was is kept for those who want to know why.
    Over(Option<Box<Running>>),
}

impl Node {
    /// A node that has not begun: the first [`Input::Wake`] starts it. `seed` feeds its timers'
    /// jitter and nothing that must be secret; a restart needs a new one.
    pub fn new(config: Config, seed: [u8; 32], _now: Now) -> Self {
        let config = Arc::new(config);
        let boot = Box::new(Boot::new(config.clone(), seed));
        let phase = Phase::Booting(boot, Early::new(&config));
        Self { config, seed, phase, script: Script::default(), calls: 0, dirty: true }
    }

    /// Takes one input and pushes what is to be done about it, in order. After
    /// [`Output::Halt`] inputs are ignored.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let woken = matches!(input, Input::Wake);
        let mut fx = Effects::new(&mut self.script, &mut self.calls, out);
        let next = match &mut self.phase {
            Phase::Booting(boot, early) => {
                booting(boot, early, &self.config, self.seed, now, input, &mut fx)
            }
            Phase::Running(running) => running_on(running, now, input, &mut fx),
            Phase::Proxying(proxy) => proxying_on(proxy, now.mono, input, &mut fx),
            Phase::Over(_) => return,
        };
        let exit = match next {
            Next::Stay => None,
            Next::Run(running) => {
                self.phase = Phase::Running(running);
                None
            }
            Next::Forward(proxy) => {
                self.phase = Phase::Proxying(proxy);
                None
            }
            Next::Exit(exit) => Some(exit),
        };
        self.dirty = !woken || self.has_more();
        out.extend(self.script.drain().map(Output::Disk));
        if let Some(exit) = exit {
            self.phase = match core::mem::replace(&mut self.phase, Phase::Over(None)) {
                Phase::Running(running) => Phase::Over(Some(running)),
                Phase::Booting(..) | Phase::Proxying(_) | Phase::Over(_) => Phase::Over(None),
            };
            out.push(Output::Halt(exit));
        }
    }

    /// When [`Input::Wake`] is due at the latest, and why. Nothing once it has halted.
    pub fn deadline(&self) -> Option<(Instant, Timer)> {
        if self.dirty && !matches!(self.phase, Phase::Over(_)) {
            return Some((Instant::default(), Timer::Flush));
        }
        match &self.phase {
            Phase::Booting(boot, early) => {
                let ask = boot.deadline().map(|at| (at, Timer::Ask));
                let request = early.deadline().map(|at| (at, Timer::Request));
                ask.into_iter().chain(request).min_by_key(|(at, _)| *at)
            }
            Phase::Running(running) => running.deadline(),
            Phase::Proxying(proxy) => proxy.deadline().map(|at| (at, Timer::Refresh)),
            Phase::Over(_) => None,
        }
    }

    fn has_more(&self) -> bool {
        matches!(&self.phase, Phase::Running(running) if running.has_more())
    }
}

/// What an input leads to for the node as a whole.
enum Next {
    Stay,
    Run(Box<Running>),
    Forward(Box<Proxy>),
    Exit(Exit),
}

fn booting(
    boot: &mut Boot,
    early: &mut Early,
    config: &Arc<Config>,
    seed: [u8; 32],
    now: Now,
    input: Input,
    fx: &mut Effects<'_>,
) -> Next {
    let progress = match input {
        Input::Wake => {
            early.expire(now.mono, fx);
            boot.wake(now.mono, fx)
        }
        Input::Disk(done) => boot.disk(now.mono, done, fx),
        Input::Http { call, result } => boot.http(now.mono, call, result, fx),
        Input::Dns { call, answer } => boot.dns(now.mono, call, answer, fx),
        Input::Listening { result } => boot.listening(result, fx),
        Input::Client { id, request } => {
            early.add(now.mono, id, request, fx);
            boot::Progress::Pending
        }
        Input::Gone { id } => {
            early.gone(id);
            boot::Progress::Pending
        }
        Input::Peer { message: Message { from, .. }, .. }
        | Input::Met { peer: from, .. }
        | Input::Unlisted { from } => {
            boot.spoken_to(from);
            boot::Progress::Pending
        }
        // Nothing was asked of anybody yet that these could be about.
        Input::Stranger { .. }
        | Input::Link { .. }
        | Input::Computed { .. }
        | Input::EndpointFailed { .. } => boot::Progress::Pending,
        Input::Stop => {
            early.dismiss(fx);
            return Next::Exit(Exit::Stopped { lines: Vec::new() });
        }
    };
    match progress {
        boot::Progress::Pending => {
            early.publish(boot, fx);
            Next::Stay
        }
        boot::Progress::Refused(refusal) => {
            early.dismiss(fx);
            Next::Exit(Exit::Refused(refusal))
        }
        boot::Progress::Proxy(members) => {
            early.dismiss(fx);
            Next::Forward(Box::new(Proxy::new(config.clone(), seed, &members, fx)))
        }
        boot::Progress::Done(booted) => {
            let mut running = Running::new(config.clone(), seed, *booted, now, fx);
            if let Some(exit) = running.exit.take() {
                // It ends as it came: nothing of what it would have begun with is written.
                drop(fx.script.drain());
                early.dismiss(fx);
                return Next::Exit(exit);
            }
            for (id, request) in early.take() {
                running.take_request(now, id, request);
            }
            Next::Run(Box::new(running))
        }
    }
}

fn running_on(running: &mut Running, now: Now, input: Input, fx: &mut Effects<'_>) -> Next {
    match input {
        Input::Wake => running.wake(now, fx),
        Input::Peer { message, said } => running.take_message(now.mono, message, said, fx),
        Input::Met { peer, said } => {
            running.hear_version(said);
            running.meet(now.mono, peer, said, fx);
        }
        Input::Stranger { from, cause } => running.refuse_peer(now.mono, from, cause, fx),
        Input::Client { id, request } => running.take_request(now, id, request),
        Input::Gone { id } => running.forget_client(id),
        Input::Disk(done) => running.take_done(now.mono, &done, fx),
        Input::Http { call, result } => running.take_version(now.mono, call, result),
        Input::Computed { call, result } => running.take_computed(now.mono, call, result, fx),
        Input::Link { peer, event } => running.take_link(now.mono, peer, event),
        Input::Stop => running.ask_to_stop(now.mono),
        // The first two are over before a member runs, and it forwards nothing.
        Input::Dns { .. } | Input::Listening { .. } | Input::EndpointFailed { .. } => {}
        // It may have been added a moment ago: it tries again.
        Input::Unlisted { .. } => {}
    }
    running.exit.take().map_or(Next::Stay, Next::Exit)
}

fn proxying_on(proxy: &mut Proxy, now: Instant, input: Input, fx: &mut Effects<'_>) -> Next {
    match input {
        Input::Wake => proxy.wake(now, fx),
        Input::Disk(done) => proxy.disk(now, done, fx),
        Input::Http { call, result } => proxy.http(now, call, result, fx),
        Input::Dns { call, answer } => proxy.dns(now, call, answer, fx),
        Input::EndpointFailed { endpoint } => proxy.failed(now, &endpoint, fx),
        Input::Client { id, .. } => early::dismiss(id, fx),
        Input::Stop => return Next::Exit(Exit::Stopped { lines: Vec::new() }),
        // Leftovers of a start as a member.
        Input::Peer { .. }
        | Input::Met { .. }
        | Input::Stranger { .. }
        | Input::Unlisted { .. }
        | Input::Link { .. }
        | Input::Computed { .. }
        | Input::Gone { .. }
        | Input::Listening { .. } => {}
    }
    proxy.exit.take().map_or(Next::Stay, Next::Exit)
}

/// What readers see of a member that has not started.
fn view_before_start(boot: &Boot) -> View {
    let owner = boot.owner();
    View {
        member: owner.map(|owner| owner.member),
        cluster_id: owner.map(|owner| owner.cluster),
        said: Said { incarnation: boot.incarnation(), ..Said::default() },
        formed: boot.has_cluster(),
        unlisted: boot.unlisted(),
        ..View::new(boot.members())
    }
}
