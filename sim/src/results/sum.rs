//! What the batches of results files add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Batch;

/// A month of a cluster: 30 days, in milliseconds.
const MONTH_MS: u128 = 30 * 24 * 3600 * 1000;

/// What was simulated in one world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorldSum {
    /// Runs of distinct seeds.
    pub distinct: u64,
    /// Runs of seeds that an earlier line has already.
    pub repeated: u64,
    /// Simulated time of the distinct ones, in milliseconds.
    pub simulated_ms: u128,
    /// Time on the wall, in milliseconds.
    pub wall_ms: u128,
    /// Seeds that broke a promise.
    pub violations: BTreeSet<u64>,
    /// Commits that were run.
    pub commits: BTreeSet<String>,
    /// Ranges that ran more than once, each the first and the last seed.
    pub overlaps: Vec<(u64, u64)>,
    /// Seeds that count, as disjoint ranges: first to one past the last.
    ranges: BTreeMap<u64, u64>,
}

/// What was simulated, by world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum(pub BTreeMap<String, WorldSum>);

impl Sum {
    /// Adds a batch. What an earlier one has already run counts no second time; its simulated
    /// time is taken to be the same for each of its seeds.
    pub fn add(&mut self, batch: &Batch) {
        let sum = self.0.entry(batch.origin.world.clone()).or_default();
        let end = batch.first.saturating_add(batch.seeds);
        let overlaps = sum.overlaps(batch.first, end);
        let repeated: u64 = overlaps.iter().map(|(from, to)| to - from).sum();
        let distinct = batch.seeds - repeated;
        sum.distinct += distinct;
        sum.repeated += repeated;
        if batch.seeds > 0 {
            let all = u128::from(batch.simulated_ms) * u128::from(distinct);
            sum.simulated_ms += all / u128::from(batch.seeds);
        }
        sum.wall_ms += u128::from(batch.wall_ms);
        sum.violations.extend(&batch.violations);
        let commit = batch.origin.commit.as_deref().unwrap_or("unknown");
        let mark = if batch.origin.dirty { " with changes" } else { "" };
        sum.commits.insert(format!("{commit}{mark}"));
        sum.overlaps.extend(overlaps.iter().map(|(from, to)| (*from, to - 1)));
        sum.cover(batch.first, end);
    }
}

impl WorldSum {
    /// The parts of `from..to` that are covered.
    fn overlaps(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let below = self.ranges.range(..to);
        let cut = below.map(|(a, b)| ((*a).max(from), (*b).min(to)));
        cut.filter(|(a, b)| a < b).collect()
    }

    /// Covers `from..to`, merged with the ranges that it touches.
    fn cover(&mut self, mut from: u64, mut to: u64) {
        let touched = self.ranges.range(..=to).filter(|(_, end)| **end >= from);
        let touched: Vec<(u64, u64)> = touched.map(|(a, b)| (*a, *b)).collect();
        for (begin, end) in touched {
            self.ranges.remove(&begin);
            (from, to) = (from.min(begin), to.max(end));
        }
        self.ranges.insert(from, to);
    }

    /// Simulated months of a cluster, in hundredths.
    pub const fn centimonths(&self) -> u128 {
        self.simulated_ms * 100 / MONTH_MS
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut months = 0;
        for (world, sum) in &self.0 {
            let own = sum.centimonths();
            months += own;
            let rate = sum.simulated_ms / sum.wall_ms.max(1);
            writeln!(f, "{world}: {} runs of distinct seeds", sum.distinct)?;
            writeln!(f, "  simulated    {}.{:02} months of a cluster", own / 100, own % 100)?;
            writeln!(f, "  on the wall  {} s, {rate} simulated s/s", sum.wall_ms / 1000)?;
            let seeds: Vec<String> = sum.violations.iter().map(u64::to_string).collect();
            let seeds = if seeds.is_empty() { "none".to_owned() } else { seeds.join(" ") };
            writeln!(f, "  violations   {seeds}")?;
            for commit in &sum.commits {
                writeln!(f, "  commit       {commit}")?;
            }
            for (from, to) in &sum.overlaps {
                writeln!(f, "  run again    seeds {from} to {to}, counted once")?;
            }
        }
        write!(f, "sum: {}.{:02} months of a cluster", months / 100, months % 100)
    }
}
