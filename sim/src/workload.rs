//! Workloads: what clients do, and what their answers must fit.

mod counter;
mod register;
mod ttl;
mod unique;
mod watcher;

use std::fmt;

use bytes::Bytes;
use quorate_core::api::{KeysRequest, Stamp, Verb, WatchRequest};
use quorate_core::store;

use crate::chance::Chance;
use crate::machine::Shown;
use crate::options::Options;
use crate::oracle::{Kind, Violation};
use crate::stats::Stats;

/// What a client asks.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A write or a quorum read.
    Keys(KeysRequest),
    /// A plain read, answered by the member alone.
    Read(KeysRequest),
    /// A watch.
    Watch(WatchRequest),
}

/// What came of it. Nearly all are answers, so that a box for those would save nothing.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Outcome {
    /// It was answered.
    Answered {
        /// The event, or the store's refusal.
        result: Result<store::Event, store::Error>,
        /// The indexes.
        stamp: Stamp,
    },
    /// It was certainly not carried out.
    Refused,
    /// Nobody will ever tell.
    Unknown,
}

/// What the clients of one kind do.
pub trait Workload: fmt::Debug + Send {
    /// What the client asks next.
    fn next(&mut self, client: usize, chance: &mut Chance) -> Asked;

    /// What came of the client's last request, which it made at `called`, at the moment `now`.
    ///
    /// # Errors
    /// An answer that can never be right.
    fn ended(
        &mut self,
        client: usize,
        called: u64,
        now: u64,
        outcome: &Outcome,
    ) -> Result<(), Violation>;

    /// An event of the client's watch.
    ///
    /// # Errors
    /// An event that can never be right.
    fn event(&mut self, _client: usize, _event: &store::Event) -> Result<(), Violation> {
        Ok(())
    }

    /// What should have happened by now in a cluster that is well, by the leader's wall clock (in
    /// Unix nanoseconds); `read` reads from the leader.
    fn owes(
        &self,
        _leader_wall: i64,
        _read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Option<String> {
        None
    }

    /// The run ends; `read` reads from a member that has applied all that is committed, or gives
    /// nothing where no such member is left.
    ///
    /// # Errors
    /// What does not fit together.
    fn finish(
        &mut self,
        stats: &mut Stats,
        read: &dyn Fn(&KeysRequest) -> Option<Shown>,
    ) -> Result<(), Violation>;
}

/// The workloads of a run, and a client of `new` for each that belongs to one: `new` is told the
/// number of the workload, and that of the client in it.
pub fn all<C>(
    options: &Options,
    new: impl Fn(usize, usize) -> C,
) -> (Vec<Box<dyn Workload>>, Vec<C>) {
    let (workloads, counts): (Vec<Box<dyn Workload>>, Vec<u64>) =
        counted(options).into_iter().unzip();
    let clients = counts.into_iter().enumerate();
    let clients = clients.flat_map(|(work, count)| (0..count as usize).map(move |n| (work, n)));
    (workloads, clients.map(|(workload, number)| new(workload, number)).collect())
}

/// The workloads of a run, and how many clients each has.
fn counted(options: &Options) -> Vec<(Box<dyn Workload>, u64)> {
    vec![
        (Box::new(counter::Counter::new(options.counters)), options.counters),
        (Box::new(register::Registers::new(options.registers, options.keys)), options.registers),
        (Box::new(unique::Inserts::new(options.inserters)), options.inserters),
        (Box::new(ttl::Leases::default()), options.ttl_writers),
        (Box::new(watcher::Watchers::new(options.watchers)), options.watchers),
    ]
}

/// A request with nothing but a verb, a path and a value.
pub fn request(verb: Verb, path: &str, value: &str) -> KeysRequest {
    let value = Bytes::copy_from_slice(value.as_bytes());
    KeysRequest { value, ..KeysRequest::new(verb, path) }
}

/// The number in a value; values of workloads are numbers in text.
fn number(value: Option<&Bytes>) -> u64 {
    value.and_then(|v| std::str::from_utf8(v).ok()).and_then(|v| v.parse().ok()).unwrap_or(0)
}

fn violation(oracle: &'static str, index: Option<u64>, detail: String) -> Violation {
    Violation { kind: Kind::Safety, oracle, node: None, index, detail }
}
