//! How far many runs are: a bar on a terminal, nothing elsewhere.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use sim::stats::Stats;

const STYLE: &str = "{prefix} {wide_bar} {pos}/{len} runs, {msg} simulated s/s, {eta} left";

/// The bar, and the sums that it shows.
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    /// Runs that have ended.
    pub(super) done: u64,
    /// The sum of what happened.
    pub(super) stats: Stats,
    /// In how many runs each of it happened.
    seen: Stats,
}

impl Progress {
    pub(super) fn new(world: &str, runs: u64) -> Self {
        let style = ProgressStyle::with_template(STYLE).expect("the template is sound");
        let bar = ProgressBar::new(runs).with_style(style).with_prefix(world.to_owned());
        Self {
            bar,
            begun: Instant::now(),
            done: 0,
            stats: Stats::default(),
            seen: Stats::default(),
        }
    }

    /// A run has ended.
    pub(super) fn add(&mut self, stats: &Stats) {
        self.done += 1;
        self.stats.add(stats);
        self.seen.add(&stats.seen());
        self.bar.set_message(self.rate().to_string());
        self.bar.inc(1);
    }

    /// Prints to standard output, beside the bar.
    pub(super) fn print(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    /// Simulated time over time on the wall.
    fn rate(&self) -> u128 {
        u128::from(self.stats.simulated_ms) / self.begun.elapsed().as_millis().max(1)
    }

    /// Takes the bar away and prints what happened.
    pub(super) fn finish(self, world: &str) {
        self.bar.finish_and_clear();
        let (runs, seconds) = (self.done, self.stats.simulated_ms / 1000);
        let wall = self.begun.elapsed().as_secs();
        let rate = self.rate();
        println!("{world}: {runs} runs, {seconds} s simulated in {wall} s, {rate} simulated s/s");
        for ((name, sum), (_, seen)) in self.stats.values().zip(self.seen.values()) {
            let percent = seen * 100 / runs.max(1);
            println!("  {name:<20} {sum:>14}   in {percent:>3} % of the runs");
        }
    }
}
