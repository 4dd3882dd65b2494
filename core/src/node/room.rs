//! Disks that are full, and disks that fail.
//!
//! The log reserves its space ahead, so a full disk is noticed before anything is lost: what would
//! not fit is refused or left to be sent again, and leadership goes to a member that has room. A
//! disk that fails is another matter: nothing is known of it any more.

use super::effects::Effects;
use super::output::Exit;
use super::running::Running;
use crate::disk::DiskError;
use crate::error::Refusal;
use crate::note::Note;
use crate::raft::Body;
use crate::time::{Duration, Instant};
use crate::wal;

/// How often a full disk is asked for space again.
const DISK_RETRY: Duration = Duration::from_secs(1);

impl Running {
    /// Entries for which there is no room are left to be sent again.
    pub(super) fn has_room_to_take(&mut self, body: &Body, fx: &mut Effects<'_>) -> bool {
        match body {
            Body::Append { entries, .. } | Body::Propose { entries } if !entries.is_empty() => {
                let bytes = entries.iter().map(|entry| entry.data.len()).sum();
                self.find_room_for(entries.len(), bytes, fx)
            }
            _ => true,
        }
    }

    /// The disk has failed: what it holds is no longer known, so this process ends.
    pub(super) fn fault(&mut self, what: &str, error: &DiskError) {
        let refusal = Refusal::new(alloc::format!("{what}: {}", error.message))
            .hint("what was not durable was not acknowledged; check the disk, then start again");
        self.exit = Some(Exit::Fault(refusal));
    }

    /// The log has more room than before, or found no space for more.
    pub(super) fn watch_room(&mut self, now: Instant, fx: &mut Effects<'_>) {
        let full = self.wal.full().map(|error| error.message.clone());
        match (full, self.disk_retry) {
            (Some(cause), None) => fx.note(Note::DiskFull { cause }),
            (None, Some(_)) => fx.note(Note::DiskRecovered),
            _ => {}
        }
        self.disk_retry = self.wal.full().map(|_| now + retry_pause());
    }

    /// A member whose disk takes no more entries, or has just been too small for some, does not
    /// lead: others may have room.
    pub(super) fn yield_if_full(&mut self, now: Instant) {
        let full = self.wal.full().is_some() && !self.wal.has_room(wal::ENTRY_OVERHEAD);
        self.raft.set_full(now, full);
        let lacks_space = core::mem::take(&mut self.lacks_space);
        if full || lacks_space {
            self.raft.transfer(now);
        }
    }

    /// Whether the log can take entries with so many bytes of data on top of what is about to be
    /// written. If it cannot, it is asked to make room.
    pub(super) fn find_room_for(
        &mut self,
        entries: usize,
        bytes: usize,
        fx: &mut Effects<'_>,
    ) -> bool {
        let (waiting, waiting_bytes) = self.raft.log().unwritten();
        let overhead = wal::ENTRY_OVERHEAD.saturating_mul((entries + waiting) as u64);
        let needed = overhead.saturating_add((bytes + waiting_bytes) as u64);
        self.wal.make_room(needed, fx.script);
        let room = self.wal.has_room(needed);
        self.lacks_space |= !room && self.wal.full().is_some();
        room
    }

    /// Asks a full disk for space once more, if it is time to.
    pub(super) fn retry_disk(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if self.disk_retry.is_some_and(|at| now >= at) {
            self.disk_retry = Some(now + retry_pause());
            self.wal.retry(fx.script);
        }
    }
}

fn retry_pause() -> Duration {
    if planted!(RetryWithoutPause) { Duration::ZERO } else { DISK_RETRY }
}
