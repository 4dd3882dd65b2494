//! Snapshot files: the applied state at one entry, so that the log before it can go.
//!
//! A file is written under a temporary name, made durable, and only then renamed. It counts from
//! the moment when its [`Mark`](crate::wal::Mark) is durable in the log, and not before.
//!
//! Format version 1, numbers little-endian: magic (8), version (4), zero (4), member, cluster, term
//! and index of the last entry, number of voters, number of learners, length of the data (8 each),
//! the voters, the learners (8 each), the data, and the CRC of all that (4).

mod choose;
mod saver;
mod shelf;

#[cfg(test)]
mod tests;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};

use crate::id::{ClusterId, MemberId};
use crate::raft::{ConfState, LogId, Snapshot};
use crate::wal::cursor::Cursor;
use crate::wal::{Owner, name};

pub use choose::{Choice, choose};
pub use saver::{SaveEvent, Saver};
pub use shelf::{Candidate, Shelf, candidates};

/// Where the snapshot files are, relative to the data directory.
pub const DIR: &str = "quorate/snap";

const MAGIC: [u8; 8] = *b"QUORSNP\n";
const VERSION: u32 = 1;
const CRC: usize = 4;

/// Why a snapshot file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapError {
    /// The file does not begin as a snapshot does.
    #[error("the file is not a snapshot")]
    Magic,
    /// The file was written by a later release; it is sound as far as anybody can tell.
    #[error("the snapshot has format version {0}, which this release cannot read")]
    Version(u32),
    /// The CRC does not hold, or the file is not whole.
    #[error("the snapshot is damaged")]
    Damaged,
}

/// The content of a snapshot file.
pub fn encode(owner: Owner, snapshot: &Snapshot) -> Bytes {
    let (head, crc) = frame(owner, snapshot);
    let mut out = Vec::with_capacity(head.len() + snapshot.data.len() + CRC);
    out.put_slice(&head);
    out.put_slice(&snapshot.data);
    out.put_slice(&crc);
    out.into()
}

/// Reads the content of a snapshot file. The data is a part of `file`, not a copy.
///
/// # Errors
/// If the file is damaged or of a later format.
pub fn decode(file: &Bytes) -> Result<(Owner, Snapshot), SnapError> {
    let mut cursor = Cursor::new(file);
    match cursor.array() {
        None => return Err(SnapError::Damaged),
        Some(MAGIC) => {}
        Some(_) => return Err(SnapError::Magic),
    }
    // The version comes before the CRC: a later format may keep its CRC elsewhere.
    match cursor.u32() {
        None | Some(0) => return Err(SnapError::Damaged),
        Some(VERSION) => {}
        Some(version) => return Err(SnapError::Version(version)),
    }
    let (content, crc) = file.split_last_chunk::<CRC>().ok_or(SnapError::Damaged)?;
    if crc32fast::hash(content).to_le_bytes() != *crc {
        return Err(SnapError::Damaged);
    }
    fields(file, content).ok_or(SnapError::Damaged)
}

/// What stands before the data, and behind it.
fn frame(owner: Owner, snapshot: &Snapshot) -> (Bytes, [u8; CRC]) {
    let ConfState { voters, learners } = &snapshot.conf;
    let mut head = Vec::with_capacity(72 + (voters.len() + learners.len()) * 8);
    head.put_slice(&MAGIC);
    head.put_u32_le(VERSION);
    head.put_u32_le(0);
    for number in [
        owner.member.0,
        owner.cluster.0,
        snapshot.last.term,
        snapshot.last.index,
        voters.len() as u64,
        learners.len() as u64,
        snapshot.data.len() as u64,
    ] {
        head.put_u64_le(number);
    }
    for member in voters.iter().chain(learners) {
        head.put_u64_le(member.0);
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head);
    hasher.update(&snapshot.data);
    (head.into(), hasher.finalize().to_le_bytes())
}

fn fields(file: &Bytes, content: &[u8]) -> Option<(Owner, Snapshot)> {
    let mut cursor = Cursor::new(content.get(16..)?);
    let owner = Owner { member: MemberId(cursor.u64()?), cluster: ClusterId(cursor.u64()?) };
    let last = LogId { term: cursor.u64()?, index: cursor.u64()? };
    let (voters, learners, data) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
    let voters = members(&mut cursor, voters)?;
    let learners = members(&mut cursor, learners)?;
    if cursor.rest().len() as u64 != data {
        return None;
    }
    let data = file.slice_ref(cursor.rest());
    Some((owner, Snapshot { last, conf: ConfState { voters, learners }, data }))
}

fn members(cursor: &mut Cursor<'_>, count: u64) -> Option<Vec<MemberId>> {
    let bytes = cursor.take(usize::try_from(count).ok()?.checked_mul(8)?)?;
    let mut numbers = Cursor::new(bytes);
    Some(core::iter::from_fn(|| numbers.u64().map(MemberId)).collect())
}

/// The path of the snapshot that stands for the entries up to `id`.
fn path(id: LogId, extension: &str) -> String {
    format!("{DIR}/{}", name::format(id.term, id.index, extension))
}
