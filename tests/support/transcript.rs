//! What etcd answered: recorded requests, and whether another server answers the same.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::client::{Answer, Client, Watch};
use super::template::{Variables, differs};
use super::wait::PATIENCE;

/// Requests to etcd 3.4.23 with `--enable-v2` as Debian builds it, and its answers, one a line, in
/// scenarios that each begin on a fresh server named `n1`. Children of directories were put in
/// order, since etcd's own is random without `sorted`.
const RECORDED: &str = include_str!("../data/v2-transcripts.jsonl");

/// What is wanted in the place of recorded answers, in the same form: where something else is wanted,
/// as `docs/compatibility.md` says, or where the order follows IDs that are drawn.
const WANTED: &str = include_str!("../data/v2-wanted.jsonl");

/// Between two requests of a step that polls.
const PAUSE: Duration = Duration::from_millis(100);

/// One thing that was done, and what came of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    scenario: String,
    step: u32,
    /// What is done, if it is more than one request with its answer.
    #[serde(default)]
    op: Op,
    /// Which watch, of those that are open.
    #[serde(default)]
    id: String,
    /// How long to sleep, or to see nothing.
    #[serde(default)]
    ms: u64,
    /// How often to repeat the request, with `{i}` counting from 1.
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
    body: Option<String>,
    /// Fields of the answer that later steps name.
    #[serde(default)]
    capture: BTreeMap<String, String>,
    /// Nothing where no answer is compared.
    status: Option<u16>,
    /// Nothing where the header must be absent.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    /// The whole body.
    text: Option<String>,
    /// What the body has in it.
    #[serde(default)]
    contains: Vec<String>,
    /// The events of a watch.
    #[serde(default)]
    lines: Vec<String>,
    /// What follows the events of a watch.
    then: Option<Then>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    /// A request; its answer is compared.
    #[default]
    Request,
    /// The same many times; the last answer is compared.
    Repeat,
    /// The same until the status is the one that is waited for.
    Poll,
    /// A watch begins; its headers come at once.
    Start,
    /// A watch gives these events.
    Await,
    /// A watch gives nothing for a time.
    Silent,
    /// A watch is given up.
    Close,
    /// Nothing happens for a time.
    Sleep,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Then {
    /// The server ends the answer.
    Eof,
    /// The client gives up.
    Close,
}

/// All that was recorded: the scenarios by name, in the order in which they were recorded.
pub(crate) fn recorded() -> Vec<(String, Vec<Step>)> {
    let mut scenarios: Vec<(String, Vec<Step>)> = Vec::new();
    for step in steps(RECORDED) {
        match scenarios.last_mut() {
            Some((name, steps)) if *name == step.scenario => steps.push(step),
            _ => scenarios.push((step.scenario.clone(), vec![step])),
        }
    }
    scenarios
}

/// All that was recorded, with the answers that are wanted.
///
/// # Panics
/// If one that is wanted is no other answer to the same request.
pub(crate) fn wanted() -> Vec<(String, Vec<Step>)> {
    let mut scenarios = recorded();
    for wanted in steps(WANTED) {
        let all = scenarios.iter_mut().flat_map(|(_, steps)| steps);
        let mut same =
            all.filter(|step| (&step.scenario, step.step) == (&wanted.scenario, wanted.step));
        let step = same.next().unwrap_or_else(|| panic!("nothing was recorded for {wanted:?}"));
        assert_eq!(
            (&step.method, &step.path, &step.body),
            (&wanted.method, &wanted.path, &wanted.body)
        );
        assert_ne!((step.status, &step.text), (wanted.status, &wanted.text), "it is as in etcd");
        *step = wanted;
    }
    scenarios
}

fn steps(lines: &str) -> impl Iterator<Item = Step> {
    let step = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    lines.lines().map(step)
}

/// A replay against one server.
pub(crate) struct Replay {
    client: Client,
    root: String,
    variables: Variables,
    open: BTreeMap<String, Receiver<Option<String>>>,
}

impl Replay {
    /// `root` is the URL of the server without a path, and `variables` what the recording calls the
    /// things that differ from server to server.
    pub(crate) fn new(root: String, variables: Variables) -> Self {
        Self { client: Client::new(), root, variables, open: BTreeMap::new() }
    }

    /// Does what was done. Gives what differs, in words with their place.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        let found = self.carry_out(step);
        found.map_err(|found| {
            let Step { scenario, step: number, op, method, path, .. } = step;
            format!("{scenario} #{number} {op:?} {method} {path}\n    {found}")
        })
    }

    fn carry_out(&mut self, step: &Step) -> Result<(), String> {
        let pause = Duration::from_millis(step.ms);
        let answer = match step.op {
            Op::Request => self.ask(step, 0)?,
            Op::Repeat => {
                (1..step.count).try_for_each(|round| self.ask(step, round).map(drop))?;
                self.ask(step, step.count)?
            }
            Op::Poll => self.poll(step)?,
            Op::Start => {
                let watch = self.client.begin(&step.method, &self.url(step, 0), &step.sent);
                let (head, events) = follow(watch.map_err(|error| error.to_string())?);
                self.open.insert(step.id.clone(), events);
                head
            }
            Op::Await => return self.events(step),
            Op::Silent => {
                return match self.open[&step.id].recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => Ok(()),
                    other => Err(format!("it is not silent: {other:?}")),
                };
            }
            Op::Close => {
                self.open.remove(&step.id);
                return Ok(());
            }
            Op::Sleep => {
                thread::sleep(pause);
                return Ok(());
            }
        };
        self.compare(step, &answer)?;
        for (name, field) in &step.capture {
            let value = answer.at(&format!("/{field}"));
            self.variables.set(name, value.as_str().unwrap_or_default());
        }
        Ok(())
    }

    fn url(&self, step: &Step, round: u32) -> String {
        let path = step.path.replace("{i}", &round.to_string());
        format!("{}{}", self.root, self.variables.fill(&path))
    }

    fn ask(&self, step: &Step, round: u32) -> Result<Answer, String> {
        let body = step.body.as_deref().map(|body| body.replace("{i}", &round.to_string()));
        let body = body.map(|body| self.variables.fill(&body));
        let url = self.url(step, round);
        let answer = self.client.request(&step.method, &url, &step.sent, body.as_deref());
        answer.map_err(|error| format!("no answer: {error}"))
    }

    fn poll(&self, step: &Step) -> Result<Answer, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(step, 0)?;
            if answer.status == step.until || Instant::now() > end {
                return Ok(answer);
            }
            thread::sleep(PAUSE);
        }
    }

    fn events(&mut self, step: &Step) -> Result<(), String> {
        let events = &self.open[&step.id];
        for wanted in &step.lines {
            let Ok(Some(event)) = events.recv_timeout(PATIENCE) else {
                return Err(format!("no event where {wanted} was"));
            };
            same("event", &self.variables.fill(wanted), &format!("{event}\n"))?;
        }
        if step.then == Some(Then::Eof) {
            match events.recv_timeout(PATIENCE) {
                Ok(None) => {}
                other => return Err(format!("the answer does not end: {other:?}")),
            }
        }
        if step.then.is_some() {
            self.open.remove(&step.id);
        }
        Ok(())
    }

    fn compare(&self, step: &Step, answer: &Answer) -> Result<(), String> {
        let Some(status) = step.status else { return Ok(()) };
        if answer.status != status {
            return Err(format!("status {status} became {}: {}", answer.status, answer.body));
        }
        for (name, wanted) in &step.headers {
            match (wanted, answer.header(name)) {
                (Some(wanted), Some(given)) => same(name, wanted, given)?,
                (None, None) => {}
                (wanted, given) => {
                    return Err(format!("header {name}: {wanted:?} became {given:?}"));
                }
            }
        }
        if let Some(text) = &step.text {
            same("body", &self.variables.fill(text), &answer.body)?;
        }
        let contains: Vec<String> =
            step.contains.iter().map(|part| self.variables.fill(part)).collect();
        match contains.iter().find(|part| !answer.body.contains(*part)) {
            Some(part) => Err(format!("the body lacks {part}: {}", answer.body)),
            None => Ok(()),
        }
    }
}

fn same(what: &str, wanted: &str, given: &str) -> Result<(), String> {
    match differs(wanted, given) {
        None => Ok(()),
        Some(at) => Err(format!("{what}, from byte {at} on: want {wanted}\n    got {given}")),
    }
}

/// Reads the events of a watch beside the test, and the end as `None`.
fn follow(watch: Watch) -> (Answer, Receiver<Option<String>>) {
    let (sender, events) = channel();
    let Watch { head, mut lines } = watch;
    thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            if sender.send(Some(line)).is_err() {
                return;
            }
        }
        // A test that has ended does not listen any more.
        let _ = sender.send(None);
    });
    (head, events)
}
