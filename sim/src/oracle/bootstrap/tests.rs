use std::sync::Arc;

use quorate_core::error::Refusal;
use quorate_core::member::{Cluster, Member};
use quorate_core::wire::conf_change::ConfChangeKind;

use super::super::double::Double;
use super::*;

const OURS: ClusterId = ClusterId(7);

const fn id(number: usize) -> MemberId {
    MemberId(number as u64 + 1)
}

/// A member with the first log of a cluster of three.
fn first_log() -> Double {
    let mut member = Double::default();
    for node in 0..3 {
        let (kind, context) = (ConfChangeKind::AddNode, bytes::Bytes::new());
        let change = ConfChange { id: 0, kind, node: id(node), context };
        member.push(1, EntryKind::ConfChange, change.encode());
    }
    member
}

/// Three members have begun; nobody has data.
fn begun() -> Bootstrap {
    let mut bootstrap = Bootstrap::new(3);
    for node in 0..3 {
        bootstrap.started(node);
        assert_eq!(bootstrap.decided(node, (id(node), OURS), false), Ok(()));
    }
    bootstrap
}

/// Node 0 is told by another that it is formed or not; `started` is how it lists node 0.
fn tell(bootstrap: &mut Bootstrap, by: usize, cluster: ClusterId, formed: bool, started: bool) {
    let members = (0..3).map(|node| {
        let here = if node == 0 && started { vec!["http://n0:2379".to_owned()] } else { vec![] };
        let (id, name, peer_urls) = (id(node), String::new(), Vec::new());
        (id, Member { id, name, peer_urls, client_urls: here, learner: false })
    });
    let members = members.collect();
    let view = View {
        member: Some(id(by)),
        cluster_id: Some(cluster),
        formed,
        cluster: Arc::new(Cluster { members, ..Cluster::default() }),
        ..View::new([])
    };
    bootstrap.said(0, CallId(by as u64), &view);
    bootstrap.answered(0, CallId(by as u64), true);
}

fn form(bootstrap: &mut Bootstrap) -> Result<(), Violation> {
    bootstrap.formed(0, &first_log())
}

#[test]
fn forming_without_having_asked_everybody_is_found() {
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, false, false);
    assert!(form(&mut bootstrap).is_err());
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, false, false);
    tell(&mut bootstrap, 2, ClusterId(8), false, false);
    assert!(form(&mut bootstrap).is_err(), "one has another list");
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, false, false);
    tell(&mut bootstrap, 2, OURS, false, false);
    assert_eq!(form(&mut bootstrap), Ok(()));
}

#[test]
fn a_second_cluster_beside_one_with_data_is_found() {
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, false, false);
    tell(&mut bootstrap, 2, OURS, false, false);
    assert_eq!(form(&mut bootstrap), Ok(()));
    // Node 1 begins again while node 0 has data, and does not hear of it.
    bootstrap.started(1);
    assert!(bootstrap.formed(1, &first_log()).is_err());
}

#[test]
fn a_late_starter_is_taken_in_by_all_unless_it_is_refused() {
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, true, false);
    assert!(form(&mut bootstrap).is_err(), "the other may know it");
    for formed in [false, true] {
        let mut bootstrap = begun();
        tell(&mut bootstrap, 1, OURS, true, false);
        tell(&mut bootstrap, 2, OURS, formed, false);
        assert_eq!(form(&mut bootstrap), Ok(()));
    }
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, true, true);
    tell(&mut bootstrap, 2, OURS, true, false);
    assert!(form(&mut bootstrap).is_err(), "it is listed as started");
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, ClusterId(8), true, false);
    assert!(form(&mut bootstrap).is_err(), "it is another cluster");
    tell(&mut bootstrap, 2, OURS, true, false);
    assert!(form(&mut bootstrap).is_err(), "it had been refused before");
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, true, false);
    tell(&mut bootstrap, 2, OURS, true, false);
    tell(&mut bootstrap, 2, OURS, true, true);
    assert_eq!(form(&mut bootstrap), Ok(()), "the refusal came too late");
}

#[test]
fn data_that_is_passed_over_is_found() {
    let mut bootstrap = begun();
    tell(&mut bootstrap, 1, OURS, true, false);
    tell(&mut bootstrap, 2, OURS, true, false);
    assert_eq!(form(&mut bootstrap), Ok(()));
    bootstrap.started(0);
    assert_eq!(bootstrap.decided(0, (id(0), OURS), true), Ok(()));
    bootstrap.started(0);
    assert!(bootstrap.decided(0, (id(0), OURS), false).is_err());
    bootstrap.replaced(0);
    assert_eq!(bootstrap.decided(0, (id(0), OURS), false), Ok(()));
}

#[test]
fn a_refusal_without_cause_or_remedy_is_found() {
    let bootstrap = begun();
    let refused = |refusal| bootstrap.halted(0, &Exit::Refused(refusal));
    assert_eq!(refused(Refusal::new("cause").hint("remedy")), Ok(()));
    assert!(refused(Refusal::new("cause")).is_err());
    assert!(refused(Refusal::new("cause").hint(" ")).is_err());
    assert!(refused(Refusal::new("").hint("remedy")).is_err());
    assert_eq!(bootstrap.halted(0, &Exit::Fault(Refusal::new("cause"))), Ok(()));
    assert_eq!(bootstrap.halted(0, &Exit::Stopped { lines: Vec::new() }), Ok(()));
}

/// Node 0 joins after it has asked when so much was committed, and was answered by `by`, who have
/// applied so much and list it as a learner or not.
fn joins(learner: bool, committed: u64, by: &[(usize, u64)]) -> Result<(), Violation> {
    joins_after(by.len(), learner, committed, by)
}

/// The same; so many of the answers sufficed for it.
fn joins_after(
    answers: usize,
    learner: bool,
    committed: u64,
    by: &[(usize, u64)],
) -> Result<(), Violation> {
    let mut bootstrap = begun();
    let member = |node: usize| Member {
        id: id(node),
        name: String::new(),
        peer_urls: Vec::new(),
        client_urls: Vec::new(),
        learner: learner && node == 0,
    };
    let members: BTreeMap<_, _> = (0..3).map(|node| (id(node), member(node))).collect();
    let cluster = Arc::new(Cluster { members, ..Cluster::default() });
    for (at, (other, applied)) in by.iter().enumerate() {
        if at == answers {
            bootstrap.asks_version(0);
        }
        let call = CallId(*other as u64);
        bootstrap.asks(0, call, committed);
        let (member, cluster_id) = (Some(id(*other)), Some(OURS));
        let (formed, applied, cluster) = (true, *applied, Arc::clone(&cluster));
        let view = View { member, cluster_id, formed, applied, cluster, ..View::new([]) };
        bootstrap.said(0, call, &view);
        bootstrap.answered(0, call, true);
    }
    bootstrap.joined(0)
}

#[test]
fn a_learner_is_taken_in_by_one_that_does_not_lag() {
    assert_eq!(joins(true, 5, &[(1, 4), (2, 5)]), Ok(()));
    let lags = joins(true, 5, &[(1, 4), (2, 4)]).unwrap_err();
    assert!(lags.detail.contains("may lag"), "{lags}");
    let late = joins_after(1, true, 5, &[(1, 4), (2, 5)]).unwrap_err();
    assert!(late.detail.contains("may lag"), "{late}");
    let nobody = joins(true, 5, &[]).unwrap_err();
    assert!(nobody.detail.contains("nobody said"), "{nobody}");
}

#[test]
fn a_voter_is_taken_in_by_all() {
    assert_eq!(joins(false, 5, &[(1, 4), (2, 4)]), Ok(()));
    assert!(joins(false, 5, &[(1, 5)]).is_err());
}
