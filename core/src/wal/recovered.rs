//! What was found in a log, and the way from there to a log that can be written again.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::head::Head;
use super::writer::{self, Segment};
use super::{DIR, HardState, Owner, Wal};
use crate::disk::{Op, Script};
use crate::error::Refusal;
use crate::raft::{Entry, LogId};

/// Zeros are written in pieces of this length.
const PIECE: u64 = 1 << 20;

/// The end of the log was never known to be durable, and is not whole: it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The name of the segment.
    pub file: String,
    /// Bytes from its start that are kept.
    pub at: u64,
    /// Bytes that are cut.
    pub cut: u64,
}

/// What was found in a log.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Whose log it is.
    pub owner: Owner,
    /// The newest hard state. Its commit index may lag behind snapshots and entries.
    pub hard_state: HardState,
    /// The newest snapshot marks, oldest first: only snapshots named here count.
    pub marks: Vec<LogId>,
    /// The position before the first entry. Its term is 0 where entries of a later term took its
    /// place and what was before them is gone.
    pub base: LogId,
    /// The entries behind `base`, each index once.
    pub entries: Vec<Entry>,
    /// The incomplete end that [`into_wal`](Self::into_wal) will cut.
    pub tail: Option<TornTail>,
    pub(super) position: Position,
}

/// Where the log is to be continued.
#[derive(Clone, Debug)]
pub(super) struct Position {
    pub(super) head: Head,
    pub(super) segments: VecDeque<Segment>,
    pub(super) leftovers: Vec<Arc<str>>,
    pub(super) sequence: u64,
    pub(super) salt: u64,
    /// Where the next batch will stand.
    pub(super) end: u64,
    /// The CRC to which the next batch is to be chained.
    pub(super) chain: u32,
    /// Where the bytes of the torn tail end.
    pub(super) written: u64,
    /// The length of the file.
    pub(super) len: u64,
    /// The batches in front of `end` of which no mark says that they are durable.
    pub(super) unproven: Bytes,
}

impl Recovered {
    /// Takes the entries that follow `snapshot`, `LogId::default()` for the whole log.
    ///
    /// # Errors
    /// If the log begins only behind the position, or disagrees with it.
    pub fn log_after(&mut self, snapshot: LogId) -> Result<Vec<Entry>, Refusal> {
        let LogId { term, index } = snapshot;
        let Some(skip) = index.checked_sub(self.base.index) else {
            return Err(Refusal::new(format!(
                "{DIR}: the log begins behind entry {}, and entry {} of the snapshot is needed",
                self.base.index, index
            ))
            .of_data());
        };
        let known = match skip.checked_sub(1) {
            None => Some(self.base.term).filter(|term| *term > 0 || index == 0),
            Some(at) => {
                usize::try_from(at).ok().and_then(|at| self.entries.get(at)).map(|e| e.term)
            }
        };
        if let Some(known) = known.filter(|known| *known != term) {
            return Err(Refusal::new(format!(
                "{DIR}: entry {index} has term {known} in the log and term {term} in the snapshot"
            ))
            .of_data());
        }
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(self.entries.len());
        let mut entries = core::mem::take(&mut self.entries);
        entries.drain(..skip);
        Ok(entries)
    }

    /// Goes on writing: removes leftovers, clears the torn tail and makes durable what was found.
    /// Batches may be appended at once; they are written when that is done.
    ///
    /// `entropy` is a random number that nobody else knows, new at each start; `segment_bytes` the
    /// length of the segments to come.
    ///
    /// # Panics
    /// If `segment_bytes` is below [`MIN_SEGMENT_BYTES`](super::MIN_SEGMENT_BYTES).
    pub fn into_wal(self, entropy: u64, segment_bytes: u64, script: &mut Script) -> Wal {
        let Position { segments, leftovers, end, written, unproven, .. } = &self.position;
        for path in leftovers {
            script.push(Op::Remove { path: path.clone() });
        }
        let file = script.file();
        let path = segments.back().expect("a log that was found has a segment").path.clone();
        script.push(Op::Open { file, path });
        // What was read may only be in the system's cache, and clean there although its sync
        // failed before the restart. Written again it is sure to reach the disk.
        if !unproven.is_empty() {
            let at = end - unproven.len() as u64;
            script.push(Op::Write { file, at, bytes: unproven.clone() });
        }
        // The tail is overwritten and not truncated: on a full disk its space must not be lost.
        let zeros = Bytes::from(alloc::vec![0; PIECE.min(written - end) as usize]);
        let mut at = *end;
        while at < *written {
            let len = PIECE.min(written - at);
            script.push(Op::Write { file, at, bytes: zeros.slice(..len as usize) });
            at += len;
        }
        let synced = script.ticket();
        script.push(Op::Sync { file, ticket: synced });
        // A name that is seen need not be durable, nor those of the directories above.
        let mut waits = writer::sync_dirs(&[DIR, "quorate", ""], script);
        waits.push(synced);
        Wal::reopened(self.owner, entropy, segment_bytes, self.position, file, waits)
    }
}
