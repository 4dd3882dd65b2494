//! Clients: one request after the other, to members of their choice, with little patience.

use std::sync::Arc;

use super::http::{Browser, Seen};
use super::platform::Simulated;
use super::sleep::Sleep;
use super::state::{MS, State};
use crate::machine::{Machine as _, Shown};
use crate::oracle::Violation;
use crate::record::{End, What, Who, brief};
use crate::workload::{Asked, Outcome};

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    /// Which workload it belongs to, and its number there.
    workload: usize,
    number: usize,
    /// What it waits for.
    waits: Option<Waits>,
}

#[derive(Clone, Debug)]
struct Waits {
    called: u64,
    host: usize,
    asked: Asked,
    /// The last store index that the member had shown to anybody.
    shown: u64,
}

/// What a client does next.
struct Turn {
    host: usize,
    asked: Asked,
    /// After which time it gives up, in nanoseconds.
    patience: u64,
}

impl Client {
    /// The client of this number of a workload.
    pub(super) const fn new(workload: usize, number: usize) -> Self {
        Self { workload, number, waits: None }
    }

    /// Whether it waits for an answer that is not a watch.
    pub(super) fn waits(&self) -> bool {
        self.waits.as_ref().is_some_and(|waits| !waits.watches())
    }
}

impl Waits {
    const fn watches(&self) -> bool {
        matches!(self.asked, Asked::Watch(_))
    }
}

/// The life of a client.
pub(super) async fn live(platform: Simulated, number: usize) {
    let world = platform.world.clone();
    let calm = Arc::clone(&world.lock().calm);
    let mut browser = Browser::new(platform);
    let mut pause = world.lock().chances.clients.below(3000 * MS);
    loop {
        Sleep::new(world.clone(), pause).await;
        let Some(Turn { host, asked, patience }) = world.lock().next_turn(number) else { return };
        let seen = |seen: Seen| world.lock().watched(number, seen);
        let outcome = tokio::select! {
            biased;
            () = calm.notified() => Ok(Outcome::Unknown),
            outcome = browser.ask(host, &asked, seen) => outcome,
            () = Sleep::new(world.clone(), patience) => Ok(Outcome::Unknown),
        };
        pause = world.lock().ended(number, outcome);
    }
}

impl State {
    /// A client makes its next request, unless it has done its work.
    fn next_turn(&mut self, number: usize) -> Option<Turn> {
        if self.progress && self.healthy.is_some() {
            return None;
        }
        let called = self.now();
        let chance = &mut self.chances.clients;
        let host = match &self.healthy {
            Some(healthy) => healthy[chance.index(healthy.len())],
            None => self.places.inhabited(chance.index(self.members)),
        };
        let client = &mut self.clients[number];
        let asked = self.workloads[client.workload].next(client.number, chance);
        let options = &self.scenario.options;
        let mut patience = options.client_timeout_ms * MS;
        if let Asked::Watch(request) = &asked {
            patience *= 4;
            self.oracles.watch_asked(number, request);
        }
        if self.healthy.is_none() && chance.hit(options.client_loss_ppm) {
            // It hangs up before the answer can be there, or just when it comes.
            patience = chance.wait(3 * MS);
        }
        let shown = self.oracles.last_shown(host);
        client.waits = Some(Waits { called, host, asked: asked.clone(), shown });
        self.record(Who::Client(number), || What::ask(host, &asked));
        Some(Turn { host, asked, patience })
    }

    /// A part of the answer to a watch reaches a client.
    fn watched(&mut self, number: usize, seen: Seen) {
        self.time_passes();
        self.record(Who::Client(number), || What::Output(brief(&seen)));
        let event = match seen {
            Seen::Began(index) => return self.oracles.watch_began(number, index),
            Seen::Event(event) => event,
        };
        self.stats.watched += 1;
        self.digest.add(event.index);
        let client = &self.clients[number];
        let work = &mut self.workloads[client.workload];
        let verdict = self
            .oracles
            .saw(&event)
            .and_then(|()| self.oracles.watch_told(number, &event))
            .and_then(|()| work.event(client.number, &event));
        self.check(verdict);
    }

    /// A client waits no longer for what it has asked.
    pub(super) fn give_up(&mut self, number: usize) {
        if self.clients[number].waits.is_some() {
            self.ended(number, Ok(Outcome::Unknown));
        }
    }

    /// A client knows, or knows that it will never know. Gives how long it pauses.
    fn ended(&mut self, number: usize, outcome: Result<Outcome, String>) -> u64 {
        let now = self.time_passes();
        self.record(Who::Client(number), || match &outcome {
            Ok(outcome) => What::answer(outcome),
            Err(words) => What::Answer { end: End::Unknown, answer: words.clone() },
        });
        if let Some(waits) = self.clients[number].waits.take() {
            let verdict = match outcome {
                Ok(outcome) => self.judge(number, &waits, &outcome).and_then(|()| {
                    let Client { workload, number, .. } = self.clients[number];
                    self.workloads[workload].ended(number, waits.called, now, &outcome)
                }),
                Err(detail) => Err(Violation::safety("understood", waits.host, detail)),
            };
            self.check(verdict);
            if waits.watches() {
                self.oracles.watch_over(number);
            }
        }
        let mean = if self.healthy.is_some() { 50 } else { self.options().think_mean_ms };
        self.chances.clients.wait(mean * MS)
    }

    fn judge(&mut self, client: usize, waits: &Waits, outcome: &Outcome) -> Result<(), Violation> {
        let answered = matches!(outcome, Outcome::Answered { .. });
        match waits.asked {
            Asked::Watch(_) => self.stats.cleared += u64::from(answered),
            Asked::Read(_) => self.stats.plain_reads += u64::from(answered),
            Asked::Keys(_) => {
                let calm = self.healthy.is_some() && waits.called >= self.calm_since;
                self.progress |= self.stats.asked(outcome) && calm;
            }
        }
        let Outcome::Answered { result, stamp } = outcome else { return Ok(()) };
        self.digest.add(stamp.store_index);
        let (host, oracles) = (waits.host, &mut self.oracles);
        match (&waits.asked, result) {
            (Asked::Watch(_), Err(error)) => oracles.watch_refused(client, error)?,
            (Asked::Watch(_), Ok(_)) => {}
            (Asked::Read(request), _) => {
                let shown = Shown { result: result.clone(), stamp: *stamp };
                oracles.shown_after(host, waits.shown, request, &shown)?;
                oracles.answered(client, false, stamp)?;
            }
            (Asked::Keys(request), _) => {
                oracles.acknowledged(host, stamp);
                oracles.answered(client, true, stamp)?;
                if let (Some(ttl_s), Ok(event)) = (request.ttl_s, result) {
                    oracles.stamped(host, ttl_s, waits.called, event)?;
                }
            }
        }
        result.as_ref().map_or(Ok(()), |event| oracles.saw(event))
    }

    /// A client whose watch was not told an event that its member has applied, in words.
    pub(super) fn watch_due(&self) -> Option<String> {
        self.clients.iter().enumerate().find_map(|(number, client)| {
            let waits = client.waits.as_ref().filter(|waits| waits.watches())?;
            let running = self.hosts[waits.host].running.as_ref()?;
            let reached = running.node().history()?.last();
            let index = self.oracles.watch_due(number, reached)?;
            Some(format!("client {number} watches and was not told index {index}"))
        })
    }
}
