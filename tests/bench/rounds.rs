//! Rounds in which the two servers take turns, so that a machine that gets slower gets slower for
//! both: what counts is the ratio within a round.

use std::fmt::Display;

use super::server::Kind;

/// What a round came to.
pub(crate) trait Figure: Display {
    /// The figure by which the two are compared: more is better.
    fn rate(&self) -> f64;
}

/// Measures Quorate, and etcd if it is installed, and prints what came of it.
pub(crate) fn compare<F: Figure>(what: &str, rounds: usize, measure: impl Fn(&Kind) -> F) {
    println!("{what}");
    let etcd = Kind::etcd();
    if etcd.is_none() {
        eprintln!("LEFT OUT: no etcd is installed, so there is nothing to compare with");
    }
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let ours = measure(&Kind::Quorate);
        let Some(etcd) = &etcd else {
            println!("  round {round}: quorate {ours}");
            continue;
        };
        let theirs = measure(etcd);
        let ratio = ours.rate() / theirs.rate();
        println!("  round {round}: quorate {ours} | etcd {theirs} | ratio {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (ratios.first(), ratios.last()) {
        let median = ratios[ratios.len() / 2];
        println!("  ratio quorate/etcd: median {median:.2}, {least:.2} to {most:.2}");
    }
}

/// A number in the environment.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
