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
        Self { clients, acknowledged: 0, unknown: 0 }
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
        let Some(shown) = read(&request(Verb::Get, PATH, "")) else { return Ok(()) };
        let (acknowledged, unknown) = (self.acknowledged, self.unknown);
        let counted = position(&shown.result).map(|(value, _)| value);
        if counted.is_some_and(|value| (acknowledged..=acknowledged + unknown).contains(&value)) {
            return Ok(());
        }
        let detail = format!(
            "{acknowledged} increments were acknowledged and {unknown} are unknown, the end is {:?}",
            shown.result
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
        let mut counter = Counter { clients: Vec::new(), acknowledged, unknown };
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
}
