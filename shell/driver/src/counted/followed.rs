//! What has begun and is to be timed.

use std::collections::BTreeMap;

use quorate_core::disk::Ticket;
use quorate_core::id::MemberId;
use quorate_core::raft::{Body, Message};
use quorate_core::time::Instant;

/// Syncs under way, and heartbeats without an answer. There are as many syncs as the log has batches
/// on their way, and one heartbeat a peer.
#[derive(Default)]
pub(super) struct Followed {
    syncs: BTreeMap<Ticket, Instant>,
    heartbeats: BTreeMap<MemberId, Instant>,
}

impl Followed {
    pub(super) fn began(&mut self, now: Instant, ticket: Ticket) {
        self.syncs.insert(ticket, now);
    }

    /// How long it took, in seconds, if it was a sync.
    pub(super) fn ended(&mut self, now: Instant, ticket: Ticket) -> Option<f64> {
        self.syncs.remove(&ticket).map(|began| now.since(began).as_secs_f64())
    }

    /// The last heartbeat counts: an earlier one whose answer was lost would look like a slow one.
    pub(super) fn sent(&mut self, now: Instant, message: &Message) {
        if matches!(message.body, Body::Heartbeat { .. }) {
            self.heartbeats.insert(message.to, now);
        }
    }

    /// How long a heartbeat and its answer took, in seconds.
    pub(super) fn received(&mut self, now: Instant, message: &Message) -> Option<f64> {
        if !matches!(message.body, Body::HeartbeatResponse { .. }) {
            return None;
        }
        self.heartbeats.remove(&message.from).map(|sent| now.since(sent).as_secs_f64())
    }
}
