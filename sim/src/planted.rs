//! Hunts for planted bugs: proof that the unmodified swarm finds what can go wrong.
//!
//! Each bug is turned on by itself, and seeds are run from several unrelated bases, with the options
//! that belong to them, until an oracle fires. What counts is how many seeds that takes.

use std::fmt;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use quorate_core::Node;
pub use quorate_core::planted::Bug;
use quorate_core::planted::choose;

use crate::runner::run;
use crate::scenario::Scenario;

/// Where the seeds begin from which bugs are looked for: the first digits of π.
pub const BASES: [u64; 10] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
];

/// How many seeds may be tried from each base.
pub const BUDGET: u64 = 300;

/// How long it took to find a bug from one base.
#[derive(Clone, Debug)]
pub struct Find {
    /// The oracle that fired; none if the budget was spent.
    pub oracle: Option<&'static str>,
    /// How many seeds were run, the one that found it included.
    pub seeds: u64,
    /// How long these runs lasted, in simulated milliseconds.
    pub simulated_ms: u64,
}

/// What came of hunting for one bug: a find for each base.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The bug.
    pub bug: Bug,
    /// The finds, in the order of the bases.
    pub finds: Vec<Find>,
}

/// Only one bug can be turned on at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Hunts for a bug from each of `bases`, on `jobs` threads, with at most `budget` seeds a base.
pub fn hunt(bug: Bug, bases: &[u64], budget: u64, jobs: usize) -> Hunt {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Members that panic are found as such; where they do is of no interest here.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    choose(Some(bug));
    let next = AtomicUsize::new(0);
    let finds = Mutex::new(vec![None; bases.len()]);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((at, base)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    bases.get(at).map(|base| (at, *base))
                } {
                    let find = search(base, budget);
                    finds.lock().expect("no holder of this lock panics")[at] = Some(find);
                }
            });
        }
    });
    choose(None);
    panic::set_hook(hook);
    let finds = finds.into_inner().expect("no holder of this lock panics");
    Hunt { bug, finds: finds.into_iter().flatten().collect() }
}

fn search(base: u64, budget: u64) -> Find {
    let mut find = Find { oracle: None, seeds: 0, simulated_ms: 0 };
    while find.oracle.is_none() && find.seeds < budget {
        let seed = base.wrapping_add(find.seeds);
        let report = run::<Node>(&Scenario::draw(seed), false);
        find.seeds += 1;
        find.simulated_ms += report.stats.simulated_ms;
        find.oracle = report.violation.map(|(_, violation)| violation.oracle);
    }
    find
}

impl Hunt {
    /// Whether the bug was found from every base.
    pub fn succeeded(&self) -> bool {
        self.finds.iter().all(|find| find.oracle.is_some())
    }

    /// The oracles that fired, those that fired most often first.
    pub fn oracles(&self) -> Vec<&'static str> {
        let fired: Vec<&str> = self.finds.iter().filter_map(|find| find.oracle).collect();
        let times = |oracle: &str| fired.iter().filter(|other| **other == oracle).count();
        let mut oracles = fired.clone();
        oracles.sort_by_key(|oracle| (std::cmp::Reverse(times(oracle)), *oracle));
        oracles.dedup();
        oracles
    }

    /// Median and greatest number of seeds.
    pub fn seeds(&self) -> (u64, u64) {
        median_and_most(self.finds.iter().map(|find| find.seeds).collect())
    }

    /// Median and greatest simulated time, in milliseconds.
    pub fn simulated_ms(&self) -> (u64, u64) {
        median_and_most(self.finds.iter().map(|find| find.simulated_ms).collect())
    }
}

/// Of an even number of values the lower one in the middle.
fn median_and_most(mut values: Vec<u64>) -> (u64, u64) {
    values.sort_unstable();
    let middle = values.len().saturating_sub(1) / 2;
    (values.get(middle).copied().unwrap_or(0), values.last().copied().unwrap_or(0))
}

/// A row of the table in `docs/testing.md`.
impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = |ms: u64| format!("{}.{:02}", ms / 3_600_000, ms % 3_600_000 / 36_000);
        let oracles: Vec<String> = self.oracles().iter().map(|o| format!("`{o}`")).collect();
        let (seeds, most) = self.seeds();
        let (time, longest) = self.simulated_ms();
        let missed = self.finds.iter().filter(|find| find.oracle.is_none()).count();
        write!(f, "| `{:?}` | {} | {} ", self.bug, self.bug.what(), oracles.join(", "))?;
        if missed > 0 {
            write!(f, "(missed from {missed} bases) ")?;
        }
        write!(f, "| {seeds} ({most}) | {} ({}) |", hours(time), hours(longest))
    }
}

/// The head of that table.
pub const TABLE_HEAD: &str = "\
| bug | what is wrong | found by | seeds | simulated hours |
|---|---|---|---|---|";
