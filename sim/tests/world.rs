//! The world: the shell as it ships, with faults, none of which may break a promise; and every run
//! twice, with equal digests. `SIM_SEED=…` runs one seed again, and `SIM_<OPTION>=…` changes an
//! option.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sim::chance::parse_seed;
use sim::report::Report;
use sim::runner::Failure;
use sim::scenario::Scenario;
use sim::stats::Stats;
use sim::worlds::World;

const RUNS: u64 = 60;

/// Counters of which 60 runs promise nothing: what is rare by its nature, and what only the lockstep
/// world has.
const RARE: [&str; 11] = [
    "undecided",
    "torn_tails",
    "cleared",
    "duplicated",
    "stranded",
    "untold",
    "no_place",
    "leaders_removed",
    "removed_apart",
    "grown_to_two",
    "shrunk_to_one",
];

/// A percentage of the runs.
const fn percent(share: u64) -> u64 {
    RUNS * share / 100
}

fn scenario(seed: u64) -> Scenario {
    World::Shell.scenario_from_environment(seed).expect("SIM_… variables are numbers")
}

fn one_seed() -> Option<u64> {
    std::env::var("SIM_SEED").ok().map(|text| parse_seed(&text).expect("SIM_SEED is a seed"))
}

/// Runs each seed twice, on all cores.
fn run_all() -> Vec<Report> {
    let (next, reports) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= RUNS {
                        return;
                    }
                    let scenario = scenario(seed);
                    let report = World::Shell.run(&scenario, false);
                    assert!(report.violation.is_none(), "{}", Failure(World::Shell, report));
                    assert_eq!(report, World::Shell.run(&scenario, false), "seed {seed} differs");
                    reports.lock().expect("not poisoned").push(report);
                }
            });
        }
    });
    reports.into_inner().expect("not poisoned")
}

#[test]
fn the_world_keeps_every_promise_and_every_run_repeats() {
    if let Some(seed) = one_seed() {
        let report = World::Shell.run(&scenario(seed), false);
        assert!(report.violation.is_none(), "{}", Failure(World::Shell, report));
        println!("seed {seed}: {}\ndigest {:016x}", report.stats, report.digest);
        return;
    }
    let reports = run_all();
    let runs_with = |test: &dyn Fn(&Stats) -> bool| {
        reports.iter().filter(|report| test(&report.stats)).count() as u64
    };
    // The first election is no change of the leader.
    let changed = runs_with(&|s| s.leaders > 1);
    assert!(changed >= percent(30), "the leader changed in {changed} runs only");
    let written = runs_with(&|s| s.acknowledged >= 5);
    assert!(written >= percent(90), "5 writes were acknowledged in {written} runs only");
    for (at, (name, _)) in Stats::default().values().enumerate() {
        let seen = runs_with(&|s| s.values().nth(at).is_some_and(|v| v.1 > 0));
        println!("{name} in {seen} runs");
        let least = if RARE.contains(&name) { 0 } else { percent(5) };
        assert!(seen >= least, "{name} happened in {seen} runs only");
    }
}
