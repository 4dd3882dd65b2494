//! A member that has lost some of its past counts for nothing.
//!
//! Its directory was replaced by an older copy of itself. Once it says that it is behind, or has
//! heard of something that it lacks from one that remembers it, it gives no vote, acknowledges
//! nothing and is not elected, until the leader has brought it back. Nobody else says such a thing of
//! itself.
//!
//! What nobody has told it cannot be asked of it: a copy of the same start, while the leader that
//! remembers more is gone. If it then breaks what it has promised before, other promises may be broken
//! because of that; with the first of them the run is over without a verdict. How many runs end like
//! that is counted.

use std::collections::{BTreeMap, BTreeSet};

use quorate_core::id::MemberId;
use quorate_core::member::boots::Acked;
use quorate_core::member::identity::Said;
use quorate_core::note::Note;
use quorate_core::raft::{Body, LogId, Message};

use super::Violation;
use crate::machine::Machine;

const NAME: &str = "old_copies";

/// What is known of the past of all members.
#[derive(Debug)]
pub(super) struct OldCopies {
    members: Vec<Member>,
}

#[derive(Debug, Default)]
struct Member {
    /// Whether its directory was ever replaced by an older copy.
    replaced: bool,
    /// The highest number of its starts of which it was told.
    told: u64,
    /// If it was brought back since: which of its starts were before that, by their number.
    settled: Option<u64>,
    /// How far its log had come when the process began, or it was brought back.
    began: Option<Acked>,
    /// How far it has gone along with each of the others since.
    since: BTreeMap<MemberId, Acked>,
    /// The end of its log, durable or not.
    last: LogId,
    /// What it lacks, by its own word or that of one that it has heard.
    lacks: Option<String>,
    /// Whether it has said anything since: then that is durable.
    spoke: bool,
}

impl OldCopies {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (0..members).map(|_| Member::default()).collect() }
    }

    /// A member's directory is replaced by an older copy.
    pub(super) fn replaced(&mut self, node: usize) {
        self.members[node] = Member { replaced: true, ..Member::default() };
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.members[node] = Member::default();
    }

    /// A member starts. What it has heard counts on if it had the time to write that down.
    pub(super) fn started(&mut self, node: usize) {
        let Member { replaced, told, settled, lacks, spoke, .. } =
            std::mem::take(&mut self.members[node]);
        let lacks = lacks.filter(|_| spoke);
        let spoke = lacks.is_some();
        self.members[node] = Member { replaced, told, settled, lacks, spoke, ..Member::default() };
    }

    /// Whether a member may have lost something of which it knows nothing.
    pub(super) fn is_unaware(&self, node: usize) -> bool {
        let Member { replaced, settled, lacks, .. } = &self.members[node];
        *replaced && settled.is_none() && lacks.is_none()
    }

    /// A member that says `own` of itself is about to hear what another one says.
    pub(super) fn told(&mut self, node: usize, own: Said, from: MemberId, said: Said) {
        let member = &mut self.members[node];
        let (Some(began), Some(boots)) = (member.began, own.boots) else { return };
        let evidence = said.evidence.filter(|known| own.incarnation == Some(known.incarnation));
        let Some(past) = evidence.map(|known| known.past) else { return };
        let gone = began.max(member.since.get(&from).copied().unwrap_or_default());
        member.told = member.told.max(past.boot.number).max(boots.last().number);
        let is_settled = member.settled.is_some_and(|settled| past.boot.number <= settled);
        if !boots.holds(past.boot) && !is_settled {
            member.lack(format!("its start {} is not known to it", past.boot.number));
        } else if past.acked > gone && !member.has_again(past.acked) {
            member.lack(format!("{:?} is remembered of it, and it has {gone:?}", past.acked));
        }
    }

    /// A member said what happened to it.
    ///
    /// # Errors
    /// If it takes itself for an older copy and is none, or is elected while it lacks something.
    pub(super) fn noted<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        note: &Note,
    ) -> Result<(), Violation> {
        let member = &mut self.members[node];
        match note {
            Note::Behind { cause } if !member.replaced => {
                let detail = format!("takes its directory for an older copy: {cause}");
                return Err(Violation::safety(NAME, node, detail));
            }
            Note::Behind { cause } => member.lack(cause.clone()),
            Note::BroughtBack => {
                let Member { replaced, told, .. } = *member;
                let (began, settled) = (Some(gone(machine)), Some(told));
                *member = Member { replaced, told, settled, began, ..Member::default() };
            }
            Note::BecameLeader { term, .. } => {
                return member.binds(node, machine, || format!("leads in term {term}"));
            }
            _ => {}
        }
        Ok(())
    }

    /// A member has handled an input.
    pub(super) fn handled<M: Machine>(&mut self, node: usize, machine: &M) {
        let member = &mut self.members[node];
        if machine.has_log() {
            member.began.get_or_insert_with(|| gone(machine));
            member.last = machine.last();
        }
    }

    /// A member sent a message.
    ///
    /// # Errors
    /// If it promises something, and lacks some of what it promised before.
    pub(super) fn sent<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        message: &Message,
    ) -> Result<(), Violation> {
        let member = &mut self.members[node];
        member.spoke |= member.lacks.is_some();
        let acked = match &message.body {
            Body::VoteResponse { pre: false, granted: true } => {
                Acked { term: message.term, index: 0 }
            }
            Body::Appended { index } => Acked { term: message.term, index: *index },
            _ => return Ok(()),
        };
        let since = member.since.entry(message.to).or_default();
        *since = acked.max(*since);
        // That a term is over is said as an acknowledgement of nothing.
        if matches!(message.body, Body::Appended { index: 0 }) {
            return Ok(());
        }
        let what = || format!("promises {acked:?} to {}", message.to);
        member.binds(node, machine, what)
    }
}

impl Member {
    /// Whether it has been given what it had acknowledged: it acknowledges that anew before anything
    /// else, once it is durable.
    const fn has_again(&self, acked: Acked) -> bool {
        acked.index > 0 && self.last.term == acked.term && self.last.index >= acked.index
    }

    fn lack(&mut self, what: String) {
        self.lacks.get_or_insert(what);
    }

    /// The member does something that counts.
    fn binds<M: Machine>(
        &self,
        node: usize,
        machine: &M,
        what: impl Fn() -> String,
    ) -> Result<(), Violation> {
        // To one that is alone nothing can come back from others.
        let alone = |voters: &BTreeSet<MemberId>| voters.len() == 1;
        match &self.lacks {
            Some(lacks) if !machine.voters().is_some_and(alone) => {
                let detail = format!("{}, but {lacks}", what());
                Err(Violation::safety(NAME, node, detail))
            }
            _ => Ok(()),
        }
    }
}

fn gone<M: Machine>(machine: &M) -> Acked {
    let term = machine.standing().map_or(0, |standing| standing.term);
    Acked { term, index: machine.last().index }
}

#[cfg(test)]
mod tests;
