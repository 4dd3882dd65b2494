//! The node as the shell drives it, with the oracles looking on.

use std::sync::{Arc, Mutex, PoisonError};

use quorate_core::boot::forming::{MEMBER_HEADER, STATE_HEADER};
use quorate_core::http::Answer;
use quorate_core::id::{ClusterId, MemberId};
use quorate_core::node::{CallId, Timer};
use quorate_core::note::Note;
use quorate_core::raft::Message;
use quorate_core::time::{Instant, Now};
use quorate_core::view::View;
use quorate_core::{Input, Node, Output};

use super::process::Process;
use super::state::{State, World};
use crate::members::{host_number, listed_as};
use crate::oracle::{Oracles, Violation};
use crate::record::{What, Who, brief};

/// A node whose inputs and outputs are shown to the oracles before any of them has an effect.
pub(super) struct Watched {
    pub(super) world: World,
    pub(super) process: Process,
    pub(super) node: Arc<Mutex<Node>>,
}

impl quorate_shell::Machine for Watched {
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let (process, before) = (self.process, out.len());
        let woken = matches!(input, Input::Wake);
        if !woken {
            self.world.lock().told(process, &input);
        }
        let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        node.handle(now, input, out);
        self.world.lock().did(process, &node, &out[before..], woken);
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).deadline()
    }
}

impl State {
    /// A node is told something.
    fn told(&mut self, process: Process, input: &Input) {
        let now = self.now();
        self.digest.add(now);
        let host = process.host;
        self.record(Who::Node(host), || match input {
            Input::Peer { message, .. } => self.received(now, message),
            other => What::Input(brief(other)),
        });
        match input {
            Input::Disk(done) => {
                if let Some(running) = self.running(process) {
                    running.reasons.told(done);
                }
            }
            Input::Http { call, result } => self.call_ended(process, *call, result.as_ref().ok()),
            Input::Peer { message, said } => {
                let view = self.hosts[host].view().map(Arc::as_ref);
                self.oracles.delivered(host, view, message, *said);
            }
            Input::Met { peer, said } => {
                let view = self.hosts[host].view().map(Arc::as_ref);
                self.oracles.met(host, view, *peer, *said);
            }
            _ => {}
        }
    }

    /// A member asks another one for its members.
    fn asks_members(&mut self, process: Process, call: CallId, url: &str) {
        let hosts = self.members;
        let name = url.split(['/', ':']).find_map(|part| host_number(part, hosts));
        let resource = url.split('?').next().unwrap_or_default();
        let Some(host) = name.filter(|_| resource.ends_with("/members")) else { return };
        let before = self.hosts[host].view().cloned();
        self.oracles.asks_members(process.host, call);
        if let Some(running) = self.running(process) {
            running.questions.insert(call, (host, before));
        }
    }

    /// A call of a member has come back. Who has answered, and whether there was a cluster then, is
    /// in the answer; the members are those that the other one shows now. If it was started anew
    /// since, what it showed when it was asked is all that is left, and how much it knew is not known.
    fn call_ended(&mut self, process: Process, call: CallId, answer: Option<&Answer>) {
        let question = self.running(process).and_then(|r| r.questions.remove(&call));
        if let (Some((host, before)), Some(answer)) = (question, answer) {
            let formed = answer.header(STATE_HEADER) == Some("formed");
            let member = answer.header(MEMBER_HEADER).and_then(MemberId::parse_hex);
            let cluster_id = answer.header("x-etcd-cluster-id").and_then(ClusterId::parse_hex);
            let now = self.hosts[host].view().cloned();
            let now = now.filter(|view| view.member == member);
            let applied = now.as_ref().map_or(u64::MAX, |view| view.applied);
            if let Some(view) = now.or(before) {
                let said = View { member, cluster_id, formed, applied, ..View::clone(&view) };
                self.oracles.said_members(process.host, call, &said);
            }
        }
        self.oracles.call_ended(process.host, call, answer.is_some());
    }

    /// A node did something.
    fn did(&mut self, process: Process, node: &Node, outputs: &[Output], woken: bool) {
        self.time_passes();
        let host = process.host;
        let halts = outputs.iter().any(|output| matches!(output, Output::Halt(_)));
        let must_halt = self.running(process).is_some_and(|running| {
            running.halted |= halts;
            let goes_on = woken && !running.halted;
            if goes_on {
                running.reasons.goes_on();
            }
            goes_on && running.reasons.must_halt()
        });
        if must_halt {
            let detail = "goes on after a sync has failed".to_owned();
            self.violate(Violation::safety("fault_halts", host, detail));
        }
        let mut verdict = Ok(());
        for output in outputs {
            if let Output::Note(note) = output {
                verdict = verdict.and_then(|()| self.oracles.noted(host, node, note));
                if self.options().goes_by_token(host) {
                    let own = || listed_as(self.options(), host);
                    let first = || self.first_registered();
                    let by_token = Oracles::noted_by_token(host, node, note, own, first);
                    verdict = verdict.and(by_token);
                }
            }
        }
        for output in outputs {
            if let Output::Send(message) = output {
                verdict = verdict.and_then(|()| self.oracles.sent(host, node, message));
            }
        }
        verdict = verdict.and_then(|()| self.oracles.handled(host, node));
        self.check(verdict);
        for output in outputs {
            self.look_at(process, output);
        }
    }

    fn look_at(&mut self, process: Process, output: &Output) {
        match output {
            Output::Send(message) => self.digest.add(message.term),
            Output::Note(note) => self.note(process, note),
            Output::Http { request, .. } if request.url.ends_with("/version") => {
                self.oracles.asks_version(process.host);
            }
            Output::Http { call, request } => self.asks_members(process, *call, &request.url),
            Output::Publish(view) => {
                let verdict = self.oracles.published(process.host, view);
                self.check(verdict);
                if let Some(running) = self.running(process) {
                    running.view = Some(Arc::clone(view));
                }
                // A view says nothing that the notes do not say.
                return;
            }
            _ => {}
        }
        self.record(Who::Node(process.host), || match output {
            Output::Send(message) => {
                let to = self.host_of(message.to);
                What::Send { to, message: Box::new(message.clone()) }
            }
            Output::Disk(op) => What::Disk(brief(op)),
            Output::Note(note) => What::Note(note.clone()),
            Output::Halt(exit) => What::Halt(brief(exit)),
            other => What::Output(brief(other)),
        });
    }

    /// The host on which a member lives.
    fn host_of(&self, member: MemberId) -> Option<usize> {
        (0..self.members).find(|host| self.places[*host].member == Some(member))
    }

    fn received(&self, now: u64, message: &Message) -> What {
        let from = self.host_of(message.from).unwrap_or(self.members);
        let sent = self.recorder.last_sent(from, message).unwrap_or(now);
        What::Receive { from, sent, message: Box::new(message.clone()) }
    }

    fn note(&mut self, process: Process, note: &Note) {
        self.stats.note(note);
        self.places[process.host].noted(note);
        if let Note::BecameLeader { .. } = note {
            let verdict = self.places.formed_together(process.host);
            self.check(verdict);
        }
        let Some(running) = self.running(process) else { return };
        running.reasons.noted(note);
        match note {
            Note::BecameLeader { .. } => running.leads = true,
            Note::BecameFollower { .. } | Note::QuorumLost { .. } => running.leads = false,
            _ => {}
        }
    }
}
