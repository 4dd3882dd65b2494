//! The life of a node's tasks: serving, draining, ended.
//!
//! A node that halts lets its connections finish what they are at and then takes down whatever is
//! left, so that several nodes can live and die in one process.

use std::convert::Infallible;
use std::future::Future;

use tokio::sync::mpsc;

use crate::platform::Platform;
use crate::watched::{Changer, Watcher, watched};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Ended,
}

/// Held by every task.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    phase: Watcher<Phase>,
    alive: mpsc::Sender<Infallible>,
}

/// Held by whoever ends the tasks.
#[derive(Debug)]
pub(crate) struct LifeEnder {
    phase: Changer<Phase>,
    alive: mpsc::Receiver<Infallible>,
}

impl Life {
    pub(crate) fn new() -> (Self, LifeEnder) {
        let (phase, phases) = watched(Phase::Serving);
        let (alive, all_gone) = mpsc::channel(1);
        (Self { phase: phases, alive }, LifeEnder { phase, alive: all_gone })
    }

    /// Runs a task that is dropped when the node ends.
    pub(crate) fn spawn<P: Platform>(
        &self,
        platform: &P,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let life = self.clone();
        platform.spawn(async move {
            let Self { phase, alive } = life;
            tokio::select! {
                biased;
                () = task => {}
                () = phase.until(|phase| *phase == Phase::Ended) => {}
            }
            drop(alive);
        });
    }

    /// Ends when no further work is to be begun.
    pub(crate) async fn draining(&self) {
        self.phase.until(|phase| *phase >= Phase::Draining).await;
    }
}

impl LifeEnder {
    pub(crate) fn drain(&self) {
        self.phase.set(Phase::Draining);
    }

    /// Takes down what still runs.
    pub(crate) fn end(&self) {
        self.phase.set(Phase::Ended);
    }

    /// Ends when every task has ended.
    pub(crate) async fn all_gone(&mut self) {
        while self.alive.recv().await.is_some() {}
    }
}
