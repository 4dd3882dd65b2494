//! The header of a segment, format version 1.
//!
//! 256 bytes, numbers little-endian: magic (8), version (4), zero (4), member, cluster, sequence,
//! salt, term and index of the entry before the first one, term, vote (0: none) and commit, salt and
//! end of the previous segment (0: there is none), number of snapshot marks, three
//! marks of term and index each, zeros, and the CRC of all that (4).
//!
//! A segment gets its final name only when its header is durable, and its header is written only
//! when the segment before is durable up to its end. So a header that cannot be read is never the
//! trace of a crash.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};

use super::cursor::Cursor;
use super::head::Head;
use super::{HardState, KEPT_MARKS, Owner};
use crate::id::{ClusterId, MemberId};
use crate::raft::LogId;

/// The length of a header, and so the offset of the first batch.
pub(super) const LEN: u64 = 256;
const LEN_USIZE: usize = 256;
const MAGIC: [u8; 8] = *b"QUORWAL\n";
const VERSION: u32 = 1;

/// The CRC of a header, to which the first batch is chained.
pub(super) fn crc(file: &[u8]) -> u32 {
    let crc = file.get(LEN_USIZE - 4..).and_then(|bytes| Cursor::new(bytes).u32());
    crc.expect("a segment has a header")
}

/// The header of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whose log it is.
    pub(super) owner: Owner,
    /// Counts the segments from 0.
    pub(super) sequence: u64,
    /// A number that nobody outside knows, by which batches of this segment are recognised.
    pub(super) salt: u64,
    /// The state that the segment starts from.
    pub(super) head: Head,
    /// The segment before.
    pub(super) previous: Option<Previous>,
}

/// What a segment knows of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Previous {
    /// Its salt.
    pub(super) salt: u64,
    /// Where its last batch ends.
    pub(super) end: u64,
}

/// Why a header was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// The file is shorter than a header.
    Short,
    /// The file does not begin as a segment does.
    Magic,
    /// The file was written by a later release.
    Version(u32),
    /// The CRC does not hold, or what it holds for makes no sense.
    Damaged,
}

impl Header {
    /// The index of the first entry, as the name of the file has it.
    pub(super) const fn first_index(&self) -> u64 {
        self.head.last.index.saturating_add(1)
    }

    /// The bytes of the header.
    pub(super) fn encode(&self) -> Bytes {
        assert!(self.head.marks.len() <= KEPT_MARKS, "the head keeps too many marks");
        let previous = self.previous.map_or((0, 0), |previous| (previous.salt, previous.end));
        let hard_state = self.head.hard_state;
        let mut out = Vec::with_capacity(LEN_USIZE);
        out.put_slice(&MAGIC);
        out.put_u32_le(VERSION);
        out.put_u32_le(0);
        for number in [
            self.owner.member.0,
            self.owner.cluster.0,
            self.sequence,
            self.salt,
            self.head.last.term,
            self.head.last.index,
            hard_state.term,
            hard_state.vote.map_or(0, |vote| vote.0),
            hard_state.commit,
            previous.0,
            previous.1,
            self.head.marks.len() as u64,
        ] {
            out.put_u64_le(number);
        }
        for mark in &self.head.marks {
            out.put_u64_le(mark.term);
            out.put_u64_le(mark.index);
        }
        out.resize(LEN_USIZE - 4, 0);
        let crc = crc32fast::hash(&out);
        out.put_u32_le(crc);
        out.into()
    }

    /// Reads the header of a segment file.
    pub(super) fn decode(file: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(file);
        if cursor.array() != Some(MAGIC) {
            return Err(if file.len() < MAGIC.len() {
                HeaderError::Short
            } else {
                HeaderError::Magic
            });
        }
        // The version comes before the CRC: a later format may keep its CRC elsewhere.
        match cursor.u32() {
            None => return Err(HeaderError::Short),
            Some(VERSION) => {}
            Some(0) => return Err(HeaderError::Damaged),
            Some(version) => return Err(HeaderError::Version(version)),
        }
        let header = file.first_chunk::<LEN_USIZE>().ok_or(HeaderError::Short)?;
        let (content, crc) = header.split_at(LEN_USIZE - 4);
        if crc32fast::hash(content).to_le_bytes() != crc {
            return Err(HeaderError::Damaged);
        }
        Self::fields(Cursor::new(&content[16..])).ok_or(HeaderError::Damaged)
    }

    fn fields(mut cursor: Cursor<'_>) -> Option<Self> {
        let owner = Owner { member: MemberId(cursor.u64()?), cluster: ClusterId(cursor.u64()?) };
        let (sequence, salt) = (cursor.u64()?, cursor.u64()?);
        let last = LogId { term: cursor.u64()?, index: cursor.u64()? };
        let hard_state = HardState {
            term: cursor.u64()?,
            vote: Some(MemberId(cursor.u64()?)).filter(|vote| vote.0 != 0),
            commit: cursor.u64()?,
        };
        let previous = Previous { salt: cursor.u64()?, end: cursor.u64()? };
        let count = usize::try_from(cursor.u64()?).ok().filter(|count| *count <= KEPT_MARKS)?;
        let mut marks = Vec::with_capacity(count);
        for _ in 0..count {
            marks.push(LogId { term: cursor.u64()?, index: cursor.u64()? });
        }
        let previous = Some(previous).filter(|previous| previous.end != 0);
        if previous.is_some() != (sequence > 0) {
            return None;
        }
        Some(Self { owner, sequence, salt, head: Head { hard_state, last, marks }, previous })
    }
}
