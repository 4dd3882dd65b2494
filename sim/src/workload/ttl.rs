//! Keys with a time to live, so that the leader's expiry runs in between everything else. What
//! they must fit is state equality: all members expire them at the same index.

use quorate_core::api::{KeysRequest, Verb};

use super::{Asked, Outcome, Workload, request};
use crate::chance::Chance;
use crate::machine::Shown;
use crate::oracle::Violation;
use crate::stats::Stats;

/// The keys of a run that expire.
#[derive(Debug, Default)]
pub(super) struct Leases {
    values: u64,
}

impl Workload for Leases {
    fn next(&mut self, _client: usize, chance: &mut Chance) -> Asked {
        self.values += 1;
        let path = format!("/1/lease/{}", chance.below(20));
        let ttl_s = Some(chance.between(1, 10));
        Asked::Keys(KeysRequest { ttl_s, ..request(Verb::Put, &path, &self.values.to_string()) })
    }

    fn ended(&mut self, _: usize, _: u64, _: u64, _: &Outcome) -> Result<(), Violation> {
        Ok(())
    }

    fn finish(
        &mut self,
        _stats: &mut Stats,
        _read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation> {
        Ok(())
    }
}
