use quorate_core::raft::EntryKind;

use super::*;
use crate::oracle::double::Double;

const OWN: MemberId = MemberId(1);

/// A member that follows in term 2, with entries of these terms.
fn member(terms: &[u64]) -> Double {
    let mut member = Double::default();
    terms.iter().for_each(|term| member.push(*term, EntryKind::Normal, ""));
    member.standing.term = 2;
    member
}

/// A member with entries of these terms has acknowledged the last of them in term 2, and nothing is
/// known to be committed.
fn acknowledged(terms: &[u64]) -> Durability {
    let mut promises = Durability::new(1);
    let body = Body::Appended { index: terms.len() as u64 };
    let message = Message { from: OWN, to: MemberId(2), term: 2, body };
    let sent = promises.sent(0, &member(terms), &message, &Ledger::new(1));
    assert_eq!(sent, Ok(()));
    promises
}

#[test]
fn an_acknowledged_entry_is_there_after_a_restart_committed_or_not() {
    for (found, is_sound) in
        [(&[1, 2, 2][..], true), (&[1, 2], true), (&[1], false), (&[1, 1], false)]
    {
        let mut promises = acknowledged(&[1, 2]);
        promises.ended(0, &Ledger::new(1));
        let started = promises.boot_decided(0, OWN, true, &member(found));
        assert_eq!(started.is_ok(), is_sound, "{found:?}: {started:?}");
    }
}

#[test]
fn an_acknowledged_entry_is_let_go_of_by_the_word_of_a_later_leader_only() {
    for (term, is_sound) in [(2, false), (3, true)] {
        let mut promises = acknowledged(&[1, 2]);
        let mut overwritten = member(&[1, term]);
        overwritten.entries.truncate(if is_sound { 2 } else { 1 });
        overwritten.standing.term = term;
        let handled = promises.handled(0, &overwritten);
        assert_eq!(handled.is_ok(), is_sound, "{term}: {handled:?}");
    }
    // Then both may be there after a restart.
    for found in [&[1, 2][..], &[1, 3], &[1]] {
        let mut promises = acknowledged(&[1, 2]);
        let mut overwritten = member(&[1, 3]);
        overwritten.standing.term = 3;
        assert_eq!(promises.handled(0, &overwritten), Ok(()));
        promises.ended(0, &Ledger::new(1));
        assert_eq!(promises.boot_decided(0, OWN, true, &member(found)), Ok(()));
    }
}

#[test]
fn an_older_copy_of_the_directory_may_lack_what_was_acknowledged() {
    let mut promises = acknowledged(&[1, 2]);
    promises.ended(0, &Ledger::new(1));
    promises.replaced(0);
    assert_eq!(promises.boot_decided(0, OWN, true, &member(&[1])), Ok(()));
    assert_eq!(promises.handled(0, &member(&[1])), Ok(()));
}
