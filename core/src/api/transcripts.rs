//! Replays what etcd answered.
//!
//! The recording is that of `tests/v2_transcripts.rs`, which replays all of it against a real
//! process. Here it is what concerns keys alone, in no time: a sleep only moves the clock. The
//! replay goes through the real front door, parser, store and renderer. Only the log between them
//! is missing: what would go through it is applied at once.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Deserialize;

use super::fixture;
use super::front::{Route, route};
use super::keys::{self, Parsed, Target};
use super::render::{Context, Rendered, render};
use super::request::{KeysRequest, Request, Verb, WatchRequest};
use super::response::{Response, Stamp};
use crate::http::{Head, Method, Reply};
use crate::store::{self, Begun, Command, Event, Store, Watch, WatchHub};
use crate::time::Wall;
use crate::view::View;

const TRANSCRIPTS: &str = include_str!("../../../tests/data/v2-transcripts.jsonl");
/// The scenarios that need more than the store.
const OF_PROCESSES: [&str; 6] = [
    "auth-enforcement",
    "auth-management",
    "member-add-no-quorum",
    "members",
    "methods-and-cors",
    "stats-and-misc",
];
/// What `{long}` stands for is this often repeated.
const LONG: usize = 3000;
const START: i64 = 1_700_000_000_250_000_000;
const NANOS_PER_MS: i64 = 1_000_000;

#[derive(Deserialize)]
struct Step {
    scenario: String,
    step: u32,
    #[serde(default)]
    op: String,
    /// Which watch, of those that are open.
    #[serde(default)]
    id: String,
    /// The events that it gets.
    #[serde(default)]
    lines: Vec<String>,
    /// How long to sleep.
    #[serde(default)]
    ms: i64,
    /// How often to repeat the request, with `{i}` counting from 1; the last answer is compared.
    #[serde(default)]
    count: u32,
    /// The status that is waited for.
    #[serde(default)]
    until: u16,
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    /// The headers that were sent.
    #[serde(default)]
    sent: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    status: u16,
    /// Nothing where the header must be absent.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    text: Option<String>,
}

/// A server without a log.
#[derive(Default)]
struct Server {
    store: Store,
    hub: WatchHub<usize>,
    /// What came for each watch and was not compared yet; watches are numbered as they come.
    events: Vec<VecDeque<Bytes>>,
    /// The watches that are open.
    open: BTreeMap<String, usize>,
    now: i64,
}

impl Server {
    /// After the three writes by which a new member makes itself known.
    fn new() -> Self {
        let mut server = Self { now: START, ..Self::default() };
        for path in ["/0/members/1/raftAttributes", "/0/members/1/attributes", "/0/version"] {
            let result = server.apply(&Command::new(store::Method::Put, path));
            assert!(matches!(result, Some(Ok(_))));
        }
        server
    }

    fn apply(&mut self, command: &Command) -> Option<Result<Event, store::Error>> {
        let applied = self.store.apply(command);
        let context = self.context(false);
        for change in &applied.changes {
            self.hub.notify(change, |watch, event, _| {
                let rendered = render(&Response::Event(event.clone()), context);
                let Rendered::Part(line) = rendered else { unreachable!("an event is a part") };
                self.events[watch].push_back(line);
            });
        }
        applied.result
    }

    const fn context(&self, no_value_on_success: bool) -> Context {
        let now = Wall::from_unix_nanos(self.now);
        Context { cluster: Some(fixture::CLUSTER), now, no_value_on_success }
    }

    fn view(&self) -> View {
        View { store: self.store.image(), ..fixture::view() }
    }

    fn sleep(&mut self, ms: i64) {
        self.now += ms * NANOS_PER_MS;
        let mut sync = Command::new(store::Method::Sync, "");
        sync.time = self.now;
        self.apply(&sync);
    }

    fn answer(&mut self, step: &Step, round: u32) -> Reply {
        let counted = |text: &str| text.replace("{i}", &round.to_string());
        let (path, body) = (counted(&step.path), counted(&step.body));
        let mut head = fixture::head(method(&step.method), &path);
        let sent = step.sent.iter();
        head.headers.extend(sent.map(|(name, value)| (name.to_lowercase(), value.clone())));
        match route(&head) {
            Route::Reply(reply) => reply,
            Route::Resource(resource) => resource.reply(&self.view()),
            Route::Keys(target) => self.keys(&head, &target, &body),
            other => panic!("{other:?} needs more than the store"),
        }
    }

    fn keys(&mut self, head: &Head, target: &Target, body: &str) -> Reply {
        let body = if target.reads_body { body } else { "" };
        let parsed = keys::parse(head, target, body.as_bytes(), Some(fixture::CLUSTER));
        let stamp = Stamp { store_index: self.store.as_image().index(), ..Stamp::default() };
        let mut no_value_on_success = false;
        let response = match parsed {
            Err(reply) => return reply,
            Ok(Parsed::Read(read)) => read.answer(&self.view()),
            Ok(Parsed::Request(Request::Watch(watch))) => return self.watch(watch, stamp),
            Ok(Parsed::Request(
                request @ (Request::Members(_) | Request::Progress | Request::Confirm),
            )) => {
                panic!("{request:?} of a key")
            }
            Ok(Parsed::Request(Request::Keys(request))) => {
                no_value_on_success = request.no_value_on_success;
                let result = self.apply(&command(&request, self.now)).unwrap();
                Response::Keys { result, stamp }
            }
        };
        whole(render(&response, self.context(no_value_on_success)))
    }

    /// The head of the answer, with the event that has happened already if there is one.
    fn watch(&mut self, request: WatchRequest, stamp: Stamp) -> Reply {
        let WatchRequest { path, recursive, stream, since } = request;
        let watch = Watch { path, recursive, stream, since };
        let context = self.context(false);
        let history = self.store.as_image().history();
        let begun = match self.hub.register(self.events.len(), &watch, history) {
            Ok(begun) => begun,
            Err(error) => return whole(render(&Response::WatchRefused(error), context)),
        };
        self.events.push(VecDeque::new());
        let mut reply = whole(render(&Response::Watching { stamp }, context));
        if let Begun::Found(event) = begun {
            let event = Response::Event(Event::clone(&event));
            let Rendered::Part(line) = render(&event, context) else {
                unreachable!("an event is a part")
            };
            self.events.last_mut().unwrap().push_back(line.clone());
            reply.body = line;
        }
        reply
    }

    /// The next event of a watch, for which time passes.
    fn event(&mut self, watch: usize) -> Option<String> {
        for _ in 0..100 {
            if let Some(line) = self.events[watch].pop_front() {
                return Some(str::from_utf8(&line).unwrap().to_string());
            }
            self.sleep(100);
        }
        None
    }
}

fn whole(rendered: Rendered) -> Reply {
    match rendered {
        Rendered::Whole(reply) | Rendered::Head(reply) => reply,
        other => panic!("no head: {other:?}"),
    }
}

/// What a member would write into the log.
fn command(request: &KeysRequest, now: i64) -> Command {
    let method = match request.verb {
        Verb::Get => store::Method::Qget,
        Verb::Put => store::Method::Put,
        Verb::Post => store::Method::Post,
        Verb::Delete => store::Method::Delete,
    };
    let mut command = Command::new(method, &*request.path);
    command.value = request.value.clone();
    command.dir = request.dir;
    command.prev_value = request.prev_value.clone().unwrap_or_default();
    command.prev_index = request.prev_index;
    command.prev_exist = request.prev_exist;
    command.expiration = request
        .ttl_s
        .map_or(0, |ttl| now.wrapping_add((ttl as i64).wrapping_mul(1_000 * NANOS_PER_MS)));
    command.recursive = request.recursive;
    command.refresh = request.refresh;
    command
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

/// The text with a placeholder for every expiration.
fn masked(text: &str) -> String {
    const FIELD: &str = "\"expiration\":\"";
    let mut parts = text.split(FIELD);
    let mut masked = parts.next().unwrap().to_string();
    for part in parts {
        let (_, rest) = part.split_once('"').unwrap();
        masked.push_str(&format!("{FIELD}<expiration>\"{rest}"));
    }
    masked
}

fn differences(step: &Step, reply: &Reply) -> Vec<String> {
    let mut found = Vec::new();
    if reply.status != step.status {
        found.push(format!("status: want {}, got {}", step.status, reply.status));
    }
    for (name, wanted) in &step.headers {
        let given = fixture::header(reply, name);
        let fits = match (wanted.as_deref(), given) {
            (Some("<uint>"), Some(given)) => given.parse::<u64>().is_ok(),
            (Some("<hex>"), Some(given)) => u64::from_str_radix(given, 16).is_ok(),
            (wanted, given) => wanted == given,
        };
        if !fits {
            found.push(format!("{name}: want {wanted:?}, got {given:?}"));
        }
    }
    let body = if step.method == "HEAD" { "" } else { fixture::text(reply) };
    if let Some(wanted) = step.text.as_ref().filter(|wanted| **wanted != masked(body)) {
        found.push(format!("body: want {wanted}      got  {body}"));
    }
    found
}

/// What is wrong with the answer to a step, if it has one.
fn replay(server: &mut Server, step: &Step) -> Vec<String> {
    let reply = match step.op.as_str() {
        "" => server.answer(step, 0),
        "start" => {
            let reply = server.answer(step, 0);
            server.open.insert(step.id.clone(), server.events.len() - 1);
            reply
        }
        "repeat" => (1..=step.count).map(|i| server.answer(step, i)).last().unwrap(),
        "poll" => {
            let mut reply = server.answer(step, 0);
            for _ in 0..100 {
                if reply.status == step.until {
                    break;
                }
                server.sleep(100);
                reply = server.answer(step, 0);
            }
            reply
        }
        "sleep" => {
            server.sleep(step.ms);
            return Vec::new();
        }
        "await" => {
            let watch = server.open[&step.id];
            let events = step.lines.iter().map(|line| (line, server.event(watch)));
            let wrong =
                events.filter(|(line, event)| event.as_deref().map(masked).as_ref() != Some(line));
            return wrong.map(|(line, event)| format!("want {line}, got {event:?}")).collect();
        }
        "silent" => {
            server.sleep(step.ms);
            let unexpected = server.events[server.open[&step.id]].iter();
            return unexpected.map(|event| format!("got {event:?}")).collect();
        }
        "close" => {
            server.hub.cancel(server.open[&step.id]);
            return Vec::new();
        }
        other => panic!("unknown step {other}"),
    };
    if step.status == 0 { Vec::new() } else { differences(step, &reply) }
}

#[test]
fn answers_are_those_of_etcd() {
    let mut server = Server::new();
    let mut scenario = String::new();
    let (mut steps, mut failures) = (0, Vec::new());
    for line in TRANSCRIPTS.lines() {
        let line = line.replace("{long}", &"x".repeat(LONG));
        let step: Step = serde_json::from_str(&line).unwrap();
        if OF_PROCESSES.contains(&&*step.scenario) {
            continue;
        }
        if step.scenario != scenario {
            (server, scenario) = (Server::new(), step.scenario.clone());
        }
        steps += 1;
        let found = replay(&mut server, &step);
        if !found.is_empty() {
            let place = format!("{} #{} {} {}", scenario, step.step, step.method, step.path);
            failures.push(format!("{place}\n    {}", found.join("\n    ")));
        }
    }
    assert!(steps > 450, "only {steps} steps were replayed");
    assert!(failures.is_empty(), "{} of {steps}:\n{}", failures.len(), failures.join("\n"));
}
