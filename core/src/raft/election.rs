//! Elections: campaigning, voting, counting.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::entry::LogId;
use super::message::{Body, Message};
use super::quorum::{Outcome, outcome};
use super::{Gate, Outgoing, Raft, Role, Standing};
use crate::id::MemberId;
use crate::note::Note;
use crate::time::Instant;

/// An election that this member runs.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Whether it only asks if it would win.
    pub(super) pre: bool,
    /// Whether the leader asked for it.
    pub(super) transfer: bool,
    /// The answers so far, its own among them once its vote is durable.
    pub(super) answers: BTreeMap<MemberId, bool>,
    /// When those that have not answered are asked again.
    pub(super) ask_due: Instant,
}

impl Raft {
    /// Begins an election: asks first whether it would be won, so that a member that was cut off
    /// does not disturb the others when it comes back, if they know what is asked.
    pub fn campaign(&mut self, now: Instant) {
        if self.may_campaign() {
            self.run(now, self.release.has_pre_votes(), false);
        }
    }

    /// Whether this member may become the leader.
    pub(super) fn may_campaign(&self) -> bool {
        self.conf.is_voter(self.settings.id)
            && self.standing != Standing::Behind
            && !self.leads()
            && !self.installing
            && !self.full
            && !self.change_is_due()
    }

    fn run(&mut self, now: Instant, pre: bool, transfer: bool) {
        let mut answers = BTreeMap::new();
        if pre {
            answers.insert(self.settings.id, true);
        } else {
            let again = planted!(CampaignAgain) && self.vote == Some(self.settings.id);
            self.term += u64::from(!again);
            self.vote = Some(self.settings.id);
        }
        self.leader = None;
        self.summoned = false;
        self.reset_election_timer(now);
        let ask_due = now + self.settings.heartbeat_interval;
        self.role = Role::Candidate(Candidate { pre, transfer, answers, ask_due });
        self.notes.push(Note::Campaigned { term: self.term + u64::from(pre), pre });
        self.ask();
        self.count(now);
    }

    /// Asks every voter that has not answered.
    fn ask(&mut self) {
        let Role::Candidate(candidate) = &self.role else { return };
        let body =
            Body::Vote { pre: candidate.pre, last: self.log.last(), transfer: candidate.transfer };
        let term = self.term + u64::from(candidate.pre);
        let from = self.settings.id;
        let silent: Vec<MemberId> = self
            .voters()
            .iter()
            .copied()
            .filter(|id| *id != from && !candidate.answers.contains_key(id))
            .collect();
        self.outbox.extend(silent.into_iter().map(|to| Outgoing {
            message: Message { from, to, term, body: body.clone() },
            gate: Gate::HardState,
        }));
    }

    /// A lost question would cost a whole election timeout.
    pub(super) fn ask_again(&mut self, now: Instant) {
        let interval = self.settings.heartbeat_interval;
        if let Role::Candidate(candidate) = &mut self.role
            && now >= candidate.ask_due
        {
            candidate.ask_due = now + interval;
            self.ask();
        }
    }

    /// Somebody asks for this member's vote.
    pub(super) fn take_vote(
        &mut self,
        now: Instant,
        from: MemberId,
        term: u64,
        pre: bool,
        last: LogId,
    ) {
        // Who asks will ask again.
        if self.standing != Standing::Sound && !planted!(CountBehind) {
            return;
        }
        let free = self.vote == Some(from)
            || self.vote.is_none() && self.leader.is_none()
            || pre && term > self.term;
        let own = self.log.last();
        let complete = (last.term, last.index) >= (own.term, own.index)
            || planted!(CompareTermsOnly) && last.term >= own.term;
        let granted = free && complete;
        if granted && !pre {
            self.vote = Some(from);
            self.reset_election_timer(now);
            self.notes.push(Note::Voted { term, candidate: from });
        }
        let answered = if granted { term } else { self.term };
        let message = Message {
            from: self.settings.id,
            to: from,
            term: answered,
            body: Body::VoteResponse { pre, granted },
        };
        self.outbox.push(Outgoing { message, gate: Gate::HardState });
    }

    /// Somebody has answered.
    pub(super) fn take_answer(&mut self, now: Instant, from: MemberId, pre: bool, granted: bool) {
        if let Role::Candidate(candidate) = &mut self.role
            && (candidate.pre == pre || planted!(CountPreVotes))
        {
            candidate.answers.entry(from).or_insert(granted);
            self.count(now);
        }
    }

    /// This member's own vote is durable.
    pub(super) fn count_own_vote(&mut self, now: Instant) {
        self.take_answer(now, self.settings.id, false, true);
    }

    fn count(&mut self, now: Instant) {
        let Role::Candidate(candidate) = &self.role else { return };
        match (outcome(self.voters(), &candidate.answers), candidate.pre) {
            (Outcome::Won, true) => self.run(now, false, false),
            (Outcome::Won, false) => self.become_leader(now),
            (Outcome::Lost, _) => self.become_follower(now, self.term, None),
            (Outcome::Pending, _) => {}
        }
    }

    /// The leader hands over: no need to ask first, and the voters' lease does not count.
    pub(super) fn take_timeout_now(&mut self, now: Instant) {
        let sound = self.standing == Standing::Sound;
        self.summoned = sound && matches!(self.role, Role::Follower);
        self.follow_summons(now);
    }

    /// Campaigns for the leader that hands over, as soon as that may be: a change that is committed
    /// may have to be applied first, such as the removal of that leader.
    pub(super) fn follow_summons(&mut self, now: Instant) {
        if self.summoned && self.may_campaign() {
            self.run(now, false, true);
        }
    }
}
