//! Making a failing scenario smaller, until only what matters is left.
//!
//! Whatever is taken out of a scenario changes everything that is drawn after it, so a smaller one
//! may hide the fault by bad luck alone. Each candidate is therefore tried with a few seeds, its own
//! first. A candidate counts if it fails alike. All of it is deterministic.

mod steps;

#[cfg(test)]
mod tests;

use crate::oracle::{Kind, Violation};
use crate::report::Report;
use crate::scenario::Scenario;

/// With how many seeds a candidate is tried.
const SEEDS: u64 = 3;

/// Runs a scenario.
pub type Run<'a> = &'a dyn Fn(&Scenario) -> Report;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The smallest scenario that was found; with the seed under which it fails.
    pub scenario: Scenario,
    /// The oracle that fires.
    pub oracle: &'static str,
    /// How many runs it took.
    pub runs: u64,
}

struct Shrinking<'a> {
    run: Run<'a>,
    tell: &'a mut dyn FnMut(String),
    best: Scenario,
    broken: Broken,
    /// When the promise is broken, in microseconds.
    broken_us: u64,
    runs: u64,
    most_runs: u64,
}

/// Makes a scenario smaller with at most `most_runs` runs, and tells each step that helped. `None`
/// if it does not fail.
pub fn shrink(
    scenario: &Scenario,
    run: Run<'_>,
    most_runs: u64,
    tell: &mut dyn FnMut(String),
) -> Option<Shrunk> {
    let (time, violation) = run(scenario).violation?;
    tell(format!("{violation}"));
    let (best, broken) = (scenario.clone(), Broken::of(&violation));
    let broken_us = time / 1000;
    let mut shrinking = Shrinking { run, tell, best, broken, broken_us, runs: 1, most_runs };
    // What one step has made impossible, another may make possible again.
    while shrinking.round() && shrinking.runs < most_runs {}
    let Shrinking { best, broken, runs, .. } = shrinking;
    Some(Shrunk { scenario: best, oracle: broken.oracle, runs })
}

/// What two failures have in common that are alike.
#[derive(PartialEq, Eq)]
struct Broken {
    oracle: &'static str,
    /// There are many ways to get nowhere: of a promise of liveness, the words count too, without
    /// the numbers in them.
    words: Option<String>,
}

impl Broken {
    fn of(violation: &Violation) -> Self {
        let is_word = |c: &char| c.is_alphabetic() || *c == ' ';
        let words = || violation.detail.chars().filter(is_word).collect::<String>();
        let words = (violation.kind == Kind::Liveness)
            .then(|| words().split_whitespace().collect::<Vec<_>>().join(" "));
        Self { oracle: violation.oracle, words }
    }
}

impl Shrinking<'_> {
    /// Tries a candidate, and keeps it if it fails alike.
    fn attempt(&mut self, words: &str, candidate: &Scenario) -> bool {
        if *candidate == self.best {
            return false;
        }
        for more in 0..SEEDS {
            if self.runs >= self.most_runs {
                return false;
            }
            self.runs += 1;
            let mut candidate = candidate.clone();
            candidate.seed = candidate.seed.wrapping_add(more);
            if let Some((time, violation)) = (self.run)(&candidate).violation
                && Broken::of(&violation) == self.broken
            {
                let (runs, faults) = (self.runs, candidate.plan.faults.len());
                (self.tell)(format!("run {runs:>4}: {words}; {faults} faults are left"));
                self.broken_us = time / 1000;
                self.best = candidate;
                return true;
            }
        }
        false
    }

    /// Tries the best scenario so far with a change.
    fn change(&mut self, words: &str, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        self.attempt(words, &candidate)
    }
}
