//! Every planted bug is found by the unmodified swarm, from unrelated seeds, within a budget; and
//! the sound core breaks no promise in the runs of the same seeds.
//!
//! `cargo run --release -p sim-planted` does the same from all ten bases.

use quorate_core::Node;
use sim::runner::{Failure, run, run_many};
use sim::scenario::Scenario;
use sim::worlds::World;
use sim_planted::planted::{BASES, BUDGET, Bug, Hunt, TABLE_HEAD, hunt};

/// How many of the bases are tried here, to spare time.
const TRIED: usize = 3;

#[test]
fn every_planted_bug_is_found_and_nothing_else() {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let bases = &BASES[..TRIED];
    println!("{TABLE_HEAD}");
    let look = |bug: &Bug| {
        let hunt = hunt(*bug, bases, BUDGET, jobs);
        println!("{hunt}");
        hunt
    };
    let hunts: Vec<Hunt> = Bug::ALL.iter().map(look).collect();
    let missed: Vec<&Hunt> = hunts.iter().filter(|hunt| !hunt.succeeded()).collect();
    assert!(missed.is_empty(), "not found within {BUDGET} seeds: {missed:#?}");

    let seeds = hunts.iter().map(|hunt| hunt.seeds().1).max().unwrap_or(0);
    for base in bases {
        let mut failures = Vec::new();
        let sound = |seed| run::<Node>(&Scenario::draw(seed), false);
        run_many(*base, seeds, jobs, &sound, &mut |report| {
            failures.extend(report.violation.is_some().then(|| Failure(World::Lockstep, report)));
            failures.is_empty()
        });
        assert!(failures.is_empty(), "the sound core fails: {}", failures[0]);
    }
}
