//! Clients: one request after the other, to members of their choice, with little patience.

use quorate_core::api::{Failure, Response, Stamp};
use quorate_core::node::{ClientId, Input};
use quorate_core::store;

use super::event::Event;
use super::world::{MS, World};
use crate::machine::Machine;
use crate::record::{What, Who};
use crate::workload::{Asked, Outcome};

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    /// Which workload it belongs to, and its number there.
    workload: usize,
    number: usize,
    /// How many requests it made.
    turn: u64,
    /// What it waits for.
    waits: Option<Waits>,
}

#[derive(Clone, Copy, Debug)]
struct Waits {
    called: u64,
    host: usize,
    id: ClientId,
    watch: bool,
    /// Whether the answer comes through the log.
    quorum: bool,
    /// The time to live that it asks for, in seconds.
    ttl_s: Option<u64>,
    /// Whether a part of the answer was lost, and with it everything behind it.
    broken: bool,
    /// When the last part of the answer arrives: parts of one answer keep their order.
    last: u64,
}

impl Client {
    /// The client of this number of a workload.
    pub(super) const fn new(workload: usize, number: usize) -> Self {
        Self { workload, number, turn: 0, waits: None }
    }
}

impl<M: Machine> World<M> {
    /// A client makes its next request.
    pub(super) fn act(&mut self, number: usize) {
        let over = self.progress && self.healthy.is_some();
        if self.quiet || over || self.clients[number].waits.is_some() {
            return;
        }
        let host = self.choose_host();
        let id = self.next_request();
        let client = &mut self.clients[number];
        let chance = &mut self.chances.clients;
        let asked = self.workloads[client.workload].next(client.number, chance);
        client.turn += 1;
        let turn = client.turn;
        let (watch, quorum, ttl_s) = match &asked {
            Asked::Keys(request) => (false, true, request.ttl_s),
            Asked::Read(_) => (false, false, None),
            Asked::Watch(_) => (true, false, None),
        };
        let (called, broken, last) = (self.time, false, 0);
        client.waits = Some(Waits { called, host, id, watch, quorum, ttl_s, broken, last });
        if let Asked::Watch(request) = &asked {
            self.oracles.watch_asked(number, request);
        }
        self.recorder.add(self.time, Who::Client(number), || What::ask(host, &asked));
        let patience = self.options.client_timeout_ms * if watch { 4 } else { 1 };
        self.queue.push(self.time + patience * MS, Event::GiveUp { client: number, turn });
        let wait = self.client_delay();
        let asked = Box::new(asked);
        self.queue.push(self.time + wait, Event::Arrive { client: number, turn, host, asked });
    }

    fn choose_host(&mut self) -> usize {
        match &self.healthy {
            Some(healthy) => healthy[self.chances.clients.index(healthy.len())],
            None => self.places.inhabited(self.chances.clients.index(self.hosts.len())),
        }
    }

    pub(super) const fn next_request(&mut self) -> ClientId {
        self.requests += 1;
        ClientId(self.requests)
    }

    pub(super) fn client_delay(&mut self) -> u64 {
        MS / 10 + self.chances.clients.wait(MS / 2)
    }

    /// A request reaches a host.
    pub(super) fn arrive(&mut self, number: usize, turn: u64, host: usize, asked: Asked) {
        let Some(waits) = self.clients[number].waits.filter(|_| self.clients[number].turn == turn)
        else {
            return;
        };
        let running = self.hosts[host].running.as_mut().filter(|r| r.listening);
        let Some(running) = running else {
            self.end_soon(number, turn, Outcome::Refused);
            return;
        };
        if running.paused.is_some() && matches!(asked, Asked::Read(_)) {
            return;
        }
        let request = match asked {
            Asked::Read(request) => {
                let shown = running.machine.read(running.view.as_deref(), &request);
                let outcome = match shown {
                    None => Outcome::Refused,
                    Some(shown) => {
                        self.stats.plain_reads += 1;
                        let verdict = self.oracles.shown(host, &request, &shown);
                        self.check(verdict);
                        Outcome::Answered { result: shown.result, stamp: shown.stamp }
                    }
                };
                self.end_soon(number, turn, outcome);
                return;
            }
            Asked::Keys(request) => quorate_core::api::Request::Keys(request),
            Asked::Watch(request) => quorate_core::api::Request::Watch(request),
        };
        running.requests.insert(waits.id, (number, turn));
        if let Some(process) = self.current(host) {
            self.input(process, Input::Client { id: waits.id, request });
        }
    }

    fn end_soon(&mut self, client: usize, turn: u64, outcome: Outcome) {
        let wait = self.client_delay();
        let outcome = Box::new(outcome);
        self.queue.push(self.time + wait, Event::Ended { client, turn, outcome });
    }

    /// A node answers a client. The answer may be lost; the client then waits in vain.
    pub(super) fn answer(
        &mut self,
        host: usize,
        client: usize,
        turn: u64,
        response: Response,
        last: bool,
    ) {
        if let Response::Keys { stamp, .. } = &response {
            self.oracles.acknowledged(host, stamp);
        }
        if self.is_lost(client, turn) {
            return;
        }
        let outcome = match response {
            Response::Keys { result, stamp } => Outcome::Answered { result, stamp },
            Response::Event(event) => {
                let at = self.arrival(client);
                let event = Box::new(event);
                self.queue.push(at, Event::Watched { client, turn, event });
                if !last {
                    return;
                }
                Outcome::Unknown
            }
            Response::WatchRefused(error) => {
                Outcome::Answered { result: Err(error), stamp: Stamp::default() }
            }
            Response::Watching { stamp } if !last => {
                self.oracles.watch_began(client, stamp.store_index);
                return;
            }
            Response::Failed(
                Failure::TooManyRequests | Failure::NoSpace | Failure::UnknownMethod(_),
            ) => Outcome::Refused,
            _ => Outcome::Unknown,
        };
        let at = self.arrival(client);
        let outcome = Box::new(outcome);
        self.queue.push(at, Event::Ended { client, turn, outcome });
    }

    /// Whether a part of an answer does not reach its client: because it is lost, or nobody waits
    /// for it.
    fn is_lost(&mut self, client: usize, turn: u64) -> bool {
        let hit = self.healthy.is_none() && self.chances.clients.hit(self.options.client_loss_ppm);
        let client = &mut self.clients[client];
        match &mut client.waits {
            Some(waits) if client.turn == turn => {
                waits.broken |= hit;
                waits.broken
            }
            _ => true,
        }
    }

    /// When the next part of an answer reaches a client.
    fn arrival(&mut self, client: usize) -> u64 {
        let at = self.time + self.client_delay();
        self.clients[client].waits.as_mut().map_or(at, |waits| {
            waits.last = at.max(waits.last + 1);
            waits.last
        })
    }

    /// An event of a watch reaches a client.
    pub(super) fn watched(&mut self, number: usize, turn: u64, event: &store::Event) {
        let client = &self.clients[number];
        if client.turn != turn || client.waits.is_none() {
            return;
        }
        self.stats.watched += 1;
        let verdict = self
            .oracles
            .saw(event)
            .and_then(|()| self.oracles.watch_told(number, event))
            .and_then(|()| self.workloads[client.workload].event(client.number, event));
        self.check(verdict);
    }

    /// A client knows, or knows that it will never know.
    pub(super) fn ended(&mut self, number: usize, turn: u64, outcome: &Outcome) {
        let client = &mut self.clients[number];
        if client.turn != turn {
            return;
        }
        let Some(waits) = client.waits.take() else { return };
        self.recorder.add(self.time, Who::Client(number), || What::answer(outcome));
        self.count(waits, outcome);
        let client = &self.clients[number];
        let mut verdict = Ok(());
        if let Outcome::Answered { result, stamp } = outcome {
            verdict = match result {
                Err(error) if waits.watch => self.oracles.watch_refused(number, error),
                _ => self.oracles.answered(number, waits.quorum, stamp),
            };
            if let Ok(event) = result {
                verdict = verdict.and_then(|()| self.oracles.saw(event));
                if let Some(ttl_s) = waits.ttl_s {
                    let host = waits.host;
                    let stamped = || self.oracles.stamped(host, ttl_s, waits.called, event);
                    verdict = verdict.and_then(|()| stamped());
                }
            }
        }
        if waits.watch {
            self.oracles.watch_over(number);
        }
        let work = &mut self.workloads[client.workload];
        let verdict =
            verdict.and_then(|()| work.ended(client.number, waits.called, self.time, outcome));
        self.check(verdict);
        let pause = if self.healthy.is_some() { 50 } else { self.options.think_mean_ms };
        let wait = self.chances.clients.wait(pause * MS);
        self.queue.push(self.time + wait, Event::Act(number));
    }

    fn count(&mut self, waits: Waits, outcome: &Outcome) {
        if waits.watch {
            self.stats.cleared += u64::from(matches!(outcome, Outcome::Answered { .. }));
        } else if self.stats.asked(outcome) {
            self.progress |= self.healthy.is_some() && waits.called >= self.calm_since;
        }
    }

    /// A client has waited long enough.
    pub(super) fn give_up(&mut self, number: usize, turn: u64) {
        let client = &self.clients[number];
        let Some(waits) = client.waits.filter(|_| client.turn == turn) else { return };
        if let Some(process) = self.current(waits.host) {
            let running = self.hosts[waits.host].process(process);
            if running.is_some_and(|r| r.requests.remove(&waits.id).is_some()) {
                self.input(process, Input::Gone { id: waits.id });
            }
        }
        self.ended(number, turn, &Outcome::Unknown);
    }

    /// All clients let go of what they wait for.
    pub(super) fn drop_requests(&mut self) {
        for number in 0..self.clients.len() {
            if self.clients[number].waits.is_some() {
                let turn = self.clients[number].turn;
                self.give_up(number, turn);
            }
        }
    }

    /// A client whose watch was not told an event that its member has applied, in words.
    pub(super) fn watch_due(&self) -> Option<String> {
        self.clients.iter().enumerate().find_map(|(number, client)| {
            let waits = client.waits.filter(|waits| waits.watch)?;
            let running = self.hosts[waits.host].running.as_ref()?;
            let reached = running.machine.history()?.last();
            let index = self.oracles.watch_due(number, reached)?;
            Some(format!("client {number} watches and was not told index {index}"))
        })
    }

    /// Whether a client still waits for an answer that is not a watch.
    pub(super) fn clients_wait(&self) -> bool {
        self.clients.iter().any(|client| client.waits.is_some_and(|waits| !waits.watch))
    }
}
