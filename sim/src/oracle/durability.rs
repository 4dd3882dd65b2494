//! What a member has promised survives every end of its process.
//!
//! A promise is a message that went out: a vote, the acknowledgement of entries, anything said in
//! a term. It binds the member after every restart: it remembers its term and vote, does not vote
//! twice in a term or speak in an older one, and still has every entry that it acknowledged. Of those
//! that are not committed it may let go, but only by the word of a later leader than the one to whom
//! it acknowledged them.
//!
//! One whose directory was replaced by an older copy has forgotten some of that. Until it was brought
//! back its promises are looked at where it makes new ones: with one that it acknowledged last, and
//! also if that is not known to be committed.

use std::collections::BTreeMap;

use quorate_core::id::MemberId;
use quorate_core::raft::{Body, LogId, Message};

use super::Violation;
use super::ledger::Ledger;
use crate::machine::{Machine, Standing};

const NAME: &str = "durability";

#[derive(Debug, Default)]
struct Promises {
    votes: BTreeMap<u64, Option<MemberId>>,
    /// The highest term in which it spoke.
    term: u64,
    /// The highest term in which it spoke before its last restart. Within one process a message
    /// of an older term may leave late; after a restart it shows that the term was forgotten.
    bound: u64,
    /// Indexes acknowledged, as far as the entries are still in the log and not known to be committed.
    acknowledged: BTreeMap<u64, Acknowledged>,
    /// The last index that was acknowledged and is committed.
    held: u64,
    /// Whether its data was lost: it must never speak again.
    wiped: bool,
    /// Whether `held` was not compared with the log since the restart.
    restarted: bool,
    /// The highest term and index that it acknowledged, and the term of the entry there.
    last: Option<(u64, u64, u64)>,
    /// Whether its data was replaced by an older copy, and it was not brought back since.
    replaced: bool,
}

/// An acknowledged entry.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    /// The term of the entry.
    term: u64,
    /// The term of the leader to whom that was said last.
    to: u64,
}

/// The promises of all members.
#[derive(Debug)]
pub struct Durability {
    members: Vec<Promises>,
}

impl Durability {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (0..members).map(|_| Promises::default()).collect() }
    }

    /// A member became the leader, hence voted for itself.
    ///
    /// # Errors
    /// If it had voted for another, or holds less than it acknowledged before its data was replaced.
    pub fn led<M: Machine>(
        &mut self,
        node: usize,
        term: u64,
        machine: &M,
    ) -> Result<(), Violation> {
        let promises = &self.members[node];
        if promises.replaced && promises.votes.contains_key(&term) {
            let detail = format!("leads in term {term}, in which it voted before");
            return Err(Violation::safety(NAME, node, detail));
        }
        self.vote(node, term, None)?;
        self.holds_last(node, machine)
    }

    /// A leader learned that everything up to `last` is committed, maybe by its own word.
    pub(super) fn committed<M: Machine>(&mut self, node: usize, last: LogId, machine: &M) {
        let counts = |now: &Standing| now.leads && now.durable >= last.index;
        if machine.standing().as_ref().is_some_and(counts) {
            let promises = &mut self.members[node];
            promises.held = promises.held.max(last.index);
            promises.last = promises.last.max(Some((last.term, last.index, last.term)));
        }
    }

    /// The data of a member is replaced by an older copy.
    pub(super) fn replaced(&mut self, node: usize) {
        self.members[node].replaced = true;
    }

    /// The leader has brought a member back: it holds all that was committed by its word, and those
    /// for whom it voted cannot win any more.
    pub(super) fn brought_back(&mut self, node: usize) {
        let Promises { held, wiped, .. } = self.members[node];
        self.members[node] = Promises { held, wiped, restarted: true, ..Promises::default() };
    }

    /// All data of a member is lost.
    pub fn wiped(&mut self, node: usize) {
        self.members[node].wiped = true;
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
    }

    /// The member on a host, and all that was its, is gone.
    pub(super) fn vacated(&mut self, node: usize) {
        self.members[node] = Promises::default();
    }

    /// A member decided how to start.
    ///
    /// # Errors
    /// If it starts as one that has no data, but acknowledged some; or if it does not remember its
    /// term and vote.
    pub fn boot_decided<M: Machine>(
        &mut self,
        node: usize,
        own: MemberId,
        restart: bool,
        machine: &M,
    ) -> Result<(), Violation> {
        let promises = &self.members[node];
        if restart && !promises.wiped && !promises.replaced {
            return self.remembers(node, own, machine);
        }
        // Without data it may ask the others, and is refused.
        if restart || promises.wiped || promises.held == 0 && promises.term == 0 {
            return Ok(());
        }
        let detail = format!("starts anew after it had acknowledged index {}", promises.held);
        Err(Violation::safety(NAME, node, detail).at(promises.held))
    }

    /// A member sent a message.
    ///
    /// # Errors
    /// If the message breaks a promise.
    pub fn sent<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        message: &Message,
        ledger: &Ledger,
    ) -> Result<(), Violation> {
        if self.members[node].wiped {
            let detail = "takes part again after its data was lost".to_owned();
            return Err(Violation::safety(NAME, node, detail));
        }
        if !self.members[node].replaced {
            self.compare(node, machine, ledger)?;
        }
        match &message.body {
            Body::VoteResponse { pre: false, granted: true } => {
                self.holds_last(node, machine)?;
                self.vote(node, message.term, Some(message.to))?;
                self.speak(node, message.term)
            }
            // That a term is over is said with index 0, and binds nobody.
            Body::Appended { index: 0 } if self.members[node].replaced => Ok(()),
            Body::Appended { index } => {
                self.holds_last(node, machine)?;
                // An entry of a later term was not there when the acknowledgement was made.
                if let Some(term) = machine.entry(*index).map(|e| e.term)
                    && term <= message.term
                {
                    let promises = &mut self.members[node];
                    // An acknowledgement that leaves late may be of what is not there any more.
                    if machine.standing().is_some_and(|now| now.term == message.term) {
                        let acknowledged = Acknowledged { term, to: message.term };
                        promises.acknowledged.insert(*index, acknowledged);
                    }
                    promises.last = promises.last.max(Some((message.term, *index, term)));
                }
                self.speak(node, message.term)
            }
            Body::Append { .. } | Body::Snapshot(_) | Body::Heartbeat { .. } => {
                self.speak(node, message.term)
            }
            // A request for votes binds nobody, and neither does what is said on behalf of a
            // client, in answer to a pre-vote or to say no.
            _ => Ok(()),
        }
    }

    /// A member has handled an input.
    ///
    /// # Errors
    /// If an entry is gone that it acknowledged to the leader of its term.
    pub(super) fn handled<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
    ) -> Result<(), Violation> {
        if !machine.has_log() {
            return Ok(());
        }
        let promises = &mut self.members[node];
        while let Some(last) = promises.acknowledged.last_entry() {
            let (index, Acknowledged { term, to }) = (*last.key(), *last.get());
            let Some(now) = machine.standing().filter(|_| !has(machine, index, term)) else {
                break;
            };
            if now.term <= to && !promises.replaced {
                let detail = format!("acknowledged in term {to}, and gone in term {}", now.term);
                return Err(Violation::safety(NAME, node, detail).at(index));
            }
            last.remove();
        }
        Ok(())
    }

    /// A member ends.
    pub fn ended(&mut self, node: usize, ledger: &Ledger) {
        let promises = &mut self.members[node];
        let is_committed = |(index, entry): &(&u64, &Acknowledged)| {
            ledger.get(**index).is_some_and(|known| known.term == entry.term)
        };
        // By log matching, everything before it was acknowledged and is committed too.
        if let Some((index, _)) = promises.acknowledged.iter().rev().find(is_committed) {
            promises.held = promises.held.max(*index);
        }
        promises.acknowledged = promises.acknowledged.split_off(&(promises.held + 1));
        promises.bound = promises.term;
        promises.restarted = true;
    }

    /// Compares what a member remembers after a restart with what it promised before.
    fn remembers<M: Machine>(
        &self,
        node: usize,
        own: MemberId,
        machine: &M,
    ) -> Result<(), Violation> {
        let Some(Standing { term, vote, .. }) = machine.standing() else { return Ok(()) };
        let promises = &self.members[node];
        let promised = promises.votes.get(&term).map(|to| to.unwrap_or(own));
        let voted = promises.votes.keys().next_back().copied().unwrap_or(0);
        let bound = promises.bound.max(voted);
        // Of what it acknowledged last it held everything when it ended: nobody else has spoken since.
        if let Some((index, entry)) = promises.acknowledged.last_key_value()
            && !has(machine, *index, entry.term)
        {
            let own = machine.entry(*index).map(|entry| entry.term);
            let Acknowledged { term, to } = entry;
            let detail =
                format!("starts with {own:?} after it acknowledged one of {term} in term {to}");
            return Err(Violation::safety(NAME, node, detail).at(*index));
        }
        if term >= bound && (promised.is_none() || promised == vote) {
            return Ok(());
        }
        let detail = format!(
            "starts with term {term} and vote {vote:?}, after term {bound} and vote {promised:?}"
        );
        Err(Violation::safety(NAME, node, detail))
    }

    /// Whether one whose data was replaced has what it acknowledged last.
    fn holds_last<M: Machine>(&self, node: usize, machine: &M) -> Result<(), Violation> {
        let Promises { replaced: true, last: Some((_, index, term)), .. } = self.members[node]
        else {
            return Ok(());
        };
        let own = machine.entry(index).map(|entry| entry.term);
        if index <= machine.base().index || own == Some(term) {
            return Ok(());
        }
        let detail = format!("acknowledged in term {term}, and now the log has {own:?} there");
        Err(Violation::safety(NAME, node, detail).at(index))
    }

    fn compare<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        ledger: &Ledger,
    ) -> Result<(), Violation> {
        let promises = &mut self.members[node];
        if !std::mem::take(&mut promises.restarted) || promises.held <= machine.base().index {
            return Ok(());
        }
        let index = promises.held;
        let own = machine.entry(index).map(|e| e.term);
        if own.is_some() && own == ledger.get(index).map(|e| e.term) {
            return Ok(());
        }
        let detail = format!("acknowledged and committed, but the log now has {own:?} there");
        Err(Violation::safety(NAME, node, detail).at(index))
    }

    fn vote(&mut self, node: usize, term: u64, to: Option<MemberId>) -> Result<(), Violation> {
        let known = *self.members[node].votes.entry(term).or_insert(to);
        if known == to {
            return Ok(());
        }
        let detail = format!("votes for {to:?} in term {term} after {known:?} (None is itself)");
        Err(Violation::safety(NAME, node, detail))
    }

    fn speak(&mut self, node: usize, term: u64) -> Result<(), Violation> {
        let promises = &mut self.members[node];
        if term < promises.bound {
            let detail = format!("speaks in term {term} after term {}", promises.bound);
            return Err(Violation::safety(NAME, node, detail));
        }
        promises.term = promises.term.max(term);
        Ok(())
    }
}

/// Whether a log has the entry of this index and term, as far as it has not become a part of a
/// snapshot.
fn has<M: Machine>(machine: &M, index: u64, term: u64) -> bool {
    index <= machine.base().index || machine.entry(index).is_some_and(|entry| entry.term == term)
}

#[cfg(test)]
mod tests;
