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
    let broken = |seed: &u64| {
        let options =
            Options { members: 7, pause_mean_ms: 5000, stop_mean_ms: 5000, ..Options::draw(*seed) };
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
