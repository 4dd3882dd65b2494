//! The loop: take all inputs that are ready, hand them to the node, carry out what it asks for.
//!
//! It is the only place that touches the node. It never waits for anything but its next input or
//! deadline: what takes time is handed to tasks, to the disk, to the links to the peers, and comes
//! back as an input.

mod effects;
mod inbox;
mod replies;
#[cfg(test)]
mod tests;

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use quorate_core::Config;
use quorate_core::api::Gate;
use quorate_core::config::Limits;
use quorate_core::discovery::service::Rules;
use quorate_core::node::{Exit, Input, Node, Output, Timer};
use quorate_core::time::{Instant, Now};
use tokio::sync::mpsc;
use tracing::error;

use crate::ask::Asker;
use crate::counted::Counted;
use crate::life::{Life, LifeEnder};
use crate::platform::{Disk as _, Platform, Reports};
use crate::published::Published;
use effects::Effects;
use inbox::{Batch, Inbox};

pub(crate) use effects::bind;
pub(crate) use inbox::{Ask, BATCH, Mailbox};
pub(crate) use replies::{Part, ReplyTo};

/// How long connections may take to end once the node has halted.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// What a request may take beside two election timeouts, as in etcd.
const REQUEST_TIMEOUT_BASE: Duration = Duration::from_secs(5);

/// What the loop drives: a [`Node`], or something that stands for one in a test.
pub trait Machine: Send + 'static {
    /// As [`Node::handle`].
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>);
    /// As [`Node::deadline`].
    fn deadline(&self) -> Option<(Instant, Timer)>;
}

impl Machine for Node {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        Self::handle(self, now, input, out);
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        Self::deadline(self)
    }
}

/// What the driver itself has to know of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long a client waits for an answer before it is told that none comes.
    pub request_timeout: Duration,
    /// Which clients are let in.
    pub gate: Arc<Gate>,
    /// How much clients may take.
    pub limits: Limits,
    /// This is a discovery service for everybody, and nothing else is served to clients.
    pub tokens: Option<Arc<Rules>>,
    /// The command line of the process, without anything secret.
    pub command_line: Arc<[String]>,
}

impl Options {
    /// The options that go with a configuration.
    pub fn of(config: &Config) -> Self {
        let elections = config.election_timeout.saturating_mul(2);
        Self {
            request_timeout: REQUEST_TIMEOUT_BASE.saturating_add(elections),
            gate: Arc::new(config.gate.clone()),
            limits: config.limits,
            tokens: None,
            command_line: Arc::default(),
        }
    }
}

/// Asks a node to stop.
#[derive(Clone, Debug)]
pub struct Stopper(mpsc::UnboundedSender<Input>);

impl Stopper {
    pub(crate) const fn new(control: mpsc::UnboundedSender<Input>) -> Self {
        Self(control)
    }

    /// Asks for a graceful stop; [`Driver::run`] ends some time later. Nothing happens if it has
    /// ended already.
    pub fn stop(&self) {
        let _ = self.0.send(Input::Stop);
    }
}

/// Drives one node.
pub struct Driver<P: Platform, M> {
    platform: P,
    machine: M,
    options: Options,
    inbox: Inbox,
    mailbox: Mailbox,
}

impl<P: Platform, M: Machine> Driver<P, M> {
    /// A driver for a machine that has not begun.
    pub fn new(platform: P, machine: M, options: Options) -> Self {
        let (mailbox, inbox) = inbox::channels();
        Self { platform, machine, options, inbox, mailbox }
    }

    /// Asks this node to stop; may be kept and used from anywhere.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.mailbox.control.clone())
    }

    /// Runs the node until it halts, and takes down everything that belongs to it.
    pub async fn run(self) -> Exit {
        let Self { platform, mut machine, options, mut inbox, mailbox } = self;
        let (life, mut ender) = Life::new();
        let disk = platform.disk(Reports(mailbox.control.clone()));
        let counted = Arc::new(Counted::new(platform.now()));
        let (asker, published) = (Asker::new(mailbox.clone()), Arc::new(Published::new()));
        let shared = Shared { options, mailbox, asker, published, counted };
        let mut effects = Effects::new(platform.clone(), life, shared, disk);
        let exit = turn(&platform, &mut machine, &mut inbox, &mut effects).await;
        let disk = effects.into_disk();
        // Nobody reads the inbox any more; whoever waits for room in it must not wait for ever.
        drop(inbox);
        wind_down(&platform, &mut ender).await;
        disk.close().await;
        exit
    }
}

/// What the loop shares with the tasks around it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) mailbox: Mailbox,
    pub(crate) asker: Asker,
    pub(crate) published: Arc<Published>,
    pub(crate) counted: Arc<Counted>,
}

async fn turn<P: Platform, M: Machine>(
    platform: &P,
    machine: &mut M,
    inbox: &mut Inbox,
    effects: &mut Effects<P>,
) -> Exit {
    let mut alarm = Alarm::new(platform.clone());
    let mut batch = Batch::default();
    let mut outputs = Vec::new();
    loop {
        let now = platform.now();
        effects.admit(now, &mut batch, |input| machine.handle(now, input, &mut outputs));
        machine.handle(now, Input::Wake, &mut outputs);
        if let Some(exit) = effects.perform(now, &mut outputs) {
            return exit;
        }
        if !effects.has_news() {
            alarm.set(machine.deadline().map(|(at, _)| at));
            let mut yielded = false;
            poll_fn(|cx| {
                if inbox.poll_batch(cx, &mut batch) {
                    return Poll::Ready(());
                }
                if effects.has_late() {
                    if yielded {
                        return Poll::Ready(());
                    }
                    // Whoever is to read it has to run, too.
                    yielded = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                alarm.poll(cx)
            })
            .await;
        }
    }
}

/// Takes down the tasks that are left.
pub(crate) async fn wind_down<P: Platform>(platform: &P, ender: &mut LifeEnder) {
    ender.drain();
    let late = tokio::select! {
        biased;
        () = ender.all_gone() => false,
        () = platform.sleep(DRAIN_TIME) => true,
    };
    if late {
        ender.end();
        // Dropped tasks end at their next turn. The time only guards against a defect.
        tokio::select! {
            biased;
            () = ender.all_gone() => {}
            () = platform.sleep(DRAIN_TIME) => error!("tasks are left behind after the stop"),
        }
    }
}

/// The node's deadline as a sleep. Deadlines move ahead all the time (each heartbeat puts off the
/// election), so a sleep that is already set for an earlier moment is left alone and extended when
/// it ends.
struct Alarm<P: Platform> {
    platform: P,
    deadline: Option<Instant>,
    sleep: Option<(Instant, Pin<Box<P::Sleep>>)>,
}

impl<P: Platform> Alarm<P> {
    const fn new(platform: P) -> Self {
        Self { platform, deadline: None, sleep: None }
    }

    fn set(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    fn poll(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        loop {
            let (until, sleep) = match &mut self.sleep {
                Some((until, sleep)) if *until <= deadline => (*until, sleep),
                _ => {
                    let wait = deadline.since(self.platform.now().mono);
                    let sleep = Box::pin(self.platform.sleep(wait));
                    let (until, sleep) = self.sleep.insert((deadline, sleep));
                    (*until, sleep)
                }
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
            if until >= deadline {
                return Poll::Ready(());
            }
        }
    }
}
