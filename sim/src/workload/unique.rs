//! Unique inserts: every acknowledged one is there at the end, exactly once and under the name
//! that was said; every other one at most once.

use std::collections::BTreeMap;

use quorate_core::api::{KeysRequest, Verb};

use super::{Asked, Outcome, Workload, number, request, violation};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

const NAME: &str = "acknowledged_writes";
const DIR: &str = "/1/queue";

/// The inserts of a run.
#[derive(Debug)]
pub(super) struct Inserts {
    /// What each client inserts right now.
    asked: Vec<u64>,
    /// Acknowledged values, and the name and index that were said.
    acknowledged: BTreeMap<u64, (String, u64)>,
    values: u64,
}

impl Inserts {
    pub(super) fn new(clients: u64) -> Self {
        Self { asked: vec![0; clients as usize], acknowledged: BTreeMap::new(), values: 0 }
    }
}

impl Inserts {
    /// Whether all that were acknowledged have names and indexes of their own.
    fn are_apart(&self) -> Result<(), Violation> {
        let mut names = BTreeMap::new();
        let mut indexes = BTreeMap::new();
        for (value, (name, index)) in &self.acknowledged {
            let (named, indexed) = (names.insert(name, value), indexes.insert(index, value));
            let other = named.or(indexed);
            if let Some(other) = other {
                let detail = format!("inserts {other} and {value} were acknowledged as {name}");
                return Err(violation(NAME, Some(*index), detail));
            }
        }
        Ok(())
    }
}

impl Workload for Inserts {
    fn next(&mut self, client: usize, _chance: &mut Chance) -> Asked {
        self.values += 1;
        self.asked[client] = self.values;
        Asked::Keys(request(Verb::Post, DIR, &self.values.to_string()))
    }

    fn ended(
        &mut self,
        client: usize,
        _called: u64,
        _now: u64,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let Outcome::Answered { result, .. } = outcome else { return Ok(()) };
        let asked = self.asked[client];
        match result {
            Ok(event) if number(event.node.value.as_ref()) == asked => {
                let place = (event.node.path.clone(), event.node.modified_index);
                self.acknowledged.insert(asked, place);
                Ok(())
            }
            other => Err(violation(NAME, None, format!("insert {asked} is answered {other:?}"))),
        }
    }

    fn finish(
        &mut self,
        _stats: &mut Stats,
        read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        let list = KeysRequest { recursive: true, sorted: true, ..request(Verb::Get, DIR, "") };
        let Some(shown) = read(&list) else { return self.are_apart() };
        let nodes = shown.result.map(|event| event.node.nodes).unwrap_or_default();
        let mut found = BTreeMap::new();
        for node in nodes {
            let value = number(node.value.as_ref());
            let index = node.modified_index;
            if let Some((other, _)) = found.insert(value, (node.path.clone(), index)) {
                let detail = format!("insert {value} is there twice: {other} and {}", node.path);
                return Err(violation(NAME, Some(index), detail));
            }
        }
        for (value, place) in &self.acknowledged {
            if found.get(value) != Some(place) {
                let detail = format!(
                    "insert {value} was acknowledged as {place:?}, the end has {:?}",
                    found.get(value)
                );
                return Err(violation(NAME, Some(place.1), detail));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_inserts_in_one_place_are_found_without_a_read_at_the_end() {
        let judged = |places: [(&str, u64); 2]| {
            let places = places.map(|(name, index)| (name.to_owned(), index));
            let acknowledged = (1..).zip(places).collect();
            let mut inserts = Inserts { asked: Vec::new(), acknowledged, values: 2 };
            inserts.finish(&mut Stats::default(), &|_| None)
        };
        assert_eq!(judged([("/1/queue/7", 7), ("/1/queue/8", 8)]), Ok(()));
        assert!(judged([("/1/queue/7", 7), ("/1/queue/7", 8)]).is_err());
        assert!(judged([("/1/queue/7", 7), ("/1/queue/8", 7)]).is_err());
    }
}
