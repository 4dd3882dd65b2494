//! A counter that all of its clients increment by compare-and-swap: at the end it has counted every
//! acknowledged increment, and of those whose outcome is unknown each at most once.

use bytes::Bytes;
use quorate_core::api::{KeysRequest, Verb};
use quorate_core::store::{self, Code};

use super::{Asked, Outcome, Workload, number, request, violation};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

const NAME: &str = "counter";
const PATH: &str = "/1/counter";

/// The counter of a run.
#[derive(Debug)]
pub(super) struct Counter {
    clients: Vec<Client>,
    acknowledged: u64,
    unknown: u64,
    /// The highest value that any of them was told.
    highest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    /// The value and index that it read last, if nobody has written since as far as it knows; a
    /// counter that is not there has the value 0.
    read: Option<(u64, u64)>,
    /// What it asks right now: to make this value of the one that it read.
    asked: Option<u64>,
}

impl Counter {
    pub(super) fn new(clients: u64) -> Self {
        let clients = vec![Client::default(); clients as usize];
        Self { clients, acknowledged: 0, unknown: 0, highest: 0 }
    }
}

/// The request that makes `value` of the value before, by one of the ways to compare.
fn increment((before, index): (u64, u64), value: u64, by_index: bool) -> KeysRequest {
    let put = request(Verb::Put, PATH, &value.to_string());
    match (before, by_index) {
        (0, _) => KeysRequest { prev_exist: Some(false), ..put },
        (_, true) => KeysRequest { prev_index: index, ..put },
        (_, false) => KeysRequest { prev_value: Some(Bytes::from(before.to_string())), ..put },
    }
}

fn position(result: &Result<store::Event, store::Error>) -> Option<(u64, u64)> {
    match result {
        Ok(event) => Some((number(event.node.value.as_ref()), event.node.modified_index)),
        Err(error) if error.code == Code::KeyNotFound => Some((0, 0)),
        Err(_) => None,
    }
}

impl Workload for Counter {
    fn next(&mut self, client: usize, chance: &mut Chance) -> Asked {
        let state = &mut self.clients[client];
        let Some(read) = state.read.take() else {
            return Asked::Keys(KeysRequest { quorum: true, ..request(Verb::Get, PATH, "") });
        };
        let value = read.0 + 1;
        state.asked = Some(value);
        Asked::Keys(increment(read, value, chance.coin()))
    }

    fn ended(
        &mut self,
        client: usize,
        _called: u64,
        _now: u64,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let state = &mut self.clients[client];
        let asked = state.asked.take();
        if let Outcome::Answered { result, .. } = outcome {
            let told = position(result).map_or(0, |(value, _)| value);
            self.highest = self.highest.max(told);
        }
        match (asked, outcome) {
            (_, Outcome::Refused) | (None, Outcome::Unknown) => {}
            (Some(_), Outcome::Unknown) => self.unknown += 1,
            (None, Outcome::Answered { result, .. }) => state.read = position(result),
            (Some(value), Outcome::Answered { result: Ok(event), .. }) => {
                if number(event.node.value.as_ref()) != value {
                    let detail = format!("the increment to {value} is answered {event:?}");
                    return Err(violation(NAME, Some(event.index), detail));
                }
                self.acknowledged += 1;
                state.read = position(&Ok(event.clone()));
            }
            // Somebody else was faster.
            (Some(_), Outcome::Answered { result: Err(_), .. }) => {}
        }
        Ok(())
    }

    fn finish(
        &mut self,
        _stats: &mut Stats,
        read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        let (acknowledged, unknown) = (self.acknowledged, self.unknown);
        let last = read(&request(Verb::Get, PATH, "")).map(|shown| shown.result);
        let counted = match &last {
            Some(result) => position(result).map(|(value, _)| value),
            // Each increment that was acknowledged said which one it was.
            None => Some(self.highest),
        };
        if counted.is_some_and(|value| (acknowledged..=acknowledged + unknown).contains(&value)) {
            return Ok(());
        }
        let detail = format!(
            "{acknowledged} increments were acknowledged and {unknown} are unknown, the end is {last:?}, \
             the highest that was seen {}",
            self.highest
        );
        Err(violation(NAME, None, detail))
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::api::Stamp;
    use quorate_core::store::{Command, Method, Store};

    use super::*;

    /// A store at which so many increments were carried out.
    fn store(increments: u64) -> Store {
        let mut store = Store::new();
        for value in 1..=increments {
            let value = Bytes::from(value.to_string());
            store.apply(&Command { value, ..Command::new(Method::Put, PATH) });
        }
        store
    }

    fn judged(counted: u64, acknowledged: u64, unknown: u64) -> Result<(), Violation> {
        let highest = 0;
        let mut counter = Counter { clients: Vec::new(), acknowledged, unknown, highest };
        let store = store(counted);
        let read = |request: &KeysRequest| {
            let result = store.as_image().read(&request.path, false);
            Some(Shown { result, stamp: Stamp::default() })
        };
        counter.finish(&mut Stats::default(), &read)
    }

    #[test]
    fn a_lost_or_doubled_increment_is_found() {
        assert_eq!(judged(0, 0, 0), Ok(()));
        assert_eq!(judged(7, 7, 0), Ok(()));
        assert_eq!(judged(9, 7, 2), Ok(()));
        assert!(judged(6, 7, 2).is_err(), "one was lost");
        assert!(judged(10, 7, 2).is_err(), "one was counted twice");
    }

    #[test]
    fn the_highest_value_counts_where_nobody_reads_at_the_end() {
        let judged = |highest, acknowledged, unknown| {
            let mut counter = Counter { clients: Vec::new(), acknowledged, unknown, highest };
            counter.finish(&mut Stats::default(), &|_| None)
        };
        assert_eq!(judged(0, 0, 3), Ok(()));
        assert_eq!(judged(9, 7, 2), Ok(()));
        assert!(judged(6, 7, 2).is_err(), "two were acknowledged as one");
        assert!(judged(10, 7, 2).is_err(), "one was counted twice");
    }
}
