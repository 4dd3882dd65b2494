//! What the others have said to one that joins, and whether that suffices.
//!
//! A member that lags may list as never started who has taken part since. So it does not suffice
//! that somebody takes this member in:
//! * As a learner it is taken in by an answer that a quorum has confirmed. No learner is made a voter
//!   before the log says that it has started, so one of which a quorum has not heard that has never
//!   counted.
//! * One that is a voter from the beginning may have counted before the log says so, and a quorum may
//!   be none without it. But whoever has counted it knows its data directory, durably and from
//!   before. So all others have to take it in, as with a member that starts late, each for itself:
//!   one that answers at the URL of another does not speak for that one. One that has no data has
//!   counted nobody: if it waits for the same cluster, that is its word. Nobody waits for others
//!   that are learners by what a quorum has confirmed, as one that was added with a wrong URL may be
//!   for ever.
//! * Where there are members of etcd nobody can confirm anything, and etcd's rule holds: whoever is
//!   asked first is believed.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::answer::{Running, Vouched};
use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::member::Member;
use crate::time::{Duration, Instant};

/// Says for whom it waits at most this often.
const REPORT: Duration = Duration::from_secs(5);

/// The answers of one round, in which all others are asked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Who takes this member in, and as whom it was asked.
    takes_in: BTreeMap<MemberId, String>,
    /// Who is empty, and waits for which cluster.
    empty: BTreeMap<MemberId, ClusterId>,
    /// Whether somebody takes this member in.
    fits: bool,
    /// Whether somebody did so in an earlier round.
    fitted: bool,
    /// What is missing of the others, or of what they said.
    missing: BTreeMap<String, String>,
    /// What is wrong by the answer of one of them.
    mismatch: Option<Refusal>,
    report_due: Instant,
    reported: Vec<(String, String)>,
}

/// What follows once all have answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Ask again.
    Wait,
    /// Do not join.
    Refuse(Refusal),
    /// Nobody gave an answer.
    Nobody(Vec<String>),
}

impl Heard {
    /// All are asked anew.
    pub(super) fn begin_round(&mut self) {
        self.takes_in.clear();
        self.empty.clear();
        self.fitted |= core::mem::take(&mut self.fits);
        self.missing.clear();
        self.mismatch = None;
    }

    /// One gave no answer that helps.
    pub(super) fn failed(&mut self, other: &str, url: &str, cause: &str) {
        self.missing.insert(other.into(), format!("{url}: {cause}"));
    }

    /// One has no data, and waits for its cluster as this member does.
    pub(super) fn has_no_data(&mut self, other: &str, member: MemberId, cluster: ClusterId) {
        self.empty.insert(member, cluster);
        self.missing.insert(other.into(), format!("member {member} has no cluster yet"));
    }

    /// By the answer of one the flags of this member are wrong.
    pub(super) fn differs(&mut self, refusal: Refusal) {
        self.mismatch = Some(refusal);
    }

    /// Who was asked as `other` takes this member in, which it lists as `own`. Says whether that
    /// suffices.
    pub(super) fn suffices(&mut self, other: &str, own: &Member, running: &Running) -> bool {
        self.fits = true;
        match &running.vouched {
            Vouched::Mixed => true,
            Vouched::Quorum if own.learner => true,
            Vouched::Itself(_) if own.learner && planted!(JoinUnconfirmed) => true,
            Vouched::Itself(cause) if own.learner => {
                self.missing
                    .insert(other.into(), format!("no quorum confirms what it says: {cause}"));
                false
            }
            Vouched::Quorum | Vouched::Itself(_) => {
                match self.speaks(other, running.by) {
                    Ok(()) => drop(self.missing.remove(other)),
                    Err(cause) => drop(self.missing.insert(other.into(), cause)),
                }
                let spoke = |id| {
                    self.takes_in.contains_key(&id) || self.empty.get(&id) == Some(&running.cluster)
                };
                running.may_have_counted(own.id).all(spoke)
            }
        }
    }

    /// Counts an answer for the member that gave it, wherever it was asked.
    fn speaks(&mut self, other: &str, by: Option<MemberId>) -> Result<(), String> {
        let by = by.ok_or("who answers there does not say who it is")?;
        let asked_as = self.takes_in.entry(by).or_insert_with(|| other.into());
        if asked_as == other {
            return Ok(());
        }
        Err(format!("member {by} answers there, as it does at the URL of {asked_as}"))
    }

    /// All have answered, and nothing of it sufficed.
    pub(super) fn outcome(&mut self) -> Outcome {
        if self.fits {
            return Outcome::Wait;
        }
        match self.mismatch.take() {
            Some(refusal) => Outcome::Refuse(refusal),
            None if self.fitted => Outcome::Wait,
            None => Outcome::Nobody(self.missing.values().cloned().collect()),
        }
    }

    /// For whom it waits and why, if that is worth saying now.
    pub(super) fn report(&mut self, now: Instant) -> Option<Vec<(String, String)>> {
        let missing: Vec<_> = self.missing.iter().map(|(o, c)| (o.clone(), c.clone())).collect();
        if now < self.report_due || missing == self.reported {
            return None;
        }
        self.report_due = now + REPORT;
        self.reported.clone_from(&missing);
        Some(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u64, learner: bool) -> Member {
        let (name, peer_urls, client_urls) = Default::default();
        Member { id: MemberId(id), name, peer_urls, client_urls, learner }
    }

    fn own(learner: bool) -> Member {
        member(1, learner)
    }

    /// The answer of one member of a cluster of 2, 3 and this one.
    fn said(by: u64, vouched: Vouched) -> Running {
        let members = Vec::from([own(false), member(2, false), member(3, false)]);
        let (by, cluster) = (Some(MemberId(by)), ClusterId(1));
        Running { by, cluster, members, vouched, known: String::new() }
    }

    fn itself(by: u64) -> Running {
        said(by, Vouched::Itself("request timed out".into()))
    }

    #[test]
    fn a_learner_is_taken_in_by_a_quorum() {
        let mut heard = Heard::default();
        for (other, by) in [("a", 2), ("b", 3)] {
            assert!(!heard.suffices(other, &own(true), &itself(by)), "{other} may lag");
        }
        assert_eq!(heard.outcome(), Outcome::Wait);
        let missing = heard.report(Instant::default()).expect("it says for what it waits");
        assert_eq!(missing.len(), 2);
        assert!(missing[0].1.contains("request timed out"), "{missing:?}");
        heard.begin_round();
        assert!(heard.suffices("b", &own(true), &said(3, Vouched::Quorum)));
    }

    #[test]
    fn a_voter_is_taken_in_by_all() {
        let mut heard = Heard::default();
        assert!(!heard.suffices("a", &own(false), &said(2, Vouched::Quorum)));
        heard.failed("b", "http://b:1/members", "connection refused");
        assert_eq!(heard.outcome(), Outcome::Wait);
        let missing = heard.report(Instant::default()).unwrap();
        assert_eq!(missing, [("b".into(), "http://b:1/members: connection refused".into())]);
        heard.begin_round();
        assert!(!heard.suffices("b", &own(false), &itself(3)));
        assert!(!heard.suffices("b", &own(false), &itself(3)), "it was heard already");
        assert!(heard.suffices("a", &own(false), &itself(2)));
    }

    #[test]
    fn nobody_speaks_for_the_member_at_whose_url_it_answers() {
        let mut heard = Heard::default();
        assert!(!heard.suffices("a", &own(false), &itself(2)));
        assert!(!heard.suffices("b", &own(false), &itself(2)), "that was a once more");
        assert_eq!(heard.outcome(), Outcome::Wait);
        let missing = heard.report(Instant::default()).unwrap();
        let cause = "member 2 answers there, as it does at the URL of a";
        assert_eq!(missing, [("b".into(), cause.into())]);
        let nameless = Running { by: None, ..itself(3) };
        assert!(!heard.suffices("b", &own(false), &nameless));
        assert!(heard.suffices("b", &own(false), &itself(3)));
    }

    #[test]
    fn nobody_waits_for_those_who_are_learners_by_what_a_quorum_has_confirmed() {
        let with_learner = |vouched| {
            let mut answer = said(2, vouched);
            answer.members[2].learner = true;
            answer
        };
        let Running { vouched, .. } = itself(2);
        assert!(!Heard::default().suffices("a", &own(false), &with_learner(vouched)));
        assert!(Heard::default().suffices("a", &own(false), &with_learner(Vouched::Quorum)));
    }

    #[test]
    fn one_without_data_has_counted_nobody() {
        for (cluster, suffices) in [(ClusterId(1), true), (ClusterId(2), false)] {
            let mut heard = Heard::default();
            heard.has_no_data("b", MemberId(3), cluster);
            assert_eq!(heard.suffices("a", &own(false), &itself(2)), suffices, "{cluster}");
            assert_eq!(heard.outcome(), Outcome::Wait);
            let missing = heard.report(Instant::default()).unwrap();
            assert_eq!(missing, [("b".into(), "member 3 has no cluster yet".into())]);
            heard.begin_round();
            assert!(!heard.suffices("a", &own(false), &itself(2)), "that was a moment ago");
        }
    }

    #[test]
    fn among_members_of_etcd_the_first_is_believed() {
        for learner in [false, true] {
            let answer = Running { by: None, ..said(2, Vouched::Mixed) };
            assert!(Heard::default().suffices("a", &own(learner), &answer));
        }
    }

    #[test]
    fn who_was_taken_in_once_waits_for_those_who_are_silent_and_not_for_a_refusal() {
        let mut heard = Heard::default();
        heard.failed("a", "url", "connection refused");
        assert_eq!(heard.outcome(), Outcome::Nobody(["url: connection refused".into()].into()));
        heard.begin_round();
        heard.suffices("a", &own(true), &itself(2));
        heard.begin_round();
        heard.failed("a", "url", "connection refused");
        assert_eq!(heard.outcome(), Outcome::Wait);
        heard.begin_round();
        let refusal = Refusal::new("not listed");
        heard.differs(refusal.clone());
        assert_eq!(heard.outcome(), Outcome::Refuse(refusal));
    }

    #[test]
    fn nothing_is_said_twice() {
        let mut heard = Heard::default();
        let now = Instant::default();
        heard.failed("a", "url", "connection refused");
        assert!(heard.report(now).is_some());
        assert!(heard.report(now + REPORT).is_none());
        heard.failed("a", "url", "timed out");
        assert!(heard.report(now + Duration::from_secs(1)).is_none());
        assert!(heard.report(now + REPORT).is_some());
    }
}
