//! A toy member: the least Raft that survives this world, and the same with one fault planted.
//!
//! It has no snapshots, no watches and no expiry. The world and the oracles are tried out on it:
//! the sound toy passes, and each unsound one is found.

mod disk;
mod election;
mod log;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quorate_core::api::{Failure, KeysRequest, Request, Response, Stamp, Verb};
use quorate_core::boot::list::InitialCluster;
use quorate_core::disk::{Done, FileId, Script, Ticket};
use quorate_core::error::Refusal;
use quorate_core::http::{Answer, Call};
use quorate_core::id::MemberId;
use quorate_core::node::output::Peer;
use quorate_core::node::{ClientId, Exit, Timer};
use quorate_core::raft::{Entry, LogId, Message};
use quorate_core::store::{self, Command, Event, History, Method, Store};
use quorate_core::time::{Duration, Instant, Now};
use quorate_core::view::View;
use quorate_core::{Config, Input, Output};

use crate::machine::{Machine, Served, Shown, Standing};

pub(super) const SOUND: u8 = 0;
pub(super) const VOTES_TWICE: u8 = 1;
pub(super) const SENDS_BEFORE_SYNC: u8 = 2;
pub(super) const FORGETS_VOTE: u8 = 3;
pub(super) const COMMITS_ALONE: u8 = 4;
pub(super) const READS_LOCALLY: u8 = 5;
pub(super) const APPLIES_DIFFERENTLY: u8 = 6;
pub(super) const VOTES_FOR_SHORT_LOGS: u8 = 7;
pub(super) const IGNORES_GAPS: u8 = 8;
pub(super) const ANSWERS_EARLY: u8 = 9;
pub(super) const READY_AT_ONCE: u8 = 10;
pub(super) const NEVER_CAMPAIGNS_AGAIN: u8 = 11;
pub(super) const IGNORES_FAILED_SYNC: u8 = 12;
pub(super) const ANSWERS_WRONG_VALUE: u8 = 13;
pub(super) const TRUSTS_UNSYNCED_FILE: u8 = 14;
pub(super) const RENUMBERS_ENTRIES: u8 = 15;
pub(super) const RUNS_WILD: u8 = 16;
pub(super) const PROPOSES_TWICE: u8 = 17;
pub(super) const LEADS_WITHOUT_MAJORITY: u8 = 18;
pub(super) const PANICS: u8 = 19;

thread_local! {
    /// The fault that toys made on this thread have.
    pub(super) static FAULT: Cell<u8> = const { Cell::new(SOUND) };
}

#[derive(Debug)]
pub(super) struct Toy {
    config: Config,
    id: MemberId,
    others: Vec<Peer>,
    now: Instant,
    dice: u64,
    script: Script,
    boot: Boot,
    file: FileId,
    end: u64,
    term: u64,
    vote: MemberId,
    entries: Vec<Entry>,
    durable: u64,
    written: u64,
    hard_written: (u64, MemberId),
    syncs: Vec<(Ticket, u64, Vec<Message>)>,
    messages: Vec<Message>,
    role: Role,
    leader: MemberId,
    election_at: Instant,
    heartbeat_at: Instant,
    sent: (u64, u64),
    elections: u32,
    commit: u64,
    applied: u64,
    store: Store,
    ready: bool,
    waiting: BTreeMap<u64, (ClientId, Verb)>,
    failed: bool,
    fault: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Boot {
    New,
    Listing,
    Reading,
    Syncing(bool),
    Running,
}

#[derive(Debug)]
enum Role {
    Follower,
    Candidate(Vec<MemberId>),
    Leader(BTreeMap<MemberId, Progress>),
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    next: u64,
    matched: u64,
}

impl Toy {
    fn random(&mut self, bound: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % bound
    }

    fn last(&self) -> u64 {
        self.entries.len() as u64
    }

    fn term_at(&self, index: u64) -> u64 {
        index.checked_sub(1).and_then(|at| self.entries.get(at as usize)).map_or(0, |e| e.term)
    }

    fn client(&mut self, id: ClientId, request: Request, out: &mut Vec<Output>) {
        let Request::Keys(request) = request else {
            let response = Response::Failed(Failure::UnknownMethod("WATCH".to_owned()));
            out.push(Output::Reply { id, response: Box::new(response), last: true });
            return;
        };
        if self.fault == READS_LOCALLY && request.verb == Verb::Get {
            let shown = self.shown(&request);
            let response = Response::Keys { result: shown.result, stamp: shown.stamp };
            out.push(Output::Reply { id, response: Box::new(response), last: true });
            return;
        }
        let number = self.random(u64::MAX - 1) + 1;
        let entry = log::entry(self.id.0, number, &request);
        self.waiting.insert(number, (id, request.verb));
        if self.fault == ANSWERS_EARLY && request.verb == Verb::Post {
            let mut guess = self.store.clone();
            let command = log::command(&entry.data);
            let result = guess.apply(&command).result;
            self.answer(number, &command, result, out);
        }
        if self.fault == PROPOSES_TWICE && request.verb == Verb::Post {
            self.propose(vec![entry.clone()]);
        }
        self.propose(vec![entry]);
    }

    fn apply(&mut self, out: &mut Vec<Output>) {
        if self.applied == self.commit {
            return;
        }
        assert!(self.fault != PANICS || self.commit < 20, "twenty are too many");
        out.push(Output::Note(quorate_core::note::Note::Committed { last: self.at(self.commit) }));
        while self.applied < self.commit {
            self.applied += 1;
            let entry = self.entries[self.applied as usize - 1].clone();
            if entry.data.is_empty() {
                continue;
            }
            let (origin, number) = log::origin(&entry.data);
            let mut command = log::command(&entry.data);
            if self.fault == APPLIES_DIFFERENTLY && self.config.name == "m1" {
                command.value = bytes::Bytes::from_static(b"9");
            }
            let result = self.store.apply(&command).result;
            if origin == self.id.0 {
                self.answer(number, &command, result, out);
            }
        }
        self.ready |= self.term_at(self.applied) == self.term;
        let (last, store_index) = (self.at(self.applied), self.store.as_image().index());
        out.push(Output::Note(quorate_core::note::Note::Applied { last, store_index }));
    }

    fn answer(
        &mut self,
        number: u64,
        command: &Command,
        result: Option<Result<Event, store::Error>>,
        out: &mut Vec<Output>,
    ) {
        let Some((id, _)) = self.waiting.remove(&number) else { return };
        let Some(mut result) = result else { return };
        if self.fault == ANSWERS_WRONG_VALUE
            && command.method == Method::Qget
            && let Ok(event) = &mut result
            && event.node.value.is_some()
        {
            event.node.value = Some(bytes::Bytes::from_static(b"77777"));
        }
        let stamp = Stamp { store_index: self.store.as_image().index(), ..Stamp::default() };
        let response = Box::new(Response::Keys { result, stamp });
        out.push(Output::Reply { id, response, last: true });
    }

    const fn at(&self, index: u64) -> LogId {
        let term = if index == 0 { 0 } else { self.entries.as_slice()[index as usize - 1].term };
        LogId { term, index }
    }

    fn shown(&self, request: &KeysRequest) -> Shown {
        let image = self.store.as_image();
        let stamp = Stamp { store_index: image.index(), ..Stamp::default() };
        Shown { result: image.read(&request.path, request.recursive), stamp }
    }

    fn done(&mut self, done: Done, out: &mut Vec<Output>) {
        if done.result.is_err() && self.fault != IGNORES_FAILED_SYNC {
            self.failed = true;
            out.push(Output::Halt(Exit::Fault(Refusal::new("the disk failed"))));
            return;
        }
        if self.boot == Boot::Running {
            self.synced(done.ticket, out);
        } else {
            self.boot_step(done, out);
        }
    }
}

impl Machine for Toy {
    fn has_log(&self) -> bool {
        self.boot == Boot::Running
    }

    fn new(config: Config, seed: [u8; 32], now: Now) -> Self {
        let text = |flag| config.first_start.text(flag).expect("the simulator gives it");
        let list = InitialCluster::parse(text("initial-cluster")).expect("the simulator's list");
        let token = text("initial-cluster-token").to_owned();
        let id = list.member_id(&config.name, &token).expect("listed");
        let others = list.members(&token).into_iter().filter(|m| m.id != id);
        let others = others.map(|m| Peer { id: m.id, urls: m.peer_urls }).collect();
        Self {
            id,
            others,
            now: now.mono,
            dice: u64::from_le_bytes([seed[0], seed[1], seed[2], seed[3], seed[4], 1, 2, 3]),
            script: Script::default(),
            boot: Boot::New,
            file: FileId(0),
            end: 0,
            term: 0,
            vote: MemberId(0),
            entries: Vec::new(),
            durable: 0,
            written: 0,
            hard_written: (0, MemberId(0)),
            syncs: Vec::new(),
            messages: Vec::new(),
            role: Role::Follower,
            leader: MemberId(0),
            election_at: Instant::default(),
            heartbeat_at: Instant::default(),
            sent: (0, 0),
            elections: 0,
            commit: 0,
            applied: 0,
            store: Store::new(),
            ready: FAULT.get() == READY_AT_ONCE,
            waiting: BTreeMap::new(),
            failed: false,
            fault: FAULT.get(),
            config,
        }
    }

    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        assert!(now.mono >= self.now, "the monotonic clock went back");
        self.now = now.mono;
        match input {
            Input::Wake if self.boot == Boot::New => self.boot_begin(),
            Input::Wake if self.boot == Boot::Running => self.tick(out),
            Input::Peer { message, .. } if self.boot == Boot::Running => self.step(message, out),
            Input::Client { id, request } => self.client(id, request, out),
            Input::Disk(done) => self.done(done, out),
            Input::Stop => out.push(Output::Halt(Exit::Stopped { lines: Vec::new() })),
            _ => {}
        }
        out.extend(self.script.drain().map(Output::Disk));
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        if self.boot != Boot::Running {
            return None;
        }
        if self.fault == RUNS_WILD && self.commit > 3 {
            return Some((self.now, Timer::Flush));
        }
        match self.role {
            Role::Leader(_) => Some((self.heartbeat_at, Timer::Heartbeat)),
            _ => Some((self.election_at, Timer::Election)),
        }
    }

    fn read(&self, _view: Option<&View>, request: &KeysRequest) -> Option<Shown> {
        self.ready.then(|| self.shown(request))
    }

    fn serve(_view: &View, _call: &Call) -> Option<Served> {
        None
    }

    fn confirmed(_: &View, _: &Response) -> Answer {
        unreachable!("it serves nothing that needs to be confirmed")
    }

    fn base(&self) -> LogId {
        LogId::default()
    }

    fn last(&self) -> LogId {
        self.at(Self::last(self))
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get((index as usize).checked_sub(1)?)
    }

    fn standing(&self) -> Option<Standing> {
        let leads = matches!(self.role, Role::Leader(_));
        let (term, commit, applied) = (self.term, self.commit, self.applied);
        let vote = Some(self.vote).filter(|vote| vote.0 != 0);
        Some(Standing { term, vote, leads, durable: self.durable, commit, applied })
    }

    fn voters(&self) -> Option<&BTreeSet<MemberId>> {
        None
    }

    fn history(&self) -> Option<&History> {
        Some(self.store.as_image().history())
    }

    fn store_digest(&self) -> u64 {
        self.store.as_image().digest()
    }
}

fn after(now: Instant, nanos: u64) -> Instant {
    now + Duration::from_nanos(nanos)
}

fn log_path() -> Arc<str> {
    Arc::from("log")
}
