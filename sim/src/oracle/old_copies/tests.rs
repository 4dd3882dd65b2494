use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_core::member::boots::{Boot, Boots, Evidence, Known};
use quorate_core::member::identity::Incarnation;
use quorate_core::raft::{EntryKind, LogId};
use quorate_core::view::View;

use super::super::Oracles;
use super::super::double::Double;
use super::*;
use crate::machine::Standing;

const PEER: MemberId = MemberId(2);

/// A member in term 3 with nothing in its log, and what it says of itself at its second start.
fn member() -> (Double, Said) {
    let voters = Some(BTreeSet::from([MemberId(1), PEER]));
    let standing = Standing { term: 3, ..Standing::default() };
    let double = Double { voters, standing, ..Double::default() };
    let boots = Some(Boots::first(&[1; 32]).next(&[2; 32]));
    let incarnation = Some(Incarnation::new(&[1; 32]));
    (double, Said { incarnation, boots, ..Said::default() })
}

/// What another member says that remembers this start of it, and how far it had gone.
fn remembers(own: Said, boot: Boot, acked: Acked) -> Said {
    let past = Evidence { boot, acked };
    let evidence = own.incarnation.map(|incarnation| Known { incarnation, past });
    Said { evidence, ..Said::default() }
}

/// One member whose directory was just replaced, and which runs again.
fn replaced(double: &Double) -> OldCopies {
    let mut copies = OldCopies::new(1);
    copies.replaced(0);
    copies.started(0);
    copies.handled(0, double);
    copies
}

fn says(copies: &mut OldCopies, double: &Double, body: Body) -> Result<(), Violation> {
    copies.sent(0, double, &Message { from: MemberId(1), to: PEER, term: 3, body })
}

fn behind() -> Note {
    Note::Behind { cause: "it was told".into() }
}

#[test]
fn who_says_that_it_is_behind_counts_only_once_it_was_brought_back() {
    let (double, _) = member();
    let mut copies = replaced(&double);
    let vote = || Body::VoteResponse { pre: false, granted: true };
    assert_eq!(says(&mut copies, &double, vote()), Ok(()), "nobody has told it");
    assert!(copies.is_unaware(0));
    assert_eq!(copies.noted(0, &double, &behind()), Ok(()));
    assert!(!copies.is_unaware(0));
    assert!(says(&mut copies, &double, vote()).is_err());
    assert!(says(&mut copies, &double, Body::Appended { index: 7 }).is_err());
    let leads = Note::BecameLeader { term: 3, last: LogId::default() };
    assert!(copies.noted(0, &double, &leads).is_err());
    for body in [Body::Held { index: 7 }, Body::Appended { index: 0 }] {
        assert_eq!(says(&mut copies, &double, body), Ok(()), "that does not count");
    }
    copies.started(0);
    assert!(says(&mut copies, &double, vote()).is_err(), "it has had the time to write that down");
    assert_eq!(copies.noted(0, &double, &Note::BroughtBack), Ok(()));
    assert_eq!(says(&mut copies, &double, vote()), Ok(()));
}

#[test]
fn who_was_told_what_it_lacks_does_not_count() {
    let (double, own) = member();
    let boots = own.boots.expect("it was started");
    let (known, unknown) = (boots.last(), boots.next(&[3; 32]).last());
    let table = [
        (known, Acked { term: 3, index: 0 }, false),
        (known, Acked { term: 3, index: 1 }, true),
        (known, Acked { term: 4, index: 0 }, true),
        (unknown, Acked::default(), true),
    ];
    for (boot, acked, lacks) in table {
        let mut copies = replaced(&double);
        copies.told(0, own, PEER, remembers(own, boot, acked));
        let said = says(&mut copies, &double, Body::Appended { index: 1 });
        assert_eq!(said.is_err(), lacks, "{boot:?} {acked:?}");
    }
}

#[test]
fn what_it_promised_since_is_no_loss() {
    let (double, own) = member();
    let mut copies = replaced(&double);
    assert_eq!(says(&mut copies, &double, Body::Appended { index: 5 }), Ok(()));
    let boot = own.boots.map(|boots| boots.last()).unwrap_or_default();
    let said = remembers(own, boot, Acked { term: 3, index: 5 });
    copies.told(0, own, PEER, said);
    assert_eq!(says(&mut copies, &double, Body::Appended { index: 6 }), Ok(()));
    copies.told(0, own, MemberId(3), said);
    assert!(says(&mut copies, &double, Body::Appended { index: 7 }).is_err(), "not to that one");
}

#[test]
fn nobody_takes_its_own_directory_for_a_copy() {
    let (double, _) = member();
    let mut copies = OldCopies::new(1);
    assert!(copies.noted(0, &double, &behind()).is_err());
}

#[test]
fn what_was_heard_before_it_could_be_written_down_is_forgotten() {
    let (double, _) = member();
    let mut copies = replaced(&double);
    assert_eq!(copies.noted(0, &double, &behind()), Ok(()));
    copies.started(0);
    assert!(copies.is_unaware(0));
}

#[test]
fn what_is_told_of_starts_before_it_was_brought_back_is_no_loss() {
    let (double, own) = member();
    let boots = own.boots.expect("it was started");
    let start = |number| Boot { number, id: 77 };
    let mut copies = replaced(&double);
    copies.told(0, own, PEER, remembers(own, start(5), Acked::default()));
    assert!(says(&mut copies, &double, Body::Appended { index: 1 }).is_err());
    assert_eq!(copies.noted(0, &double, &Note::BroughtBack), Ok(()));
    copies.started(0);
    copies.handled(0, &double);
    let own = Said { boots: Some(boots.with(start(5)).next(&[4; 32])), ..own };
    let earlier = remembers(own, Boot { number: 4, id: 78 }, Acked::default());
    copies.told(0, own, PEER, earlier);
    assert_eq!(says(&mut copies, &double, Body::Appended { index: 1 }), Ok(()));
    copies.told(0, own, PEER, remembers(own, Boot { number: 9, id: 79 }, Acked::default()));
    assert!(says(&mut copies, &double, Body::Appended { index: 1 }).is_err());
    copies.replaced(0);
    copies.started(0);
    copies.handled(0, &double);
    copies.told(0, own, PEER, earlier);
    assert!(says(&mut copies, &double, Body::Appended { index: 1 }).is_err(), "of a copy again");
}

#[test]
fn what_it_was_given_again_is_no_loss() {
    let (mut double, own) = member();
    let boot = own.boots.map(|boots| boots.last()).unwrap_or_default();
    let said = remembers(own, boot, Acked { term: 3, index: 2 });
    for (terms, lacks) in [([3, 3], false), ([2, 2], true), ([3, 4], true)] {
        double.entries.clear();
        let mut copies = replaced(&double);
        terms.iter().for_each(|term| double.push(*term, EntryKind::Normal, bytes::Bytes::new()));
        copies.handled(0, &double);
        copies.told(0, own, PEER, said);
        let verdict = says(&mut copies, &double, Body::Appended { index: 2 });
        assert_eq!(verdict.is_err(), lacks, "its entries are of {terms:?}");
    }
}

#[test]
fn nobody_is_held_to_the_word_of_one_that_it_takes_for_another() {
    let (double, own) = member();
    let unknown = own.boots.map(|boots| boots.next(&[3; 32]).last()).unwrap_or_default();
    let incarnation = |byte| Incarnation::new(&[byte; 32]);
    let told = |known: Option<u8>| {
        let mut oracles = Oracles::new(1);
        oracles.copies = replaced(&double);
        let known = known.map(|byte| {
            (PEER, Known { incarnation: incarnation(byte), past: Evidence::default() })
        });
        let view =
            View { said: own, peers: Arc::new(known.into_iter().collect()), ..View::new([]) };
        let said = remembers(own, unknown, Acked::default());
        let said = Said { incarnation: Some(incarnation(2)), ..said };
        oracles.met(0, Some(&view), PEER, said);
        says(&mut oracles.copies, &double, Body::Appended { index: 1 })
    };
    assert!(told(None).is_err(), "it is met for the first time");
    assert!(told(Some(2)).is_err());
    assert_eq!(told(Some(7)), Ok(()), "that was another directory");
}
