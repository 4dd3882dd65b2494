use super::*;
use crate::options::Options;
use crate::oracle::Violation;
use crate::plan::Fault;
use crate::stats::Stats;

/// A run that breaks a promise if three members or more run with clients of registers and the plan
/// has a stop of host 1 after a pause of it; and another promise if there are none of the two.
fn run(scenario: &Scenario) -> Report {
    let faults = &scenario.plan.faults;
    let at = |is: &dyn Fn(&Fault) -> bool| faults.iter().position(|p| is(&p.fault));
    let pause = at(&|fault| matches!(fault, Fault::Pause { host: 1, .. }));
    let stop = faults.iter().rposition(|p| matches!(p.fault, Fault::Stop { host: 1, .. }));
    let broken = stop.filter(|stop| pause.is_some_and(|pause| pause < *stop));
    let there = scenario.options.members >= 3 && scenario.options.registers > 0;
    let violation = match (broken, pause) {
        (Some(stop), _) if there => {
            let violation = Violation::safety("right", 1, "of interest".to_owned());
            Some((faults[stop].at_us * 1000, violation))
        }
        (None, None) => Some((0, Violation::safety("wrong", 1, "of none".to_owned()))),
        _ => None,
    };
    let (scenario, stats) = (scenario.clone(), Stats::default());
    Report { scenario, stats, digest: 0, violation, recording: Vec::new() }
}

fn failing() -> Scenario {
    failing_with(|options| options)
}

/// The first seed that fails with its options, changed.
fn failing_with(change: impl Fn(Options) -> Options) -> Scenario {
    let broken = |seed: &u64| {
        let options =
            Options { members: 7, pause_mean_ms: 5000, stop_mean_ms: 5000, ..Options::draw(*seed) };
        let options = change(options);
        let scenario = Scenario::with(*seed, options);
        run(&scenario).violation.is_some_and(|(_, v)| v.oracle == "right").then_some(scenario)
    };
    (0..).find_map(|seed| broken(&seed)).expect("a seed that fails")
}

#[test]
fn only_what_matters_is_left() {
    let mut steps = Vec::new();
    let shrunk = shrink(&failing(), &run, 1000, &mut |words| steps.push(words)).expect("it fails");
    assert_eq!(shrunk.oracle, "right");
    let Scenario { options, plan, .. } = &shrunk.scenario;
    assert_eq!(plan.faults.len(), 2, "{:?}", plan.faults);
    assert_eq!((options.members, options.registers, options.watchers), (3, 1, 0));
    assert!(Options::NAMES.iter().filter(|n| n.ends_with("_ppm")).count() > 0);
    assert!(options.values().filter(|(name, _)| name.ends_with("_ppm")).all(|(_, v)| v == 0));
    assert!(options.safety_ms * 1000 <= plan.faults[1].at_us + 1000);
    assert!(steps.len() > 5, "{steps:?}");
}

#[test]
fn how_members_find_and_trust_each_other_is_left_out_if_it_does_not_matter() {
    let by_records = |options| Options {
        spares: 2,
        tls: 1,
        addresses: 1,
        srv: 1,
        discovery: 0,
        extra: 0,
        wipe_most: 1,
        snapshot_count: 50,
        catch_up_entries: 1,
        segment_bytes: 16_384,
        ..options
    };
    let by_token =
        |options| Options { spares: 0, srv: 0, discovery: 1, extra: 1, real_service: 1, ..options };
    for scenario in [failing_with(by_records), failing_with(by_token)] {
        let shrunk = shrink(&scenario, &run, 1000, &mut |_| {}).expect("it fails");
        let Options {
            spares, tls, addresses, srv, discovery, extra, real_service, wipe_most, ..
        } = shrunk.scenario.options;
        let left = [spares, tls, addresses, srv, discovery, extra, real_service, wipe_most];
        assert_eq!(left, [0; 8]);
        let Options { snapshot_count, catch_up_entries, segment_bytes, .. } =
            shrunk.scenario.options;
        assert_eq!([snapshot_count, catch_up_entries, segment_bytes], [10_000, 1000, 262_144]);
    }
}

#[test]
fn it_goes_the_same_way_again_and_no_further_than_it_may() {
    let scenario = failing();
    let once = || shrink(&scenario, &run, 40, &mut |_| {}).expect("it fails");
    assert_eq!(once(), once());
    assert_eq!(once().runs, 40);
}

#[test]
fn promises_of_liveness_are_alike_by_their_words() {
    let broken = |kind, detail: &str| {
        let violation = Violation { kind, ..Violation::safety("liveness", 1, detail.to_owned()) };
        Broken::of(&violation)
    };
    let first = broken(Kind::Liveness, "healthy [0, 2]: node 2 refuses plain reads");
    assert!(first == broken(Kind::Liveness, "healthy [1]: node 1 refuses plain reads"));
    assert!(first != broken(Kind::Liveness, "healthy [0, 2]: no write was acknowledged"));
    let safety = broken(Kind::Safety, "a value");
    assert!(safety == broken(Kind::Safety, "another value"));
}

#[test]
fn what_does_not_fail_is_not_made_smaller() {
    let sound = |scenario: &Scenario| Report { violation: None, ..run(scenario) };
    assert_eq!(shrink(&failing(), &sound, 40, &mut |_| {}), None);
}
