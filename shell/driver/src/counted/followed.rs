//! What has begun and is to be timed.

use std::collections::BTreeMap;

use quorate_core::disk::{FileId, Op, Ticket};
use quorate_core::id::MemberId;
use quorate_core::raft::{Body, Message};
use quorate_core::time::Instant;
use quorate_core::{snap, wal};

/// Syncs under way, and heartbeats without an answer. There are as many syncs as the log has batches
/// on their way, and one heartbeat a peer.
#[derive(Default)]
pub(super) struct Followed {
    files: BTreeMap<FileId, Kind>,
    syncs: BTreeMap<Ticket, (Kind, Instant)>,
    heartbeats: BTreeMap<MemberId, Instant>,
}

/// What an open file belongs to, if it is one whose syncs are timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Log,
    Snapshot,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        let (dir, _) = path.rsplit_once('/')?;
        match dir {
            wal::DIR => Some(Self::Log),
            snap::DIR => Some(Self::Snapshot),
            _ => None,
        }
    }
}

impl Followed {
    /// An operation begins. Gives how many bytes of the log it writes.
    pub(super) fn began(&mut self, now: Instant, op: &Op) -> usize {
        match op {
            Op::Create { file, path } | Op::Open { file, path } => {
                self.files.extend(Kind::of(path).map(|kind| (*file, kind)));
            }
            Op::Close { file } => {
                self.files.remove(file);
            }
            Op::Sync { file, ticket } => {
                let kind = self.files.get(file);
                self.syncs.extend(kind.map(|kind| (*ticket, (*kind, now))));
            }
            Op::Write { file, bytes, .. } if self.files.get(file) == Some(&Kind::Log) => {
                return bytes.len();
            }
            _ => {}
        }
        0
    }

    /// What was synced and how long that took, in seconds, if it was a sync that is timed.
    pub(super) fn ended(&mut self, now: Instant, ticket: Ticket) -> Option<(Kind, f64)> {
        let (kind, began) = self.syncs.remove(&ticket)?;
        Some((kind, now.since(began).as_secs_f64()))
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
