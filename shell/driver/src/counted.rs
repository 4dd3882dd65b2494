//! What is counted while a node runs: for `/v2/stats`, and for Prometheus.
//!
//! The loop tells it of notes, messages and disk operations as they go by, the ports of requests and
//! bytes. Nothing here has an effect on the node.

mod followed;
mod metrics;
mod process;
mod store;

use std::sync::{Mutex, PoisonError};

use quorate_core::disk::{Done, Op};
use quorate_core::note::Note;
use quorate_core::raft::Message;
use quorate_core::stats::Stats;
use quorate_core::time::Now;
use quorate_core::view::View;

use crate::platform::Vitals;
use followed::Followed;
pub(crate) use metrics::Metrics;

/// The counts of one node.
pub(crate) struct Counted {
    stats: Mutex<Stats>,
    followed: Mutex<Followed>,
    pub(crate) metrics: Metrics,
}

/// What is looked up when somebody asks for the metrics.
pub(crate) struct Seen<'a> {
    pub(crate) view: &'a View,
    pub(crate) watchers: u64,
    pub(crate) vitals: Option<Vitals>,
}

impl Counted {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            stats: Mutex::new(Stats::new(now)),
            followed: Mutex::default(),
            metrics: Metrics::new(),
        }
    }

    /// The counts for `/v2/stats`.
    pub(crate) fn stats(&self) -> Stats {
        lock(&self.stats).clone()
    }

    /// The text for Prometheus.
    pub(crate) fn text(&self, seen: &Seen<'_>) -> String {
        self.metrics.text(seen, lock(&self.stats).leader_changes)
    }

    pub(crate) fn note(&self, now: Now, note: &Note) {
        lock(&self.stats).note(now, note);
        self.metrics.note(note);
    }

    /// A message is handed to the links.
    pub(crate) fn sent(&self, now: Now, message: &Message) {
        lock(&self.stats).sent(now, message);
        lock(&self.followed).sent(now.mono, message);
    }

    /// A message was lost on its way to its peer.
    pub(crate) fn lost(&self, peer: quorate_core::id::MemberId) {
        lock(&self.stats).lost(peer);
        self.metrics.lost(peer);
    }

    /// A message has come in.
    pub(crate) fn received(&self, now: Now, message: &Message) {
        lock(&self.stats).received(now, message);
        if let Some(seconds) = lock(&self.followed).received(now.mono, message) {
            self.metrics.round_trip(message.from, seconds);
        }
    }

    /// The disk gets an operation.
    pub(crate) fn began(&self, now: Now, op: &Op) {
        let written = lock(&self.followed).began(now.mono, op);
        if written > 0 {
            self.metrics.written(written);
        }
    }

    /// The disk has ended one.
    pub(crate) fn ended(&self, now: Now, done: &Done) {
        if let Some((kind, seconds)) = lock(&self.followed).ended(now.mono, done.ticket) {
            self.metrics.synced(kind, seconds);
        }
    }
}

/// Counts stay counts, whoever has panicked with them in hand.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
