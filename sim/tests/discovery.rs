//! Clusters that form through a discovery service, under all other faults: calls to it are lost,
//! its answers are lost after it did what it was asked, it is slow, away or forgetful, there are
//! more members than it has places for, and members crash while they join.
//!
//! The swarm draws all of this now and then; here every run has it.

use sim::options::Options;
use sim::runner::sound_runs;
use sim::scenario::Scenario;
use sim::worlds::World;

const RUNS: u64 = 200;
const WORLD_RUNS: u64 = 40;

fn options(seed: u64) -> Options {
    let mut options = Options::draw(seed);
    options.discovery = 1;
    options.discovery_mean_ms = [0, 2000, 5000][seed as usize % 3];
    options.discovery_length_ms = 3000;
    options.extra = u64::from(seed.is_multiple_of(2) && options.members > 2);
    options.srv = 0;
    // The swarm loses fewer calls where there is a service.
    options.http_fail_ppm = [0, 10_000, 100_000, 300_000][seed as usize / 3 % 4];
    // Whom the cluster could spare is not known before it has formed.
    (options.change_mean_ms, options.spares) = (0, 0);
    // There is no list that could be wrong.
    options.wrong_list_mean_ms = 0;
    // Whoever registers from two directories uses the token up.
    (options.swap_mean_ms, options.twin_mean_ms) = (0, 0);
    // What matters happens in the beginning.
    options.safety_ms = 40_000;
    options.liveness_ms = 120_000;
    options
}

#[test]
fn a_token_forms_one_cluster_whatever_fails() {
    let reports = sound_runs(World::Lockstep, RUNS, &|seed| Scenario::with(seed, options(seed)));
    let reports = reports.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(reports.len() as u64, RUNS);
    let runs_with = |test: &dyn Fn(&sim::stats::Stats) -> bool| {
        reports.iter().filter(|report| test(&report.stats)).count() as u64
    };
    let failing = runs_with(&|stats| stats.http_failed > 0);
    assert!(failing > RUNS / 4, "the service failed in {failing} runs only");
    let troubled = runs_with(&|stats| stats.service_troubles > 0);
    assert!(troubled > RUNS / 2, "the service was in trouble in {troubled} runs only");
    let excluded = runs_with(&|stats| stats.no_place > 0);
    assert!(excluded > RUNS / 5, "somebody was one too many in {excluded} runs only");
    let written = runs_with(&|stats| stats.acknowledged >= 10);
    assert!(written > RUNS / 2, "only {written} runs came to writes");
}

/// The service is a model in half of the runs, and a cluster of Quorate that loses its power in the
/// others. Everybody has a place, because those who have none are proxies and answer with what others
/// say.
#[test]
fn the_shell_forms_one_cluster_through_a_token() {
    let scenario = |seed| {
        let mut options = options(seed).for_world();
        options.real_service = seed % 2;
        Scenario::with(seed, options)
    };
    let reports = sound_runs(World::Shell, WORLD_RUNS, &scenario);
    let reports = reports.unwrap_or_else(|failure| panic!("{failure}"));
    let runs_with = |test: &dyn Fn(&sim::stats::Stats) -> bool| {
        reports.iter().filter(|report| test(&report.stats)).count() as u64
    };
    let failing = runs_with(&|stats| stats.http_failed > 0);
    assert!(failing > WORLD_RUNS / 4, "the service failed in {failing} runs only");
    let written = runs_with(&|stats| stats.acknowledged >= 5);
    assert!(written > WORLD_RUNS / 2, "only {written} runs came to writes");
}
