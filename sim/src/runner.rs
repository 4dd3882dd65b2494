//! Runs of many seeds over several threads. Each run is one thread's alone, so what it gives does
//! not depend on how many there are.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::lockstep::World;
use crate::machine::Machine;
use crate::record::Recorder;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::worlds;

/// A run that broke a promise, the world that it ran in, and how to run it again.
#[derive(Clone, Debug)]
pub struct Failure(pub worlds::World, pub Report);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(world, report) = self;
        let Scenario { seed, options, .. } = &report.scenario;
        if let Some((time, violation)) = &report.violation {
            writeln!(f, "{:?}: {violation}", violation.kind)?;
            writeln!(f, "simulated time {}.{:09} s", time / 1_000_000_000, time % 1_000_000_000)?;
        }
        writeln!(f, "seed {seed}, options:\n{options}")?;
        writeln!(f, "what happened: {}", report.stats)?;
        if Scenario::with(*seed, options.clone()) != report.scenario {
            return write!(f, "its plan is its own: run its file again");
        }
        let mut environment = String::new();
        let mut flags = String::new();
        for (name, value) in options.changes(&world.options(*seed)) {
            environment.push_str(&format!("SIM_{}={value} ", name.to_uppercase()));
            flags.push_str(&format!(" --set {name}={value}"));
        }
        writeln!(f, "again: {environment}SIM_SEED={seed} cargo test -p sim --test {world}")?;
        write!(
            f,
            "with the event log: cargo run --release -p sim -- replay --world {world} {seed}{flags}"
        )
    }
}

/// One run of the lockstep world, recorded if `record`. A panic of a member is a violation like any
/// other.
pub fn run<M: Machine>(scenario: &Scenario, record: bool) -> Report {
    World::<M>::new(scenario.clone(), Recorder::new(record)).run()
}

/// Runs the seeds from `first` on, `count` of them, on `jobs` threads, and hands each report to
/// `each`. Stops early when `each` says so. `run` runs a seed.
pub fn run_many(
    first: u64,
    count: u64,
    jobs: usize,
    run: &(dyn Fn(u64) -> Report + Sync),
    each: &mut (dyn FnMut(Report) -> bool + Send),
) {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let each = Mutex::new(each);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let report = run(first.wrapping_add(at));
                    let mut each = each.lock().expect("no holder of this lock panics");
                    if !each(report) {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// Runs the seeds from `first` on, `count` of them, on `jobs` threads, until one breaks a promise.
pub fn find_failure(
    world: worlds::World,
    first: u64,
    count: u64,
    jobs: usize,
) -> Option<Box<Failure>> {
    let mut failure = None;
    run_many(first, count, jobs, &|seed| world.run(&world.scenario(seed), false), &mut |report| {
        if report.violation.is_some() {
            failure.get_or_insert_with(|| Box::new(Failure(world, report)));
        }
        failure.is_none()
    });
    failure
}

/// Runs the seeds from 0 on, `count` of them, on all processors, and gives their reports if none
/// broke a promise.
///
/// # Errors
/// The first run that did.
pub fn sound_runs(
    world: worlds::World,
    count: u64,
    scenario: &(dyn Fn(u64) -> Scenario + Sync),
) -> Result<Vec<Report>, Box<Failure>> {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let (mut reports, mut failure) = (Vec::new(), None);
    run_many(0, count, jobs, &|seed| world.run(&scenario(seed), false), &mut |report| {
        if report.violation.is_some() {
            failure.get_or_insert_with(|| Box::new(Failure(world, report)));
        } else {
            reports.push(report);
        }
        failure.is_none()
    });
    failure.map_or(Ok(reports), Err)
}
