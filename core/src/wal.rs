//! The write-ahead log: what a member must find again after any crash.
//!
//! The log is a sequence of segment files. A segment begins with a header that repeats
//! everything that was known when it was started, so that older segments can be removed; behind it
//! follow batches, each of them one `append`: valid as a whole or not at all. Space is reserved
//! ahead, so a full disk is noticed while there still is room to vote.
//!
//! Nothing here touches a disk. [`Wal`] says in [`Op`](crate::disk::Op)s what is to be done and
//! hears of its end in [`Done`](crate::disk::Done)s; [`Replay`] says which files to read and is fed
//! their bytes. Both keep to one rule, from which the difference between a torn tail and corruption
//! follows: every batch carries the offset that was known to be durable when it was written. Damage
//! at or behind the last such mark can come from a crash, and is cut. Damage before it cannot, and
//! is refused.

mod batch;
pub(crate) mod cursor;
mod head;
mod header;
pub(crate) mod name;
mod recovered;
mod replay;
mod segment;
mod spare;
mod writer;

#[cfg(test)]
mod tests;

use crate::disk::{DiskError, Ticket};
use crate::id::{ClusterId, MemberId};
use crate::raft::{Entry, LogId};

pub use batch::ENTRY_OVERHEAD;
pub use recovered::{Recovered, TornTail};
pub use replay::Replay;
pub use writer::Wal;

/// Where the segments are, relative to the data directory.
pub const DIR: &str = "quorate/wal";

/// The smallest segment that can be asked for, in bytes.
pub const MIN_SEGMENT_BYTES: u64 = 16 * 1024;

/// How long a segment is where nobody asks for another length, in bytes.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// How many snapshot marks the log remembers, and so how many snapshot files are kept.
pub const KEPT_MARKS: usize = 3;

/// The number that salts the segments that one process writes, from the platform's entropy.
pub fn salt(entropy: &[u8; 32]) -> u64 {
    let (_, last) = entropy.split_at(24);
    last.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What a member must never forget besides its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HardState {
    /// The current term.
    pub term: u64,
    /// Whom this member voted for in that term, if anybody.
    pub vote: Option<MemberId>,
    /// The highest index known to be committed. It may lag behind the truth.
    pub commit: u64,
}

/// Whose log it is; said at the head of every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The member.
    pub member: MemberId,
    /// Its cluster.
    pub cluster: ClusterId,
}

/// Says that a snapshot file is durable and counts from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// This member saved its own state. The log goes on unchanged.
    Saved(LogId),
    /// The leader's state replaced this member's: the log before is void, and the next entry
    /// follows the snapshot.
    Installed(LogId),
}

impl Mark {
    /// The last entry that the snapshot stands for.
    pub const fn id(self) -> LogId {
        match self {
            Self::Saved(id) | Self::Installed(id) => id,
        }
    }
}

/// What is appended at once. It is recovered as a whole or not at all, in the order mark, entries,
/// hard state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch<'a> {
    /// The new hard state, where it changed. A change of `commit` alone needs no batch: it may ride
    /// with the next one.
    pub hard_state: Option<HardState>,
    /// Consecutive entries. The first follows the last one of the log, or replaces the log from its
    /// index on.
    pub entries: &'a [Entry],
    /// A snapshot whose file is durable.
    pub mark: Option<Mark>,
}

/// What the end of a disk operation meant for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The batch of this ticket is durable, and so are all that were appended before it.
    Durable(Ticket),
    /// The answers of [`Wal::has_room`] and [`Wal::full`] may have changed.
    RoomChanged,
    /// A write or sync failed. What is on disk is no longer known: nothing will be reported durable
    /// again, and the process has to end.
    Fault(DiskError),
    /// The operation was the log's, and there is nothing to tell.
    Progress,
    /// The operation was not the log's.
    Unrelated,
}
