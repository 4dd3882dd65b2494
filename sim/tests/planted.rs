//! Every planted bug is found by the unmodified swarm, from unrelated seeds, within a budget; each
//! oracle is the first to find one of them; and the sound core breaks no promise in the runs of the
//! same seeds.
//!
//! `cargo run --release -p sim-planted` looks for the bugs from all ten bases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sim::runner::find_failure;
use sim::worlds::World;
use sim_planted::planted::{BASES, BUDGET, Bug, Hunt, TABLE_HEAD, hunt};

/// How many of the bases are tried here, to spare time.
const TRIED: usize = 6;

/// The oracles that have no file of their own.
const IN_THE_WORLD: [&str; 5] =
    ["explained_exit", "fault_halts", "liveness", "no_panic", "progress"];

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

    let fired: BTreeSet<&str> = hunts.iter().flat_map(Hunt::oracles).collect();
    let oracles = oracles();
    assert!(oracles.len() >= 20, "{oracles:?} are the oracles");
    let silent: Vec<&String> = oracles.iter().filter(|o| !fired.contains(o.as_str())).collect();
    assert!(silent.is_empty(), "no planted bug is found by {silent:?}");

    let seeds = hunts.iter().map(|hunt| hunt.seeds().1).max().unwrap_or(0);
    for base in bases {
        let failure = find_failure(World::Lockstep, *base, seeds, jobs);
        if let Some(failure) = failure {
            panic!("the sound core fails: {failure}");
        }
    }
}

/// The names of all oracles: each file that has one says `const NAME`.
fn oracles() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names: BTreeSet<String> = IN_THE_WORLD.iter().map(ToString::to_string).collect();
    for folder in ["oracle", "workload"] {
        for file in fs::read_dir(source.join(folder)).expect("the sources are there") {
            let text = fs::read_to_string(file.expect("a file").path()).unwrap_or_default();
            let name = text.lines().find_map(|line| line.strip_prefix("const NAME: &str = "));
            names.extend(name.map(|name| name.trim_matches(['"', ';']).to_owned()));
        }
    }
    names
}
