//! The world with the toy in it: the sound one passes, every unsound one is found by the oracle
//! that is there for it.

mod outside;

use super::toy::{self, Toy};
use crate::options::Options;
use crate::oracle::Kind;
use crate::plan::{Fault, Planned, WrongList};
use crate::report::Report;
use crate::runner;
use crate::scenario::Scenario;
use crate::stats::Stats;

/// The toy neither watches nor expires, knows no full disk, no loss of its data and no change of its
/// members, and takes their list from its flags.
fn options(seed: u64) -> Options {
    Options {
        watchers: 0,
        ttl_writers: 0,
        full_mean_ms: 0,
        wrong_list_mean_ms: 0,
        wipe_mean_ms: 0,
        change_mean_ms: 0,
        spares: 0,
        swap_mean_ms: 0,
        old_copy_mean_ms: 0,
        discovery: 0,
        discovery_mean_ms: 0,
        extra: 0,
        srv: 0,
        ..Options::draw(seed)
    }
}

fn run(fault: u8, seed: u64) -> Report {
    toy::FAULT.set(fault);
    runner::run::<Toy>(&Scenario::with(seed, options(seed)), false)
}

#[test]
fn the_sound_toy_passes() {
    let mut stats = Stats::default();
    for seed in 0..100 {
        let report = run(toy::SOUND, seed);
        if let Some((time, violation)) = &report.violation {
            panic!("seed {seed} at {time}: {violation}\n{}", report.scenario.options);
        }
        stats.add(&report.stats);
    }
    println!("{stats}");
    let unused = [
        // The toy has one file, whose name is durable before anything is promised.
        "entries_dropped",
        "no_space",
        "disks_full",
        "watched",
        "cleared",
        "http_failed",
        "torn_tails",
        "undecided",
        "snapshots_saved",
        "snapshots_installed",
        "changes",
        "joined",
        "joins_refused",
        "all_quorate",
        "removed",
        "leaders_removed",
        "removed_apart",
        "grown_to_two",
        "shrunk_to_one",
        "stranded",
        // Its file is not one of those that are damaged, and it asks nobody before it starts.
        "rotten",
        "misreads",
        "damage_refused",
        "wiped",
        "wiped_refused",
        "wrong_lists",
        "lists_refused",
        "restored",
        "behind",
        "brought_back",
        "untold",
        "swapped",
        "exchanged_refused",
        "twins",
        "twins_refused",
        "names_wrong",
        "names_refused",
        "service_troubles",
        "no_place",
    ];
    for (name, value) in stats.values() {
        assert!(value > 0 || unused.contains(&name), "{name} never happened");
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..10 {
        assert_eq!(run(toy::SOUND, seed), run(toy::SOUND, seed));
    }
    assert_ne!(run(toy::SOUND, 1).digest, run(toy::SOUND, 2).digest);
}

#[test]
fn the_log_does_not_change_the_run() {
    let quiet = run(toy::SOUND, 3);
    let mut loud = runner::run::<Toy>(&Scenario::with(3, options(3)), true);
    assert!(loud.recording.len() > 1000);
    loud.recording.clear();
    assert_eq!(quiet, loud);
}

#[test]
fn a_plan_stays_valid_when_it_is_made_smaller() {
    toy::FAULT.set(toy::SOUND);
    for seed in 0..10 {
        let mut scenario = Scenario::with(seed, Options { members: 5, ..options(seed) });
        let mut alternate = false;
        scenario.plan.faults.retain(|_| {
            alternate = !alternate;
            alternate
        });
        scenario.options.members = 3;
        let report = runner::run::<Toy>(&scenario, false);
        assert_eq!(report.violation, None);
        assert_eq!(report.scenario, scenario);
    }
}

/// Runs seeds until one of the oracles fires, and says which did.
fn found(fault: u8, oracles: &[&str]) {
    let mut fired = Vec::new();
    for seed in 0..200 {
        let Some((_, violation)) = run(fault, seed).violation else { continue };
        if oracles.contains(&violation.oracle) {
            return;
        }
        fired.push(violation.to_string());
    }
    panic!("none of {oracles:?} fired; others that did: {fired:#?}");
}

#[test]
fn two_votes_in_a_term_are_found() {
    found(toy::VOTES_TWICE, &["durability"]);
}

#[test]
fn two_leaders_in_a_term_are_found() {
    found(toy::LEADS_WITHOUT_MAJORITY, &["election_safety"]);
}

#[test]
fn a_promise_before_the_sync_is_found() {
    found(toy::SENDS_BEFORE_SYNC, &["durability"]);
}

#[test]
fn a_forgotten_vote_is_found() {
    found(toy::FORGETS_VOTE, &["durability"]);
}

#[test]
fn a_commit_without_a_quorum_is_found() {
    found(toy::COMMITS_ALONE, &["state_machine_safety"]);
    found(toy::COMMITS_ALONE, &["leader_completeness"]);
}

#[test]
fn a_read_without_the_log_is_found() {
    found(toy::READS_LOCALLY, &["linearizability"]);
}

#[test]
fn a_state_machine_of_its_own_is_found() {
    found(toy::APPLIES_DIFFERENTLY, &["state_equality"]);
    found(toy::APPLIES_DIFFERENTLY, &["event_history"]);
}

#[test]
fn a_vote_for_a_short_log_is_found() {
    found(toy::VOTES_FOR_SHORT_LOGS, &["leader_completeness"]);
}

#[test]
fn an_entry_behind_a_gap_is_found() {
    found(toy::IGNORES_GAPS, &["state_machine_safety"]);
}

#[test]
fn an_answer_before_the_commit_is_found() {
    found(toy::ANSWERS_EARLY, &["acknowledged_writes", "index_history"]);
}

#[test]
fn a_read_that_goes_back_after_a_restart_is_found() {
    found(toy::READY_AT_ONCE, &["monotonic_reads"]);
}

#[test]
fn a_cluster_that_does_not_elect_is_found() {
    found(toy::NEVER_CAMPAIGNS_AGAIN, &["liveness"]);
    let fired = (0..30).filter_map(|seed| run(toy::NEVER_CAMPAIGNS_AGAIN, seed).violation);
    assert!(fired.map(|(_, v)| v.kind).all(|kind| kind == Kind::Liveness));
}

#[test]
fn a_failed_sync_that_is_ignored_is_found() {
    found(toy::IGNORES_FAILED_SYNC, &["fault_halts"]);
}

#[test]
fn a_wrong_value_is_found() {
    found(toy::ANSWERS_WRONG_VALUE, &["index_history"]);
}

/// The next write would sync the file, so kills must be soon followed by losses of power.
#[test]
fn a_file_that_was_read_but_never_synced_is_found() {
    let found = (0..200).any(|seed| {
        toy::FAULT.set(toy::TRUSTS_UNSYNCED_FILE);
        let options = Options {
            kill_mean_ms: 500,
            power_mean_ms: 500,
            down_ms: 50,
            disk_sync_us: 20_000,
            members: 3,
            ..options(seed)
        };
        let report = runner::run::<Toy>(&Scenario::with(seed, options), false);
        report.violation.is_some_and(|(_, v)| v.oracle == "durability")
    });
    assert!(found, "the oracle of durability did not fire");
}

/// The toy remembers nothing of others, so nobody can tell a member that it went back.
#[test]
fn a_run_in_which_nobody_can_tell_of_an_older_copy_is_over() {
    toy::FAULT.set(toy::SOUND);
    let mut untold = 0;
    for seed in 0..50 {
        let options = Options { old_copy_mean_ms: 3000, ..options(seed) };
        let report = runner::run::<Toy>(&Scenario::with(seed, options), false);
        assert_eq!(report.violation, None, "seed {seed}");
        untold += report.stats.untold;
    }
    assert!(untold > 0, "no promise was broken");
}

/// Two of three members lose their data just before the end, so that no quorum is left.
fn stranded(fault: u8, seed: u64) -> Report {
    toy::FAULT.set(fault);
    let options = Options { members: 3, wipe_most: 1, safety_ms: 5000, ..options(seed) };
    let mut scenario = Scenario::with(seed, options);
    let at_us = scenario.options.safety_ms * 1000 - 1;
    let wipe = |host| Planned { at_us, fault: Fault::Wipe { host, down_us: 1_000_000 } };
    scenario.plan.faults.extend([wipe(0), wipe(1)]);
    runner::run::<Toy>(&scenario, false)
}

#[test]
fn what_clients_were_told_is_judged_where_no_quorum_is_left() {
    let judged = |fault| {
        let reports = (0..200).map(move |seed| stranded(fault, seed));
        reports.filter(|report| report.stats.stranded > 0)
    };
    let mut sound = judged(toy::SOUND).peekable();
    assert!(sound.peek().is_some(), "none was stranded");
    sound.for_each(|report| assert_eq!(report.violation, None, "{}", report.scenario.seed));
    let found = judged(toy::READS_LOCALLY).filter_map(|report| report.violation);
    assert!(found.map(|(_, v)| v.oracle).any(|oracle| oracle == "linearizability"));
}

/// The toy asks nobody before it forms a cluster.
#[test]
fn a_cluster_that_forms_from_lists_that_differ_is_found() {
    toy::FAULT.set(toy::SOUND);
    let mut scenario = Scenario::with(1, Options { members: 3, ..options(1) });
    let fault =
        Fault::WrongList { host: 2, list: WrongList::Token, down_us: 0, length_us: 60_000_000 };
    scenario.plan.faults = vec![Planned { at_us: 0, fault }];
    let report = runner::run::<Toy>(&scenario, false);
    let (_, violation) = report.violation.expect("a violation");
    assert_eq!(violation.oracle, "forms_together");
}

#[test]
fn an_entry_that_differs_between_followers_is_found() {
    found(toy::RENUMBERS_ENTRIES, &["log_matching"]);
}

#[test]
fn a_proposal_made_twice_is_found() {
    found(toy::PROPOSES_TWICE, &["acknowledged_writes"]);
}

#[test]
fn a_member_that_never_rests_is_found() {
    found(toy::RUNS_WILD, &["progress"]);
}

#[test]
fn a_panic_is_found_and_leaves_what_was_counted() {
    toy::FAULT.set(toy::PANICS);
    let scenario = Scenario::with(1, options(1));
    let [quiet, loud] = [false, true].map(|record| runner::run::<Toy>(&scenario, record));
    let (time, violation) = quiet.violation.as_ref().expect("it panics");
    assert_eq!((violation.oracle, violation.detail.as_str()), ("no_panic", "twenty are too many"));
    assert!(*time > 0 && quiet.stats.simulated_ms == time / 1_000_000, "{time} {}", quiet.stats);
    assert!(quiet.stats.events > 100 && quiet.stats.leaders > 0, "{}", quiet.stats);
    assert_eq!(quiet, Report { recording: Vec::new(), ..loud });
}
