//! A machine that does as it is told, and writes down what it hears.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use quorate_core::api::{Request, Response, Stamp};
use quorate_core::disk::{Op, Ticket};
use quorate_core::id::{ClusterId, MemberId};
use quorate_core::member::identity::Said;
use quorate_core::member::{Cluster, Member};
use quorate_core::node::{ClientId, Exit, Input, Output, Peer, Timer};
use quorate_core::raft::{Body, LogId, Message};
use quorate_core::store::{Action, Event, NodeView, Store};
use quorate_core::time::{Instant, Now};
use quorate_core::url::Url;
use quorate_core::view::View;
use tokio::task::JoinHandle;

use crate::run::{Driver, Machine, Options, Stopper};
use crate::testing::{Memory, Network};

pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(7);

/// What the machine has heard, one word or line each.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|heard| heard.starts_with(what)).count()
    }

    /// Waits until something was heard; time that is paused moves on meanwhile.
    pub(super) async fn wait(&self, what: &str, times: usize) {
        for _ in 0..100_000 {
            if self.count(what) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("never heard {what} {times} times: {:?}", self.all());
    }
}

/// What a machine does.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// Its number: it listens for peers at 1000 more, for clients at 2000 more.
    pub(super) number: u16,
    /// The numbers of the others.
    pub(super) peers: Vec<u16>,
    /// Whether it never becomes ready.
    pub(super) unready: bool,
    /// Whether it sends every message back.
    pub(super) echo: bool,
    /// How many messages it sends to each peer at its start.
    pub(super) early: u64,
    /// How many events follow the beginning of a watch, at once.
    pub(super) events: usize,
}

pub(super) struct Scripted {
    script: Script,
    heard: Heard,
    tickets: u64,
    waiting: Vec<(Ticket, ClientId, Request)>,
    watches: Vec<ClientId>,
    begun: bool,
}

/// A machine that runs.
pub(super) struct Running {
    pub(super) heard: Heard,
    pub(super) memory: Memory,
    pub(super) stopper: Stopper,
    pub(super) task: JoinHandle<Exit>,
}

/// Starts a machine.
pub(super) fn start(network: &Network, script: Script) -> Running {
    let heard = Heard::default();
    let memory = Memory::new(network.clone());
    let machine = Scripted {
        script,
        heard: heard.clone(),
        tickets: 0,
        waiting: Vec::new(),
        watches: Vec::new(),
        begun: false,
    };
    let options = Options { request_timeout: REQUEST_TIMEOUT, ..Options::default() };
    let driver = Driver::new(memory.clone(), machine, options);
    let stopper = driver.stopper();
    Running { heard, memory, stopper, task: tokio::spawn(driver.run()) }
}

fn url(port: u16) -> Url {
    Url::parse(&format!("http://node:{port}")).unwrap()
}

pub(super) fn peer_port(number: u16) -> u16 {
    1000 + number
}

pub(super) fn client_port(number: u16) -> u16 {
    2000 + number
}

impl Scripted {
    fn view(&self) -> View {
        let numbers = self.script.peers.iter().chain([&self.script.number]);
        let members = numbers.map(|number| {
            let id = MemberId(u64::from(*number));
            let peer_urls = vec![url(peer_port(*number))];
            let name = format!("n{number}");
            (id, Member { id, name, peer_urls, client_urls: Vec::new(), learner: false })
        });
        View {
            personality: quorate_core::wire::version::Personality::V3_4,
            member: Some(MemberId(u64::from(self.script.number))),
            cluster_id: Some(ClusterId(0xabc)),
            said: Said::default(),
            peers: Arc::default(),
            formed: true,
            unlisted: std::collections::BTreeSet::new(),
            ready: !self.script.unready,
            cluster: Arc::new(Cluster { members: members.collect(), ..Cluster::default() }),
            auth: Arc::default(),
            store: Store::new().image(),
            stamp: Stamp { store_index: 3, raft_index: 4, raft_term: 2 },
            applied: 4,
            term: 2,
            leader: None,
        }
    }

    fn begin(&mut self, out: &mut Vec<Output>) {
        out.push(Output::Publish(Arc::new(self.view())));
        out.push(Output::Listen {
            peer: vec![url(peer_port(self.script.number))],
            client: vec![url(client_port(self.script.number))],
        });
        let peers = self.script.peers.iter().map(|number| Peer {
            id: MemberId(u64::from(*number)),
            urls: vec![url(9), url(peer_port(*number))],
        });
        out.push(Output::Peers(peers.collect()));
        for number in &self.script.peers {
            self.greet(*number, self.script.early, out);
        }
    }

    /// A write is answered when it is on disk, a watch begins at once, and `/1/never` waits. A
    /// write to `/1/greet` also sends messages to the peers, as many as its value says.
    fn client(&mut self, id: ClientId, request: Request, out: &mut Vec<Output>) {
        match &request {
            Request::Keys(keys) if keys.path == "/1/never" => {}
            Request::Keys(keys) => {
                if keys.path == "/1/greet" {
                    let count = str::from_utf8(&keys.value).unwrap().parse().unwrap();
                    self.script.peers.iter().for_each(|peer| self.greet(*peer, count, out));
                }
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                out.push(Output::Disk(Op::SyncDir { path: "".into(), ticket }));
                self.waiting.push((ticket, id, request));
            }
            Request::Members(_) | Request::Progress | Request::Confirm => {
                unreachable!("no test asks for members")
            }
            Request::Watch(_) => {
                self.watches.push(id);
                let stamp = self.view().stamp;
                let begun = Box::new(Response::Watching { stamp });
                out.push(Output::Reply { id, response: begun, last: false });
                for index in 0..self.script.events {
                    let response = Box::new(Response::Event(event("/1/w", &format!("{index}"))));
                    out.push(Output::Reply { id, response, last: false });
                }
            }
        }
    }

    fn written(&mut self, ticket: Ticket, out: &mut Vec<Output>) {
        let Some(at) = self.waiting.iter().position(|(waiting, ..)| *waiting == ticket) else {
            return;
        };
        let (_, id, request) = self.waiting.remove(at);
        let Request::Keys(keys) = request else { return };
        let event = event(&keys.path, &String::from_utf8_lossy(&keys.value));
        for watch in &self.watches {
            let response = Box::new(Response::Event(event.clone()));
            out.push(Output::Reply { id: *watch, response, last: false });
        }
        let response = Response::Keys { result: Ok(event), stamp: self.view().stamp };
        let response = Box::new(response);
        out.push(Output::Reply { id, response, last: true });
    }

    /// Sends messages that are told apart by their terms, as many appends as others.
    fn greet(&self, peer: u16, count: u64, out: &mut Vec<Output>) {
        let (from, to) = (MemberId(u64::from(self.script.number)), MemberId(u64::from(peer)));
        for term in 1..=count {
            let other = Body::HeartbeatResponse { context: Bytes::new() };
            let append = Body::Append { prev: LogId::default(), entries: vec![], commit: term };
            for body in [other, append] {
                out.push(Output::Send(Message { from, to, term, body }));
            }
        }
    }
}

impl Machine for Scripted {
    fn handle(&mut self, _: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Wake if !self.begun => {
                self.begun = true;
                self.begin(out);
            }
            Input::Wake => {}
            Input::Client { id, request } => {
                self.heard.note(format!("client {}", id.0));
                self.client(id, request, out);
            }
            Input::Disk(done) => self.written(done.ticket, out),
            Input::Gone { id } => {
                self.watches.retain(|watch| *watch != id);
                self.heard.note(format!("gone {}", id.0));
            }
            Input::Peer { message, .. } => {
                let kind = match message.body {
                    Body::Append { .. } => "append",
                    _ => "message",
                };
                self.heard.note(format!("{kind} {} from {}", message.term, message.from));
                if self.script.echo {
                    let (from, to) = (message.to, message.from);
                    out.push(Output::Send(Message { from, to, ..message }));
                }
            }
            Input::Link { peer, event } => {
                self.heard.note(format!("link {peer} {event:?}"));
            }
            Input::Listening { result } => self.heard.note(format!("listening {result:?}")),
            Input::Stop => {
                let response = Box::new(Response::WatchEnded);
                let ended = |id| Output::Reply { id, response: response.clone(), last: true };
                out.extend(self.watches.drain(..).map(ended));
                out.push(Output::Halt(Exit::Stopped { lines: Vec::new() }));
            }
            other => self.heard.note(format!("{other:?}")),
        }
    }

    fn deadline(&self) -> Option<(Instant, Timer)> {
        None
    }
}

fn event(path: &str, value: &str) -> Event {
    let node = NodeView {
        path: path.to_owned(),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        dir: false,
        expiration: None,
        nodes: Vec::new(),
        modified_index: 4,
        created_index: 4,
    };
    Event { action: Action::Set, node, prev: None, index: 4, refresh: false }
}
