//! Clusters that form through a discovery service, under all other faults: calls to it are lost,
//! its answers are lost after it did what it was asked, and members crash while they join.
//! `SIM_DISCOVERY=1` does the same in the swarm.

use sim::options::Options;
use sim::runner::sound_runs;
use sim::scenario::Scenario;
use sim::worlds::World;

const RUNS: u64 = 400;

fn scenario(seed: u64) -> Scenario {
    let mut options = Options::draw(seed);
    options.discovery = 1;
    options.addresses = 0;
    options.srv = 0;
    // There is no list that could be wrong.
    options.wrong_list_mean_ms = 0;
    // What matters happens in the beginning.
    options.safety_ms = 20_000;
    // A poll that was lost is noticed when its time is up, and pauses may have grown by then.
    options.liveness_ms = 120_000;
    Scenario::with(seed, options)
}

#[test]
fn a_token_forms_one_cluster_whatever_fails() {
    let reports = sound_runs(World::Lockstep, RUNS, &scenario).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(reports.len() as u64, RUNS);
    let runs_with = |test: &dyn Fn(&sim::stats::Stats) -> bool| {
        reports.iter().filter(|report| test(&report.stats)).count() as u64
    };
    let failing = runs_with(&|stats| stats.http_failed > 0);
    assert!(failing > RUNS / 4, "the service failed in {failing} runs only");
    // A directory that is lost while its member waits uses the token up for good.
    let written = runs_with(&|stats| stats.acknowledged >= 10);
    assert!(written > RUNS / 2, "only {written} runs came to writes");
}
