//! The invariants: those of the simulator's oracles that concern Raft, with the same names. The
//! simulator sees one run and has to remember it; here the whole state can be looked at.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;
use quorate_core::raft::quorum::majority;
use quorate_core::raft::{Body, LogId, Message};

use crate::disk::Disk;
use crate::member::Member;
use crate::scope::position;

/// At most one leader is elected in a term.
pub(crate) const ELECTION_SAFETY: &str = "election_safety";
/// Logs that agree on the term at an index are equal up to there.
pub(crate) const LOG_MATCHING: &str = "log_matching";
/// A leader has everything that was committed before its term.
pub(crate) const LEADER_COMPLETENESS: &str = "leader_completeness";
/// All members commit the same entries, and none that no leader has committed.
pub(crate) const STATE_MACHINE_SAFETY: &str = "state_machine_safety";
/// What is committed is durable at a majority of the voters that count.
pub(crate) const QUORUM_DURABILITY: &str = "quorum_durability";
/// What a member says is backed by its disk: the term in which it speaks, its vote, the entries
/// that it acknowledges.
pub(crate) const DURABILITY: &str = "durability";
/// No assertion of the core fails.
pub(crate) const NO_PANIC: &str = "no_panic";

/// A broken invariant and what broke it.
pub(crate) type Broken = (&'static str, String);

/// A message leaves a member with this disk.
pub(crate) fn durability(disk: &Disk, message: &Message) -> Result<(), Broken> {
    let Message { to, term, body, .. } = message;
    let broken = |what: &str| {
        let last = disk.entries.last().map(|entry| entry.id()).unwrap_or_default();
        let detail = format!("{what}, but {:?} and {last:?} are durable: {message:?}", disk.hard);
        Err((DURABILITY, detail))
    };
    // What is said on behalf of a client, and pre-votes and their answers, bind nobody.
    if matches!(
        body,
        Body::Propose { .. } | Body::Vote { pre: true, .. } | Body::VoteResponse { pre: true, .. }
    ) {
        return Ok(());
    }
    if disk.hard.term < *term {
        return broken("speaks in a term");
    }
    // A later term may have taken the place of what was promised; it was then kept at the time.
    if disk.hard.term > *term {
        return Ok(());
    }
    match *body {
        Body::VoteResponse { granted: true, .. } if disk.hard.vote != Some(*to) => broken("votes"),
        Body::Appended { index } if index > disk.entries.len() as u64 => broken("acknowledges"),
        _ => Ok(()),
    }
}

/// Two logs.
pub(crate) fn log_matching(one: &Member, other: &Member) -> Result<(), Broken> {
    let (one, other) = (one.raft.log(), other.raft.log());
    let both = one.last().index.min(other.last().index);
    let agreed = (1..=both).rev().find(|index| one.term_at(*index) == other.term_at(*index));
    for index in 1..=agreed.unwrap_or(0) {
        if one.get(index) != other.get(index) {
            let detail = format!("{:?} and {:?}", one.get(index), other.get(index));
            return Err((LOG_MATCHING, detail));
        }
    }
    Ok(())
}

/// Something was committed while these voters counted.
pub(crate) fn quorum_durability<'a>(
    id: LogId,
    voters: &BTreeSet<MemberId>,
    disk_of: impl Fn(usize) -> &'a Disk,
) -> Result<(), Broken> {
    let holders = voters.iter().filter(|voter| disk_of(position(**voter)).holds(id)).count();
    if holders >= majority(voters.len()) {
        return Ok(());
    }
    let detail = format!("{id:?} is committed, but durable at {holders} of {voters:?}");
    Err((QUORUM_DURABILITY, detail))
}
