//! Random requests have the same answers here as from a real etcd 3.4.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::support::client::{Answer, Client, Watch};
use crate::support::cluster::Cluster;
use crate::support::wait::{PATIENCE, wait_until};
use crate::support::{etcd, left_out};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;

/// Says how many requests to make; a soak makes 100,000.
const COUNT: &str = "QUORATE_DIFFERENTIAL";
const DEFAULT_COUNT: u32 = 1500;
/// Requests of one sequence.
const LENGTH: usize = 30;
/// How long nothing has to come from both before a watch counts as silent.
const SILENCE: Duration = Duration::from_millis(100);

/// One request.
#[derive(Clone, Debug)]
struct Ask {
    method: &'static str,
    /// Below `/v2/keys` and the directory of the sequence, or behind `=` the path as it is.
    path: String,
    /// Parameters of the query.
    query: Vec<(&'static str, String)>,
    /// Parameters of the body.
    form: Vec<(&'static str, String)>,
    content_type: &'static str,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn value() -> impl Strategy<Value = String> {
    select(vec!["1", "2", "", "x+y", "%3Cb%3E%26%22", "%C3%A9", "%FF", "a%00b", "%E2%80%A8"])
        .prop_map(str::to_owned)
}

fn flag() -> impl Strategy<Value = String> {
    select(vec!["true", "false", "1", "F", "T", "0", "", "yes"]).prop_map(str::to_owned)
}

/// Indexes near those that keys have are drawn as `+N`, behind the index at the beginning.
fn index() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..40u32).prop_map(|number| format!("+{number}")),
        1 => select(vec!["0", "1", "18446744073709551615", "-1", "x", "", "1_0"])
            .prop_map(str::to_owned),
    ]
}

/// Times to live are longer than a soak: when exactly a key expires is no matter of requests.
fn ttl() -> impl Strategy<Value = String> {
    select(vec!["90000", "500000", "", "-1", "x", "1e3"]).prop_map(str::to_owned)
}

fn parameter() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        8 => value().prop_map(|value| ("value", value)),
        3 => flag().prop_map(|value| ("dir", value)),
        3 => value().prop_map(|value| ("prevValue", value)),
        3 => index().prop_map(|value| ("prevIndex", value)),
        4 => flag().prop_map(|value| ("prevExist", value)),
        3 => ttl().prop_map(|value| ("ttl", value)),
        2 => flag().prop_map(|value| ("refresh", value)),
        4 => flag().prop_map(|value| ("recursive", value)),
        2 => flag().prop_map(|value| ("sorted", value)),
        1 => flag().prop_map(|value| ("quorum", value)),
        1 => flag().prop_map(|value| ("noValueOnSuccess", value)),
        1 => flag().prop_map(|value| ("stream", value)),
        1 => index().prop_map(|value| ("waitIndex", value)),
        1 => Just(("wait", "true".to_owned())),
        1 => Just(("unknown", "%zz".to_owned())),
        1 => Just(("unknown", "a;b".to_owned())),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        12 => select(vec!["a", "b", "c", "_h"]),
        2 => select(vec!["d%20e", "%C3%A9", "A", "%3C&", "+", "x%2Fy", "0", "a.b", "..."]),
        1 => select(vec!["", ".", ".."]),
    ];
    (prop::collection::vec(name, 0..4), prop::bool::weighted(0.1)).prop_map(|(names, slash)| {
        let path: String = names.iter().map(|name| format!("/{name}")).collect();
        if slash { path + "/" } else { path }
    })
}

fn keys() -> impl Strategy<Value = Ask> {
    let method = prop_oneof![
        6 => Just("PUT"), 5 => Just("GET"), 3 => Just("DELETE"), 3 => Just("POST"),
        1 => Just("HEAD"), 1 => select(vec!["OPTIONS", "PATCH"]),
    ];
    let content_type = prop_oneof![
        12 => Just(FORM),
        1 => select(vec!["text/plain", "", "application/x-www-form-urlencoded; charset=utf-8",
            "application/x-www-form-urlencoded;", "a b", "multipart/form-data; boundary=x"]),
    ];
    let parameters = || prop::collection::vec(parameter(), 0..3);
    (method, key(), parameters(), parameters(), content_type).prop_map(
        |(method, path, query, form, content_type)| Ask { method, path, query, form, content_type },
    )
}

fn others() -> impl Strategy<Value = Ask> {
    let path = select(vec![
        "=/v2/keys",
        "=/v2/keys/",
        "=/v2/keysx",
        "=/v2",
        "=/version",
        "=/version/",
        "=/v2/members/x",
        "=/v2/stats/self/",
        "=/v2/auth/roles",
        "=/v2/auth/roles/root",
        "=/v2/auth/roles/nobody",
        "=/v2/auth/users/a/b",
        "=/v2/auth/enable",
        "=/v2//keys/./a",
        "=/v2/machines/",
        "=/nothing",
        "=/v2/auth/users/nobody",
        "=/config/local/log",
        "=/v2/stats/",
        "=/v2/auth",
        "=/V2/keys",
    ]);
    let method = select(vec!["GET", "HEAD", "OPTIONS", "PATCH", "GET"]);
    (method, path).prop_map(|(method, path)| {
        let (query, form) = (Vec::new(), Vec::new());
        Ask { method, path: path.to_owned(), query, form, content_type: "" }
    })
}

fn sequence() -> impl Strategy<Value = Vec<Ask>> {
    prop::collection::vec(prop_oneof![12 => keys(), 1 => others()], 1..LENGTH)
}

/// Both servers, and clients that keep their connections.
struct Pair {
    clusters: [Cluster; 2],
    client: Client,
    sequences: u32,
    requests: u32,
}

impl Pair {
    /// Both are fresh.
    fn start() -> Option<Self> {
        let mut theirs = Cluster::new(1);
        let mut command = theirs.command_of(&etcd::server()?, 0);
        command.args(["-enable-v2", "-initial-cluster", &theirs.list()]);
        theirs.start_as(0, command);
        let mut ours = Cluster::new(1).with_flags(&["-cors", "*"]);
        ours.start_all();
        for cluster in [&mut theirs, &mut ours] {
            cluster.await_ready();
            wait_until("the version of the cluster is decided", || index_of(cluster) == 3);
        }
        let (clusters, client) = ([theirs, ours], Client::keeping_connections());
        Some(Self { clusters, client, sequences: 0, requests: 0 })
    }

    /// Makes the requests of a sequence, each in a directory of this run alone. Where a difference
    /// has left the indexes apart, both servers begin anew.
    fn run(&mut self, asks: &[Ask]) -> Result<(), TestCaseError> {
        let [theirs, ours] = self.clusters.each_ref().map(index_of);
        if theirs != ours {
            let sequences = self.sequences;
            *self = Self { requests: self.requests, ..Self::start().expect("it is installed") };
            self.sequences = sequences;
        }
        self.sequences += 1;
        let begun = index_of(&self.clusters[0]);
        for (number, ask) in asks.iter().enumerate() {
            self.requests += 1;
            let ask = ask.placed(self.sequences, begun);
            let difference = if ask.waits() { self.watch(&ask) } else { self.compare(&ask) };
            if let Err(difference) = difference {
                let text = format!("request {number}: {ask:#?}\n{difference}");
                return Err(TestCaseError::fail(text));
            }
        }
        Ok(())
    }

    fn compare(&self, ask: &Ask) -> Result<(), String> {
        let [theirs, ours] = self.clusters.each_ref().map(|cluster| {
            let headers =
                BTreeMap::from([("Content-Type".to_owned(), ask.content_type.to_owned())]);
            let headers = if ask.content_type.is_empty() { BTreeMap::new() } else { headers };
            let body = ask.body();
            self.client.request(
                ask.method,
                &cluster.url(0, &ask.target()),
                &headers,
                body.as_deref(),
            )
        });
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => same(&seen(&theirs), &seen(&ours)),
            (Err(_), Err(_)) => Ok(()),
            (theirs, ours) => Err(format!("etcd: {theirs:?}\nhere: {ours:?}")),
        }
    }

    /// A watch begins; the first event, if there is one that has happened, is compared.
    fn watch(&self, ask: &Ask) -> Result<(), String> {
        let begun = self.clusters.each_ref().map(|cluster| {
            let url = cluster.url(0, &ask.target());
            self.client.begin(ask.method, &url, &BTreeMap::new()).expect("an answer")
        });
        let [(their_head, theirs), (our_head, ours)] = begun.map(follow);
        same(&heading(&their_head), &heading(&our_head))?;
        let (theirs, ours) = match theirs.recv_timeout(SILENCE) {
            Ok(line) => (line, ours.recv_timeout(PATIENCE).ok()),
            Err(_) => match ours.recv_timeout(SILENCE) {
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                line => match theirs.recv_timeout(PATIENCE) {
                    Ok(theirs) => (theirs, line.ok()),
                    Err(_) => return Err(format!("etcd is silent\nhere: {line:?}")),
                },
            },
        };
        let read = |line: &Option<String>| line.as_deref().map(normal);
        match ours {
            None => Err(format!("etcd: {theirs:?}\nhere it is silent")),
            Some(ours) if read(&theirs) == read(&ours) => Ok(()),
            Some(ours) => Err(format!("etcd: {theirs:?}\nhere: {ours:?}")),
        }
    }
}

fn index_of(cluster: &Cluster) -> u64 {
    cluster.client.get(&cluster.url(0, "/v2/keys/")).expect("answered").index()
}

impl Ask {
    fn placed(&self, sequence: u32, begun: u64) -> Self {
        let place = |parameters: &[(&'static str, String)]| {
            let mut placed = parameters.to_vec();
            for (_, value) in &mut placed {
                if let Some(number) = value.strip_prefix('+') {
                    let number: u64 = number.parse().expect("a number");
                    *value = (begun + number).to_string();
                }
            }
            placed
        };
        let path = match self.path.strip_prefix('=') {
            Some(path) => path.to_owned(),
            None => format!("/v2/keys/s{sequence}{}", self.path),
        };
        Self { path, query: place(&self.query), form: place(&self.form), ..self.clone() }
    }

    fn target(&self) -> String {
        let query = pairs(&self.query);
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    fn body(&self) -> Option<String> {
        let has = ["PUT", "POST", "PATCH"].contains(&self.method) || !self.form.is_empty();
        (has && !["GET", "HEAD", "OPTIONS"].contains(&self.method)).then(|| pairs(&self.form))
    }

    fn waits(&self) -> bool {
        self.method == "GET" && self.query.iter().any(|(name, _)| *name == "wait")
    }
}

fn pairs(parameters: &[(&str, String)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The headers that mean something: those with a value to compare, and those that are there or not.
const COMPARED: [&str; 5] =
    ["Content-Type", "X-Etcd-Index", "Allow", "Location", "Access-Control-Allow-Origin"];
const PRESENT: [&str; 3] = ["X-Raft-Index", "X-Raft-Term", "X-Etcd-Cluster-ID"];

fn heading(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    for name in COMPARED {
        text += &format!("{name}: {:?}\n", answer.header(name));
    }
    for name in PRESENT {
        text += &format!("{name}: {}\n", answer.header(name).is_some());
    }
    text
}

fn seen(answer: &Answer) -> String {
    format!("{}{}", heading(answer), normal(&answer.body))
}

fn same(theirs: &str, ours: &str) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("etcd: {theirs}\nhere: {ours}")) }
}

/// A body without what is left to chance: the order of children without `sorted`, and when exactly
/// something was written that expires. What is no JSON stays as it is.
fn normal(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            settle(&mut value);
            value.to_string()
        }
        Err(_) => body.to_owned(),
    }
}

fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // The second in which it is rounded may differ.
            for name in ["expiration", "ttl"] {
                if let Some(field) = fields.get_mut(name) {
                    *field = Value::Bool(true);
                }
            }
            fields.values_mut().for_each(settle);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(settle);
            items.sort_by_key(|item| item["key"].as_str().unwrap_or_default().to_owned());
        }
        _ => {}
    }
}

/// Reads the lines of a watch beside the test, and the end as `None`.
fn follow(watch: Watch) -> (Answer, Receiver<Option<String>>) {
    let (sender, events) = channel();
    let Watch { head, mut lines } = watch;
    thread::spawn(move || {
        let next = lines.next().and_then(Result::ok);
        // A test that has ended does not listen any more.
        let _ = sender.send(next);
    });
    (head, events)
}

#[test]
fn random_requests_have_the_answers_of_etcd() {
    let Some(pair) = Pair::start() else {
        left_out("random requests", etcd::missing("etcd"));
        return;
    };
    let pair = std::cell::RefCell::new(pair);
    let count = std::env::var(COUNT).map_or(DEFAULT_COUNT, |text| text.parse().expect("a number"));
    let average = u32::try_from(LENGTH / 2).expect("it is small");
    let config = Config {
        cases: count / average,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&sequence(), |asks| pair.borrow_mut().run(&asks));
    if let Err(difference) = result {
        panic!("{difference}");
    }
    println!("{} requests without a difference", pair.borrow().requests);
}
