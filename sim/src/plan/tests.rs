use super::{Calm, Crash, Fault, Moment, Plan, Planned};
use crate::chance::{Chance, Stream};
use crate::options::Options;

fn draw(seed: u64) -> (Options, Plan) {
    let options = Options::draw(seed);
    let plan = Plan::draw(&options, &mut Chance::new(seed, Stream::Faults));
    (options, plan)
}

#[test]
fn faults_come_by_time_and_only_in_the_safety_phase() {
    for seed in 0..200 {
        let (options, plan) = draw(seed);
        let times: Vec<u64> = plan.faults.iter().map(|planned| planned.at_us).collect();
        assert!(times.is_sorted(), "seed {seed}");
        assert!(times.iter().all(|at| *at < options.safety_ms * 1000), "seed {seed}");
        let hosts = plan.faults.iter().filter_map(|planned| planned.fault.host());
        assert!(hosts.max().unwrap_or(0) < options.hosts(), "seed {seed}");
    }
}

#[test]
fn a_fault_recurs_with_its_mean_and_not_at_all_without_one() {
    let mut options = Options { members: 3, safety_ms: 1_000_000, ..Options::default() };
    let count =
        |options: &Options| Plan::draw(options, &mut Chance::new(1, Stream::Faults)).faults.len();
    assert_eq!(count(&options), 0);
    options.jump_mean_ms = 1000;
    assert!((900..1100).contains(&count(&options)), "{}", count(&options));
}

#[test]
fn a_plan_has_one_plain_line_for_each_fault() {
    let planned = Planned {
        at_us: 5,
        fault: Fault::Crash { host: 2, by: Crash::Power, moment: Moment::NextSync, down_us: 7 },
    };
    let text = serde_json::to_string(&planned).expect("numbers and words");
    let expect =
        r#"{"at_us":5,"kind":"crash","host":2,"by":"power","moment":"next_sync","down_us":7}"#;
    assert_eq!(text, expect);
    for seed in 0..50 {
        let (_, plan) = draw(seed);
        let text = serde_json::to_string(&plan).expect("numbers and words");
        assert_eq!(serde_json::from_str::<Plan>(&text).expect("just written"), plan);
    }
}

#[test]
fn cuts_concern_only_hosts_that_exist() {
    let side = Fault::Partition { side: vec![0, 4], length_us: 1 };
    assert_eq!(side.directions(3), [(0, 1), (0, 2), (1, 0), (2, 0)]);
    let directions = Fault::OneWay { directions: vec![(1, 0), (3, 0)], length_us: 1 };
    assert_eq!(directions.directions(3), [(1, 0)]);
    assert_eq!(Fault::Isolate { host: 5, length_us: 1 }.directions(3), []);
}

#[test]
fn the_healthy_are_a_quorum_whatever_became_of_the_plan() {
    let calm = Calm { order: vec![4, 0, 3, 1, 2], healthy: 3, down: Vec::new() };
    let all = |_| false;
    assert_eq!(calm.quorum(5, all), [0, 3, 4]);
    assert_eq!(calm.quorum(3, all), [0, 1, 2]);
    assert_eq!(calm.quorum(1, all), [0]);
    assert_eq!(calm.quorum(7, all).len(), 4);
    assert_eq!(Calm::default().quorum(3, all), [0, 1]);
    assert_eq!(calm.quorum(5, |host| host == 0), [1, 3, 4]);
}
