//! Model checking: the core's own Raft, explored exhaustively in small scopes.
//!
//! A scope is explored to its end: every state that any order of events can lead to is looked at
//! once, and every invariant must hold in it. `SIM_MODEL="terms=2 proposals=2 crashes=1"` explores
//! a scope of one's own instead; `model/scope.rs` says what it is made of.

#[path = "model/cluster.rs"]
mod cluster;
#[path = "model/dead.rs"]
mod dead;
#[path = "model/disk.rs"]
mod disk;
#[path = "model/fault.rs"]
mod fault;
#[path = "model/invariant.rs"]
mod invariant;
#[path = "model/member.rs"]
mod member;
#[path = "model/scope.rs"]
mod scope;
#[path = "model/slots.rs"]
mod slots;
#[path = "model/table.rs"]
mod table;

use std::time::Instant;

use cluster::Cluster;
use fault::Fault;
use invariant::{
    DURABILITY, ELECTION_SAFETY, LEADER_COMPLETENESS, LOG_MATCHING, NO_PANIC, QUORUM_DURABILITY,
    STATE_MACHINE_SAFETY,
};
use quorate_core::id::MemberId;
use quorate_core::raft::Change;
use scope::Scope;
use stateright::{Checker, Expectation, HasDiscoveries, Model as _};

/// Explores a scope to its end. Every invariant must hold, and everything that makes the scope
/// worth exploring must have happened.
fn explore(name: &str, scope: Scope) {
    if std::env::var_os("SIM_MODEL").is_none() {
        run(name, scope);
    }
}

fn run(name: &str, scope: Scope) {
    let begun = Instant::now();
    let checker = Cluster::new(scope).checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} of one member, {} transitions, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.model().table.members(),
        checker.state_count(),
        checker.max_depth(),
        begun.elapsed().as_secs_f64()
    );
    for property in checker.model().properties() {
        let found = checker.discovery(property.name).is_some();
        match property.expectation {
            Expectation::Sometimes => {
                assert!(found, "{name}: it never happens that {}", property.name);
            }
            _ => assert!(!found, "{name}: {}", story(&checker, property.name)),
        }
    }
}

/// How an invariant was broken.
fn story(checker: &impl Checker<Cluster>, invariant: &'static str) -> String {
    let Some(path) = checker.discovery(invariant) else { return format!("{invariant} holds") };
    let broken = path.last_state().broken.clone().unwrap_or_default();
    let steps = path.into_actions();
    let steps: Vec<String> = steps.into_iter().map(|a| checker.model().describe(a)).collect();
    format!("{invariant}: {}\n  {}", broken.1, steps.join("\n  "))
}

/// Explores a scope with something broken, until the invariant is found broken.
fn must_break(invariant: &'static str, fault: Fault, scope: Scope) {
    let scope = Scope { fault: Some(fault), only: Some(invariant), ..scope };
    let finish = HasDiscoveries::AnyFailures;
    let checker = Cluster::new(scope).checker().finish_when(finish).spawn_bfs().join();
    assert!(checker.discovery(invariant).is_some(), "{fault:?} is not found");
    println!(
        "{fault:?} after {} states: {}",
        checker.unique_state_count(),
        story(&checker, invariant)
    );
}

#[test]
fn a_scope_of_ones_own() {
    let Ok(text) = std::env::var("SIM_MODEL") else { return };
    let mut scope = Scope::three();
    scope.set(&text).expect("SIM_MODEL is a scope");
    run(&text, scope);
}

#[test]
fn two_terms_with_crashes() {
    let scope = Scope { terms: 2, candidates: 2, crashes: true, ..Scope::three() };
    explore("two terms with crashes", scope);
}

#[test]
fn two_terms_with_a_proposal() {
    let scope = Scope { terms: 2, candidates: 2, proposals: 1, ..Scope::three() };
    explore("two terms with a proposal", scope);
}

#[test]
fn one_term_with_crashes_on_a_slow_disk() {
    let scope = Scope { proposals: 1, crashes: true, slow_disk: true, ..Scope::three() };
    explore("one term with crashes on a slow disk", scope);
}

#[test]
fn pre_votes_and_heartbeats() {
    let scope = Scope { pre_vote: true, heartbeats: true, ..Scope::three() };
    explore("pre-votes and heartbeats", scope);
}

#[test]
fn logs_that_differ() {
    let logs = vec![vec![2, 2], vec![2, 3], vec![2]];
    let scope = Scope { logs, terms: 2, candidates: 2, ..Scope::three() };
    explore("logs that differ", scope);
}

/// Two voters, and a third member that may become one.
fn adding() -> Scope {
    let change = Some(Change::AddVoter(MemberId(3)));
    Scope { voters: 2, change, slow_disk: true, ..Scope::three() }
}

#[test]
fn a_member_is_added() {
    let scope = Scope { terms: 2, candidates: 2, ..adding() };
    explore("a member is added in two terms", scope);
    let scope = Scope { crashes: true, ..adding() };
    explore("a member is added while all crash", scope);
}

/// It receives the log, and neither its vote nor its acknowledgement counts.
#[test]
fn a_learner_is_added() {
    let change = Some(Change::AddLearner(MemberId(3)));
    let scope = Scope { change, terms: 2, candidates: 2, proposals: 1, ..adding() };
    explore("a learner is added in two terms", Scope { slow_disk: false, ..scope });
    explore("a learner is added while all crash", Scope { change, crashes: true, ..adding() });
}

#[test]
fn a_member_is_removed() {
    // The one that is likely to lead.
    let change = Some(Change::Remove(MemberId(1)));
    let scope = Scope { change, terms: 2, candidates: 2, ..Scope::three() };
    explore("a member is removed", scope);
}

#[test]
fn messages_before_their_time_are_found() {
    must_break(DURABILITY, Fault::NoGates, Scope { slow_disk: true, ..Scope::three() });
}

#[test]
fn a_forgotten_vote_is_found() {
    must_break(ELECTION_SAFETY, Fault::ForgetsVote, Scope { crashes: true, ..Scope::three() });
}

#[test]
fn a_vote_that_counts_twice_is_found() {
    must_break(ELECTION_SAFETY, Fault::CountsTwice, Scope { slow_disk: true, ..Scope::three() });
}

#[test]
fn an_acknowledgement_that_counts_twice_is_found() {
    must_break(QUORUM_DURABILITY, Fault::CountsTwice, Scope { slow_disk: true, ..Scope::three() });
}

#[test]
fn a_disk_that_lies_is_found() {
    must_break(QUORUM_DURABILITY, Fault::LyingDisk, Scope { slow_disk: true, ..Scope::three() });
}

#[test]
fn a_lost_entry_is_found() {
    let scope = Scope { terms: 2, candidates: 2, crashes: true, ..Scope::three() };
    must_break(LEADER_COMPLETENESS, Fault::LosesTail, scope.clone());
    must_break(STATE_MACHINE_SAFETY, Fault::LosesTail, scope);
}

#[test]
fn a_changed_entry_is_found() {
    must_break(LOG_MATCHING, Fault::ChangesTail, Scope { crashes: true, ..Scope::three() });
}

#[test]
fn a_change_of_two_members_at_once_is_found() {
    let change = Some(Change::Remove(MemberId(3)));
    let scope = Scope { change, terms: 2, candidates: 2, proposals: 1, ..Scope::three() };
    must_break(LEADER_COMPLETENESS, Fault::RemovesTwo, scope);
}

#[test]
fn a_failed_assertion_is_found() {
    let scope = Scope { fault: Some(Fault::Misdelivers), ..Scope::three() };
    let cluster = Cluster::new(scope);
    // On this thread, so that the words of the panic are kept for when they are needed.
    let mut states = cluster.init_states();
    let broken = (0..3).find_map(|_| {
        states = states.iter().flat_map(|state| cluster.next_states(state)).collect();
        states.iter().find_map(|state| state.broken.clone())
    });
    let (invariant, words) = broken.expect("a message is delivered in three steps");
    assert_eq!(invariant, NO_PANIC);
    assert!(words.contains("addressee"), "{words}");
}
