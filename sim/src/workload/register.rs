//! Registers: every way to write a key, and quorum reads, judged by linearizability; plain reads
//! in between.

use bytes::Bytes;
use quorate_core::api::{KeysRequest, Verb};
use quorate_core::store::{self, Code};

use super::{Asked, Outcome, Workload, number, request, violation};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::oracle::linearizability::{Answer, Ask, Operation, Verdict, check};
use crate::stats::Stats;

const NAME: &str = "linearizability";

/// States that the checker may visit for one key before it gives up.
const BUDGET: usize = 200_000;

/// The registers of a run.
#[derive(Debug)]
pub(super) struct Registers {
    clients: Vec<Client>,
    histories: Vec<Vec<Operation>>,
    values: u64,
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// What it asks right now; none for a plain read.
    asked: Option<(usize, Ask)>,
    /// For each key the last value and index that this client saw.
    seen: Vec<(u64, u64)>,
}

fn path(key: usize) -> String {
    format!("/1/register{key}")
}

impl Registers {
    pub(super) fn new(clients: u64, keys: u64) -> Self {
        let client = Client { asked: None, seen: vec![(0, 0); keys as usize] };
        Self {
            clients: vec![client; clients as usize],
            histories: vec![Vec::new(); keys as usize],
            values: 0,
        }
    }

    fn value(&mut self) -> u64 {
        self.values += 1;
        self.values
    }

    fn ask(&mut self, client: usize, key: usize, chance: &mut Chance) -> Ask {
        let (value, index) = self.clients[client].seen[key];
        match chance.below(100) {
            0..35 => Ask::Set(self.value()),
            35..45 => Ask::Create(self.value()),
            45..58 if value != 0 => Ask::SwapValue(value, self.value()),
            58..70 if value != 0 => Ask::SwapIndex(index, self.value()),
            70..75 => Ask::Delete,
            _ => Ask::Read,
        }
    }
}

fn keys_request(key: usize, ask: Ask) -> KeysRequest {
    let with = |verb, value: u64| request(verb, &path(key), &value.to_string());
    match ask {
        Ask::Read => KeysRequest { quorum: true, ..with(Verb::Get, 0) },
        Ask::Set(value) => with(Verb::Put, value),
        Ask::Create(value) => KeysRequest { prev_exist: Some(false), ..with(Verb::Put, value) },
        Ask::SwapValue(old, value) => {
            KeysRequest { prev_value: Some(Bytes::from(old.to_string())), ..with(Verb::Put, value) }
        }
        Ask::SwapIndex(index, value) => KeysRequest { prev_index: index, ..with(Verb::Put, value) },
        Ask::Delete => with(Verb::Delete, 0),
    }
}

/// The answer as the checker knows it, or the words for one that fits no register.
fn answer(ask: Ask, result: &Result<store::Event, store::Error>) -> Result<Answer, String> {
    match result {
        Ok(event) if ask == Ask::Read => Ok(Answer::Found {
            value: number(event.node.value.as_ref()),
            modified: event.node.modified_index,
            at: event.index,
        }),
        Ok(event) => {
            let before = event.prev.as_ref().map_or(0, |prev| number(prev.value.as_ref()));
            Ok(Answer::Done { at: event.node.modified_index, before: Some(before) })
        }
        Err(e) if ask == Ask::Read && e.code == Code::KeyNotFound => {
            Ok(Answer::Found { value: 0, modified: 0, at: e.index })
        }
        Err(e) => {
            let fits = match ask {
                Ask::Create(_) => e.code == Code::KeyExists,
                Ask::SwapValue(..) | Ask::SwapIndex(..) => {
                    matches!(e.code, Code::CompareFailed | Code::KeyNotFound)
                }
                Ask::Delete => e.code == Code::KeyNotFound,
                Ask::Read | Ask::Set(_) => false,
            };
            if fits { Ok(Answer::Refused { at: e.index }) } else { Err(format!("{e:?}")) }
        }
    }
}

impl Workload for Registers {
    fn next(&mut self, client: usize, chance: &mut Chance) -> Asked {
        let key = chance.index(self.histories.len());
        if chance.below(10) == 0 {
            self.clients[client].asked = None;
            return Asked::Read(request(Verb::Get, &path(key), ""));
        }
        let ask = self.ask(client, key, chance);
        self.clients[client].asked = Some((key, ask));
        Asked::Keys(keys_request(key, ask))
    }

    fn ended(
        &mut self,
        client: usize,
        called: u64,
        now: u64,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let Some((key, ask)) = self.clients[client].asked.take() else { return Ok(()) };
        let returned = match outcome {
            Outcome::Refused => return Ok(()),
            Outcome::Unknown if ask == Ask::Read => return Ok(()),
            Outcome::Unknown => None,
            Outcome::Answered { result, .. } => {
                let answer = answer(ask, result).map_err(|words| {
                    violation(NAME, None, format!("{ask:?} on key {key} is answered {words}"))
                })?;
                let seen = &mut self.clients[client].seen[key];
                match (answer, ask) {
                    (Answer::Found { value, modified, .. }, _) => *seen = (value, modified),
                    (Answer::Done { at, .. }, Ask::Set(v) | Ask::Create(v)) => *seen = (v, at),
                    (Answer::Done { at, .. }, Ask::SwapValue(_, v) | Ask::SwapIndex(_, v)) => {
                        *seen = (v, at);
                    }
                    _ => {}
                }
                Some((now, answer))
            }
        };
        self.histories[key].push(Operation { called, returned, ask });
        Ok(())
    }

    fn finish(
        &mut self,
        stats: &mut Stats,
        read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        for (client, state) in self.clients.iter_mut().enumerate() {
            debug_assert!(state.asked.is_none(), "client {client} was not told its outcome");
        }
        for (key, history) in self.histories.iter_mut().enumerate() {
            if let Some(shown) = read(&request(Verb::Get, &path(key), "")) {
                let last = answer(Ask::Read, &shown.result)
                    .map_err(|words| violation(NAME, None, format!("key {key} ends as {words}")))?;
                let returned = Some((u64::MAX, last));
                history.push(Operation { called: u64::MAX - 1, returned, ask: Ask::Read });
            }
            match check(history, BUDGET) {
                Verdict::Linearizable => {}
                Verdict::Undecided => stats.undecided += 1,
                Verdict::Violated => {
                    let mut lines = format!("no order explains the history of key {key}:");
                    for o in history {
                        lines.push_str(&format!("\n    {o:?}"));
                    }
                    return Err(violation(NAME, None, lines));
                }
            }
        }
        Ok(())
    }
}
