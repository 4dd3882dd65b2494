use quorate_core::error::Refusal;
use quorate_core::member::Member;
use quorate_core::member::boots::Boots;
use quorate_core::raft::LogId;
use quorate_core::wire::conf_change::ConfChangeKind;

use super::super::double::Double;
use super::*;

const fn id(number: u64) -> MemberId {
    MemberId(number)
}

fn change(kind: ConfChangeKind, node: u64) -> bytes::Bytes {
    ConfChange { id: 1, kind, node: id(node), context: bytes::Bytes::new() }.encode()
}

/// Members 1 to 4 are in the configuration; the one on node 0 is 1 and has applied that.
fn cluster() -> (Membership, Configurations, Double) {
    let (mut membership, mut known, mut member) =
        (Membership::new(1), Configurations::default(), Double::default());
    membership.lives(0, id(1));
    for node in 1..=4 {
        member.push(1, EntryKind::ConfChange, change(ConfChangeKind::AddNode, node));
    }
    member.entries.iter().for_each(|entry| known.committed(entry));
    member.standing =
        Standing { term: 2, vote: None, leads: false, durable: 4, commit: 4, applied: 4 };
    assert_eq!(membership.handled(0, &member, &known), Ok(()));
    (membership, known, member)
}

fn hear(membership: &mut Membership, from: u64, term: u64, body: Body) {
    membership.delivered(0, &Message { from: id(from), to: id(1), term, body }, Said::default());
}

fn vote(membership: &mut Membership, from: u64, term: u64) {
    hear(membership, from, term, Body::VoteResponse { pre: false, granted: true });
}

/// The same, and member 1 leads in term 2 with an entry of its own at index 5.
fn led() -> (Membership, Configurations, Double) {
    let (mut membership, known, mut member) = cluster();
    vote(&mut membership, 2, 2);
    vote(&mut membership, 3, 2);
    member.standing.leads = true;
    assert_eq!(membership.handled(0, &member, &known), Ok(()));
    member.push(2, EntryKind::Normal, bytes::Bytes::new());
    // Whatever it appends is durable at once.
    member.standing.durable = u64::MAX;
    (membership, known, member)
}

#[test]
fn an_election_won_without_a_majority_is_found() {
    let lead = |votes: &[(u64, u64)]| {
        let (mut membership, known, mut member) = cluster();
        votes.iter().for_each(|(from, term)| vote(&mut membership, *from, *term));
        member.standing.leads = true;
        membership.handled(0, &member, &known)
    };
    assert_eq!(lead(&[(2, 2), (4, 2)]), Ok(()));
    assert!(lead(&[(2, 2)]).is_err(), "two of four");
    assert!(lead(&[(2, 2), (2, 2)]).is_err(), "one of them twice");
    assert!(lead(&[(2, 2), (7, 2)]).is_err(), "one of them is not in the configuration");
    assert!(lead(&[(2, 2), (3, 1)]).is_err(), "one of another term");
}

#[test]
fn a_commit_without_a_majority_is_found() {
    let commit = |acknowledged: &[(u64, u64)]| {
        let (mut membership, known, mut member) = led();
        for (from, index) in acknowledged {
            hear(&mut membership, *from, 2, Body::Appended { index: *index });
        }
        member.standing.commit = 5;
        membership.handled(0, &member, &known)
    };
    assert_eq!(commit(&[(2, 5), (3, 9)]), Ok(()));
    assert!(commit(&[(2, 5)]).is_err());
    assert!(commit(&[(2, 5), (3, 4)]).is_err(), "one of them lacks the entry");
    assert!(commit(&[(2, 5), (9, 5)]).is_err(), "one of them is not in the configuration");
}

#[test]
fn what_is_not_durable_does_not_count() {
    let (mut membership, known, mut member) = led();
    for from in [2, 3] {
        hear(&mut membership, from, 2, Body::Appended { index: 5 });
    }
    (member.standing.commit, member.standing.durable) = (5, 4);
    assert!(membership.handled(0, &member, &known).is_err(), "two of four");
}

#[test]
fn a_removal_counts_once_it_is_applied_and_not_before() {
    let (mut membership, mut known, mut member) = led();
    member.push(2, EntryKind::ConfChange, change(ConfChangeKind::RemoveNode, 4));
    hear(&mut membership, 2, 2, Body::Appended { index: 6 });
    member.standing.commit = 6;
    assert!(membership.handled(0, &member, &known).is_err(), "two of four");
    member.entries[4..].iter().for_each(|entry| known.committed(entry));
    member.standing.applied = 6;
    member.push(2, EntryKind::Normal, &b"x"[..]);
    hear(&mut membership, 2, 2, Body::Appended { index: 7 });
    member.standing.commit = 7;
    assert_eq!(membership.handled(0, &member, &known), Ok(()), "two of three");
}

#[test]
fn a_configuration_that_is_not_that_of_the_log_is_found() {
    let (_, mut known, mut member) = led();
    member.voters = Some((1..=4).map(id).collect());
    assert_eq!(Membership::applied(0, &member, &known), Ok(()));
    member.push(2, EntryKind::ConfChange, change(ConfChangeKind::RemoveNode, 4));
    member.entries[4..].iter().for_each(|entry| known.committed(entry));
    member.standing.applied = 6;
    assert!(Membership::applied(0, &member, &known).is_err(), "the removed one is still there");
    // It stays removed, whatever comes.
    let entry = Entry { index: 7, ..member.entries[3].clone() };
    known.committed(&entry);
    assert!(known.at(7).is_some_and(|now| !now.voters.contains(&id(4))));
}

#[test]
fn a_second_change_while_one_is_pending_is_found() {
    let (mut membership, known, mut member) = led();
    let entry = |member: &Double| member.entries.last().cloned().expect("just pushed");
    let hand = |membership: &mut Membership, entry: Entry| {
        hear(membership, 2, 0, Body::Propose { entries: vec![entry] });
    };
    member.push(2, EntryKind::ConfChange, change(ConfChangeKind::RemoveNode, 4));
    hand(&mut membership, entry(&member));
    assert_eq!(membership.handled(0, &member, &known), Ok(()));
    member.push(2, EntryKind::ConfChange, change(ConfChangeKind::RemoveNode, 3));
    hand(&mut membership, entry(&member));
    assert!(membership.handled(0, &member, &known).is_err());
    let append = Body::Append {
        prev: LogId { term: 2, index: 6 },
        entries: vec![entry(&member)],
        commit: 4,
    };
    let message = Message { from: id(1), to: id(2), term: 2, body: append };
    assert!(membership.sent(0, &member, &message, &known).is_err());
    member.standing.applied = 6;
    assert_eq!(membership.sent(0, &member, &message, &known), Ok(()), "the first is applied");
}

#[test]
fn who_says_that_it_was_removed_and_was_not_is_found() {
    let (membership, mut known, mut member) = led();
    let removed = Exit::Stopped { lines: vec!["removed"] };
    assert!(membership.halted(0, &removed, &known).is_err());
    assert_eq!(membership.halted(0, &Exit::Stopped { lines: Vec::new() }, &known), Ok(()));
    assert_eq!(membership.halted(0, &Exit::Fault(Refusal::new("x")), &known), Ok(()));
    member.push(2, EntryKind::ConfChange, change(ConfChangeKind::RemoveNode, 1));
    member.entries[4..].iter().for_each(|entry| known.committed(entry));
    assert_eq!(membership.halted(0, &removed, &known), Ok(()));
}

#[test]
fn what_an_earlier_start_has_lost_is_void() {
    let first = Boots::first(&[1; 32]);
    let second = first.next(&[2; 32]);
    let commits = |late: Boots| {
        let (mut membership, known, mut leader) = led();
        let mut says = |body, boots| {
            let message = Message { from: id(2), to: id(1), term: 2, body };
            membership.delivered(0, &message, Said { boots: Some(boots), ..Said::default() });
        };
        says(Body::Appended { index: 5 }, second);
        says(Body::Held { index: 4 }, late);
        hear(&mut membership, 3, 2, Body::Appended { index: 5 });
        leader.standing.durable = 5;
        leader.standing.commit = 5;
        membership.handled(0, &leader, &known)
    };
    assert_eq!(commits(first), Ok(()));
    assert!(commits(second).is_err(), "it does not count any more");
}

#[test]
fn a_voter_that_has_not_caught_up_is_found() {
    let promotes = |came: Option<(u64, u64)>, behind: u64| {
        let (mut membership, known, mut leader) = led();
        let peer_urls = Vec::new();
        let (name, client_urls) = (String::new(), Vec::new());
        let member = Member { id: id(9), name, peer_urls, client_urls, learner: false };
        let context = Context { member, promote: true }.encode().into();
        let change =
            ConfChange { id: 1, kind: ConfChangeKind::AddNode, node: id(9), context }.encode();
        for _ in 0..behind {
            leader.push(2, EntryKind::Normal, bytes::Bytes::new());
        }
        leader.push(2, EntryKind::ConfChange, change);
        if let Some((term, index)) = came {
            hear(&mut membership, 9, term, Body::Appended { index });
        }
        let entries = leader.entries.last().cloned().into_iter().collect();
        let body = Body::Append { prev: LogId { term: 2, index: 5 + behind }, entries, commit: 4 };
        let message = Message { from: id(1), to: id(2), term: 2, body };
        membership.sent(0, &leader, &message, &known)
    };
    assert_eq!(promotes(Some((2, 5)), 0), Ok(()));
    assert_eq!(promotes(Some((2, 5)), MAX_BEHIND), Ok(()));
    assert!(promotes(Some((2, 5)), MAX_BEHIND + 1).is_err(), "it is far behind");
    assert!(promotes(Some((1, 5)), 0).is_err(), "that was another leader");
    assert_eq!(promotes(Some((3, 0)), 0), Ok(()), "it was made in time, and leaves late");
    assert!(promotes(None, 0).is_err(), "it was never heard of");
}

#[test]
fn what_another_process_says_in_its_name_is_not_the_past_of_a_member() {
    let (mut membership, known, mut leader) = led();
    let incarnation = |byte| Some(Incarnation::new(&[byte; 32]));
    let mut says = |byte, index| {
        let boots = Some(Boots::first(&[byte; 32]));
        let said = Said { incarnation: incarnation(byte), boots, ..Said::default() };
        let body = Body::Held { index };
        let message = Message { from: id(2), to: id(1), term: 2, body };
        membership.delivered(0, &message, said);
    };
    says(9, 3);
    says(1, 5);
    let said = Said { incarnation: incarnation(1), ..Said::default() };
    let body = Body::Appended { index: 4 };
    membership.delivered(0, &Message { from: id(2), to: id(1), term: 2, body }, said);
    hear(&mut membership, 3, 2, Body::Appended { index: 5 });
    leader.standing.commit = 5;
    assert_eq!(membership.handled(0, &leader, &known), Ok(()), "it holds 5 and counts again");
}
