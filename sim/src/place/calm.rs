//! The liveness phase: faults end for the quorum of the plan, which then must elect a leader, commit
//! a write, and come to rest with equal logs and states. The others stay down or cut off.

use quorate_core::api::{KeysRequest, Verb};
use quorate_core::view::View;

use super::faults::{Faults, Later, Parts};
use crate::machine::{Machine, Shown};
use crate::oracle::{Kind, Violation};
use crate::plan::{Crash, Fault};
use crate::settling::{Standing, unpromoted, unsettled};
use crate::workload::{Workload, request};

/// What has to be known of a world in its liveness phase.
pub(crate) trait Settles: Faults {
    /// What its processes run.
    type Node: Machine;

    /// Lets the process of a host go on, if it is paused.
    fn go_on(&mut self, host: usize);

    /// The clients wait for nothing any more.
    fn let_go(&mut self);

    /// Looks at the node of a host and what it publishes, if a process runs there.
    fn inspect<T>(
        &self,
        host: usize,
        look: impl FnOnce(&Self::Node, Option<&View>) -> T,
    ) -> Option<T>;

    /// The wall clock of a host, in Unix nanoseconds.
    fn wall(&self, host: usize) -> i64;

    /// Compares the log and state of a host with those of the others.
    ///
    /// # Errors
    /// The promise that is broken.
    fn judge(&mut self, host: usize) -> Result<(), Violation>;

    /// What the clients do.
    fn workloads(&mut self) -> &mut Vec<Box<dyn Workload>>;

    /// Whether a write was acknowledged since the faults have ended, and whether a client waits.
    fn progress(&self) -> (bool, bool);

    /// A watch that was not told an event that its member has applied, in words.
    fn watch_due(&self) -> Option<String>;
}

/// Faults end. Gives who stays healthy; nobody if there is no quorum any more: then what the clients
/// were told is judged, and the run is over.
pub(crate) fn begin(world: &mut impl Settles) -> Option<Vec<usize>> {
    world.happen(Later::PutBack);
    let Parts { places, oracles, plan, network, stats, .. } = world.parts();
    let healthy = places.choose_quorum(&plan.calm, oracles);
    if healthy.is_some() {
        network.calm();
    } else {
        stats.stranded += 1;
        world.let_go();
        finish(world, &[]);
    }
    healthy
}

/// Puts hosts right, and starts those that are healthy. The others stay down or cut off.
pub(crate) fn put_right(world: &mut impl Settles, healthy: &[usize]) {
    world.happen(Later::ServiceRight);
    for host in 0..world.parts().places.count() {
        let right = [
            Later::Space(host),
            Later::RightList(host),
            Later::NamesRight(host),
            Later::CertificateRight(host),
        ];
        right.into_iter().for_each(|later| world.happen(later));
        world.files(host).read_right();
        if !healthy.contains(&host) {
            leave_behind(world, host);
        } else if world.runs(host) {
            world.go_on(host);
        } else {
            world.plan_start(host, 0);
        }
    }
}

fn leave_behind(world: &mut impl Settles, host: usize) {
    if world.parts().plan.calm.down.contains(&host) {
        world.end_process(host, Crash::Kill);
    }
    let Parts { places, network, .. } = world.parts();
    let cut = Fault::Isolate { host, length_us: 0 };
    network.cut(cut.directions(places.count()));
}

/// Where the healthy stand.
pub(crate) fn standings(world: &mut impl Settles, healthy: &[usize]) -> Vec<Standing> {
    let read = request(Verb::Get, "/1", "");
    let standing = |host: &usize| Standing {
        host: *host,
        runs: world.runs(*host),
        leads: world.leads(*host),
        reads: reads(world, *host, &read).is_some(),
        applied: shows(world, *host),
    };
    healthy.iter().map(standing).collect()
}

/// How far the state is applied that a host shows. What it has applied is shown only once what it has
/// promised meanwhile is durable.
fn shows(world: &mut impl Settles, host: usize) -> u64 {
    let applied = world.parts().oracles.applied_index(host);
    let shown = world.inspect(host, |_, view| view.map(|view| view.applied)).flatten();
    shown.map_or(applied, |shown| shown.min(applied))
}

/// What is still missing, in words.
pub(crate) fn missing(world: &mut impl Settles, healthy: &[usize]) -> Option<String> {
    let quorum = standings(world, healthy);
    let (progress, waits) = world.progress();
    let Parts { places, oracles, .. } = world.parts();
    let last = oracles.ledger().last_index();
    let learners = places.learners(healthy, oracles.ledger().configurations());
    unsettled(&quorum, progress, waits, last)
        .or_else(|| unpromoted(&learners))
        .or_else(|| world.watch_due())
        .or_else(|| owed(world, healthy))
}

/// The quorum has run out of time.
pub(crate) fn too_late(healthy: &[usize], why: &str) -> Violation {
    let (kind, node, index) = (Kind::Liveness, None, None);
    let detail = format!("healthy {healthy:?}: {why}");
    Violation { kind, oracle: "liveness", node, index, detail }
}

/// What should have happened by now by the leader's clock, in words.
fn owed(world: &mut impl Settles, healthy: &[usize]) -> Option<String> {
    let leader = healthy.iter().copied().find(|host| world.leads(*host))?;
    let wall = world.wall(leader);
    let workloads = std::mem::take(world.workloads());
    let read = |request: &_| reads(world, leader, request);
    let owed = workloads.iter().find_map(|workload| workload.owes(wall, &read));
    *world.workloads() = workloads;
    owed
}

/// Judges what is left, once the healthy have come to rest. Without any of them nobody says how it
/// ends.
pub(crate) fn finish(world: &mut impl Settles, healthy: &[usize]) {
    for host in healthy {
        let verdict = world.judge(*host);
        world.check(verdict);
    }
    let mut workloads = std::mem::take(world.workloads());
    let mut stats = std::mem::take(world.parts().stats);
    let read = |request: &_| healthy.first().and_then(|host| reads(world, *host, request));
    let mut verdict = Ok(());
    for workload in &mut workloads {
        verdict = verdict.and_then(|()| workload.finish(&mut stats, &read));
    }
    *world.parts().stats = stats;
    *world.workloads() = workloads;
    world.check(verdict);
}

/// What a host shows to one who reads.
fn reads<W: Settles>(world: &W, host: usize, request: &KeysRequest) -> Option<Shown> {
    world.inspect(host, |node, view| node.read(view, request)).flatten()
}
