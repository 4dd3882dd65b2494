//! Messages that make no difference any more, however often they arrive.
//!
//! States that differ in nothing but such messages are one state, and are explored once. What the
//! receiver holds in memory may be lost, so most of this is judged by what is durable.

use quorate_core::raft::{Body, Message};

use crate::member::Member;

/// Whether the message will never again change anything, wherever the cluster goes from here.
/// `last_term` is the last term of the scope.
pub(crate) fn is_dead(
    message: &Message,
    sender: &Member,
    receiver: &Member,
    last_term: u64,
) -> bool {
    let term = message.term;
    let binds = !matches!(message.body, Body::Vote { pre: true, .. });
    if term == 0 || receiver.disk.hard.term < term && binds {
        return false;
    }
    let over = receiver.disk.hard.term > term;
    let last = |member: &Member| member.disk.hard.term == last_term;
    match message.body {
        Body::Appended { .. }
        | Body::AppendRejected { .. }
        | Body::HeartbeatResponse { .. }
        | Body::VoteResponse { pre: false, .. } => cannot_count(receiver, term),
        Body::Vote { pre: false, .. } => {
            over || receiver.disk.hard.vote.is_some() && cannot_count(sender, term)
        }
        // It would be told the receiver's term, if that were news to it.
        Body::Append { .. } | Body::Heartbeat { .. } => {
            over && last(receiver) && cannot_count(sender, last_term)
        }
        // Nobody asks for votes in a term beyond the last one.
        Body::Vote { pre: true, .. } => last(sender),
        Body::VoteResponse { pre: true, .. } => over || last(receiver),
        _ => false,
    }
}

/// Whether the member neither leads this term nor stands for election in it, and never will again:
/// that takes a new term.
fn cannot_count(member: &Member, term: u64) -> bool {
    member.disk.hard.term >= term && (member.raft.term() > term || member.is_follower())
}
