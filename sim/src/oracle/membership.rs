//! One change of the configuration at a time, and nobody counts who is not in it.
//!
//! A leader has at most one change in its log that it has not applied; a second one becomes an
//! empty entry. Whoever wins an election or commits has heard from a majority of the configuration
//! that it has applied, itself included where it is in it (for a commit only with what is durable):
//! votes and acknowledgements of others count for nothing. Each member's configuration is that of the entries it has applied, so that
//! who was removed never comes back. Who says that it was removed, was. A leader makes a voter only
//! of a learner that has caught up with it.

use std::collections::{BTreeMap, BTreeSet};

use quorate_core::id::MemberId;
use quorate_core::member::boots::Boot;
use quorate_core::member::identity::{Incarnation, Said};
use quorate_core::member::json::Context;
use quorate_core::node::Exit;
use quorate_core::raft::{Body, Entry, EntryKind, Message};
use quorate_core::wire::conf_change::ConfChange;

use super::Violation;
use super::configurations::{Configuration, Configurations};
use crate::machine::{Machine, Standing};

const NAME: &str = "membership";

/// How many entries a learner may lack when it is made a voter.
const MAX_BEHIND: u64 = 256;

/// What each member has heard.
#[derive(Debug)]
pub struct Membership {
    members: Vec<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// The member that lives there, once it is known.
    member: Option<MemberId>,
    /// Where it stood when it was looked at last.
    standing: Standing,
    /// The highest term in which it was given votes, and by whom.
    votes: (u64, BTreeSet<MemberId>),
    /// The highest term in which entries were acknowledged to it, how far by whom, and whether that
    /// counts.
    acknowledged: (u64, BTreeMap<Peer, (u64, bool)>),
    /// How far each of them ever came in that term, while it counted.
    came: BTreeMap<MemberId, u64>,
    /// It was handed changes, and may have appended them.
    handed: bool,
    /// The last start of each of them of which it has heard.
    starts: BTreeMap<Peer, Boot>,
}

/// Who speaks: a member, and from which data directory. Another process may speak in its name until it
/// is known which of them is the member.
type Peer = (MemberId, Option<Incarnation>);

impl Membership {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (0..members).map(|_| Heard::default()).collect() }
    }

    /// A member starts: what was said to the process before is forgotten.
    pub(super) fn started(&mut self, node: usize) {
        self.members[node] = Heard { member: self.members[node].member, ..Heard::default() };
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.members[node] = Heard::default();
    }

    /// Who lives on a host.
    pub(super) fn lives(&mut self, node: usize, member: MemberId) {
        self.members[node].member = Some(member);
    }

    /// A message is about to be handled by a member, and what its sender has said of itself.
    pub(super) fn delivered(&mut self, node: usize, message: &Message, said: Said) {
        let heard = &mut self.members[node];
        let (from, term, boots) = (message.from, message.term, said.boots);
        let peer = (from, said.incarnation);
        let last = heard.starts.entry(peer).or_default();
        let earlier = boots.is_some_and(|boots| !boots.holds(*last));
        *last = boots.filter(|_| !earlier).map_or(*last, |boots| boots.last());
        match &message.body {
            Body::VoteResponse { pre: false, granted: true } => {
                if term > heard.votes.0 {
                    heard.votes = (term, BTreeSet::new());
                }
                if term == heard.votes.0 {
                    heard.votes.1.insert(from);
                }
            }
            // What a start has lost says nothing of the next one.
            Body::Held { .. } if earlier => {}
            Body::Appended { index } | Body::Held { index } => {
                let counts = matches!(message.body, Body::Appended { .. });
                if term > heard.acknowledged.0 {
                    heard.acknowledged = (term, BTreeMap::new());
                    heard.came.clear();
                }
                if term == heard.acknowledged.0 {
                    let known = heard.acknowledged.1.entry(peer).or_insert((0, counts));
                    // Who has lost some of its past holds no more than it says; once it counts again
                    // it holds that still.
                    let lost = known.1 && !counts;
                    *known = (if lost { *index } else { known.0.max(*index) }, counts);
                    if counts {
                        let came = heard.came.entry(from).or_default();
                        *came = (*came).max(*index);
                    }
                }
            }
            Body::Propose { entries } => heard.handed |= entries.iter().any(is_change),
            _ => {}
        }
    }

    /// A member has handled an input.
    ///
    /// # Errors
    /// If it leads or commits by the word of too few members of its configuration, or has appended
    /// a second change.
    pub(super) fn handled<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        known: &Configurations,
    ) -> Result<(), Violation> {
        let Some(now) = machine.standing() else { return Ok(()) };
        let heard = &mut self.members[node];
        let before = std::mem::replace(&mut heard.standing, now);
        if std::mem::take(&mut heard.handed) {
            Self::one_change(node, machine)?;
        }
        if !now.leads {
            return Ok(());
        }
        let heard = &self.members[node];
        if !(before.leads && before.term == now.term) {
            let voted = |id: MemberId| {
                heard.member == Some(id) || heard.votes.0 == now.term && heard.votes.1.contains(&id)
            };
            heard.majority(node, &now, known, voted, || format!("leads in term {}", now.term))?;
        }
        let own = machine.entry(now.commit).is_some_and(|entry| entry.term == now.term);
        if now.commit > before.commit && own {
            let (term, acknowledged) = &heard.acknowledged;
            let holds = |id: MemberId| {
                let own = self.members[node].member == Some(id) && now.durable >= now.commit;
                let told = acknowledged
                    .iter()
                    .any(|((from, _), (i, counts))| *from == id && *counts && *i >= now.commit);
                own || *term == now.term && told
            };
            heard.majority(node, &now, known, holds, || format!("commits {}", now.commit))?;
        }
        Ok(())
    }

    /// A member sends entries, or a snapshot.
    ///
    /// # Errors
    /// If the leader sends a change of its own behind one that it has not applied, or makes a voter
    /// of one that has not caught up, or the snapshot comes with another configuration than that of
    /// its last entry.
    pub(super) fn sent<M: Machine>(
        &self,
        node: usize,
        machine: &M,
        message: &Message,
        known: &Configurations,
    ) -> Result<(), Violation> {
        match &message.body {
            Body::Append { entries, .. } if entries.iter().any(is_change) => {
                Self::one_change(node, machine)?;
                let own = entries.iter().filter(|entry| entry.term == message.term);
                own.filter_map(|entry| Some((entry, promoted(entry)?)))
                    .try_for_each(|(entry, learner)| self.caught_up(node, entry, learner))
            }
            Body::Snapshot(snapshot) => {
                let sent = Configuration {
                    voters: snapshot.conf.voters.iter().copied().collect(),
                    learners: snapshot.conf.learners.iter().copied().collect(),
                };
                match known.at(snapshot.last.index) {
                    Some(right) if *right != sent => {
                        let detail = format!("sends {sent:?}, by the log it is {right:?}");
                        Err(Violation::safety(NAME, node, detail).at(snapshot.last.index))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// A member has applied entries, or taken over a snapshot.
    ///
    /// # Errors
    /// If its configuration is another than that of the entries it has applied.
    pub(super) fn applied<M: Machine>(
        node: usize,
        machine: &M,
        known: &Configurations,
    ) -> Result<(), Violation> {
        let Some(now) = machine.standing() else { return Ok(()) };
        same(node, now.applied, machine.voters(), known)
    }

    /// A member ends by itself.
    ///
    /// # Errors
    /// If it says that it was removed, and was not.
    pub(super) fn halted(
        &self,
        node: usize,
        exit: &Exit,
        known: &Configurations,
    ) -> Result<(), Violation> {
        let Exit::Stopped { lines } = exit else { return Ok(()) };
        let member = self.members[node].member;
        if lines.is_empty() || member.is_some_and(|member| known.was_removed(member)) {
            return Ok(());
        }
        let detail = format!("{member:?} ends as one that was removed: {lines:?}");
        Err(Violation::safety(NAME, node, detail))
    }

    /// Looks at whom a leader makes a voter by an entry of its own.
    fn caught_up(&self, node: usize, entry: &Entry, learner: MemberId) -> Result<(), Violation> {
        let heard = &self.members[node];
        let term = heard.acknowledged.0;
        // It may leave late, when its term is over and what was heard in it is forgotten.
        if term > entry.term {
            return Ok(());
        }
        let came = heard.came.get(&learner).copied().filter(|_| term == entry.term).unwrap_or(0);
        if came > 0 && came + MAX_BEHIND + 1 >= entry.index {
            return Ok(());
        }
        let detail = format!("makes a voter of {learner}, which has come to {came}");
        Err(Violation::safety(NAME, node, detail).at(entry.index))
    }

    /// Looks for a change of the leader's own term behind one that is not applied.
    fn one_change<M: Machine>(node: usize, machine: &M) -> Result<(), Violation> {
        let Some(now) = machine.standing().filter(|now| now.leads) else { return Ok(()) };
        let mut pending = None;
        for index in now.applied + 1..=machine.last().index {
            let Some(entry) = machine.entry(index).filter(|entry| is_change(entry)) else {
                continue;
            };
            if let Some(first) = pending
                && entry.term == now.term
            {
                let detail = format!("appended a change while that of index {first} is pending");
                return Err(Violation::safety(NAME, node, detail).at(index));
            }
            pending = pending.or(Some(index));
        }
        Ok(())
    }
}

impl Heard {
    /// Whether a majority of the configuration, as far as it is applied, is `counted`.
    fn majority(
        &self,
        node: usize,
        now: &Standing,
        known: &Configurations,
        counted: impl Fn(MemberId) -> bool,
        what: impl Fn() -> String,
    ) -> Result<(), Violation> {
        let Some(Configuration { voters, .. }) = known.at(now.applied) else { return Ok(()) };
        let speak: Vec<MemberId> = voters.iter().copied().filter(|id| counted(*id)).collect();
        if speak.len() > voters.len() / 2 {
            return Ok(());
        }
        let detail = format!("{} by the word of {speak:?} of {voters:?}", what());
        Err(Violation::safety(NAME, node, detail).at(now.applied))
    }
}

fn is_change(entry: &Entry) -> bool {
    entry.kind == EntryKind::ConfChange
}

/// Whom an entry makes a voter of those that only receive the log.
fn promoted(entry: &Entry) -> Option<MemberId> {
    let change = Some(entry).filter(|entry| is_change(entry))?;
    let change = ConfChange::decode(change.data.clone()).ok()?;
    let context = Context::decode(&change.context).ok()?;
    context.promote.then_some(change.node)
}

fn same(
    node: usize,
    index: u64,
    voters: Option<&BTreeSet<MemberId>>,
    known: &Configurations,
) -> Result<(), Violation> {
    match (voters, known.at(index)) {
        (Some(voters), Some(right)) if *voters != right.voters => {
            let detail = format!("counts {voters:?}, by the log it is {right:?}");
            Err(Violation::safety(NAME, node, detail).at(index))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
