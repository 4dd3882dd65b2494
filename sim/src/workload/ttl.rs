//! Keys and directories with a time to live: written, refreshed, prolonged, made permanent and
//! removed, so that the leader's expiry runs in between everything else. The oracle of expiry
//! judges when they end; here it is seen that they do.

use bytes::Bytes;
use quorate_core::api::{KeysRequest, Verb};
use quorate_core::store::NodeView;

use super::{Asked, Outcome, Workload, request};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

const DIR: &str = "/1/lease";

/// How long after its time a key may still be there, in nanoseconds by the leader's clock: two
/// sweeps and the time that an entry takes.
const SWEPT: i64 = 3_000_000_000;

/// The keys of a run that expire.
#[derive(Debug, Default)]
pub(super) struct Leases {
    values: u64,
}

impl Leases {
    fn value(&mut self) -> Bytes {
        self.values += 1;
        Bytes::from(self.values.to_string())
    }
}

impl Workload for Leases {
    fn next(&mut self, _client: usize, chance: &mut Chance) -> Asked {
        let key = request(Verb::Put, &format!("{DIR}/{}", chance.below(20)), "");
        let dir = request(Verb::Put, &format!("{DIR}/dir"), "");
        let ttl_s = Some(chance.between(1, 10));
        Asked::Keys(match chance.below(20) {
            0..8 => KeysRequest { ttl_s, value: self.value(), ..key },
            8..11 => KeysRequest { ttl_s, refresh: Some(true), prev_exist: Some(true), ..key },
            11..13 => KeysRequest { ttl_s, prev_exist: Some(true), value: self.value(), ..key },
            13 => KeysRequest { value: self.value(), ..key },
            14 => KeysRequest { verb: Verb::Delete, ..key },
            15 => return Asked::Read(KeysRequest { verb: Verb::Get, ..key }),
            16 => KeysRequest { ttl_s, dir: true, prev_exist: Some(false), ..dir },
            17 => KeysRequest { ttl_s, dir: true, prev_exist: Some(true), ..dir },
            _ => {
                let value = self.value();
                KeysRequest { value, ..request(Verb::Put, &format!("{DIR}/dir/key"), "") }
            }
        })
    }

    fn ended(&mut self, _: usize, _: u64, _: u64, _: &Outcome) -> Result<(), Violation> {
        Ok(())
    }

    fn owes(
        &self,
        leader_wall: i64,
        read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Option<String> {
        let list = KeysRequest { recursive: true, ..request(Verb::Get, DIR, "") };
        let leases = read(&list)?.result.ok()?.node;
        let late = overdue(&leases, leader_wall - SWEPT)?;
        Some(format!("{} should have expired at {:?}", late.path, late.expiration))
    }

    fn finish(
        &mut self,
        _stats: &mut Stats,
        _read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        Ok(())
    }
}

/// A node at or below this one whose time was over before `wall`.
fn overdue(node: &NodeView, wall: i64) -> Option<&NodeView> {
    if node.expiration.is_some_and(|expiry| expiry < wall) {
        return Some(node);
    }
    node.nodes.iter().find_map(|node| overdue(node, wall))
}
