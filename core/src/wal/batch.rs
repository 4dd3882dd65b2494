//! Batches and the records in them, format version 1.
//!
//! A batch begins at a multiple of eight bytes: salt of the segment (8), length of the records (4),
//! number of records (4), durable mark (8), chain (4), CRC (4); then the records, and zeros up to the
//! next multiple of eight. A record is its length (4), the CRC of its content (4), its kind (1),
//! zeros (3), and the content. The CRC of the batch covers where the batch stands, its own header
//! and the headers of its records with their CRCs, so every byte is covered once.
//!
//! The chain is the CRC of the batch before, or of the segment header. It tells a batch that
//! follows from one that merely lies there: the trace of an end that was cut, and came back because
//! the disk had not cleared it as it said.
//!
//! The salt is random and never shown to anybody: no client can make data that looks like a batch.

use alloc::vec::Vec;

use bytes::{BufMut as _, Bytes};

use super::cursor::Cursor;
use super::{Batch, HardState, Mark, header};
use crate::id::MemberId;
use crate::raft::{Entry, EntryKind, LogId};

/// What an entry takes in a batch besides its data, in bytes; enough for the header of the batch
/// and a hard state beside it.
pub const ENTRY_OVERHEAD: u64 = 128;

const ALIGNMENT: usize = 8;
const HEADER: usize = 32;
const RECORD: usize = 12;
const ENTRY: u8 = 1;
const HARD_STATE: u8 = 2;
const SAVED: u8 = 3;
const INSTALLED: u8 = 4;

/// One record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// An entry.
    Entry(Entry),
    /// The hard state from here on.
    HardState(HardState),
    /// A snapshot.
    Mark(Mark),
}

/// A batch that still has to learn where it will stand.
#[derive(Debug)]
pub(super) struct Unsealed(Vec<u8>);

impl Unsealed {
    /// The records of `batch`.
    ///
    /// # Panics
    /// If the batch is longer than 4 GiB.
    pub(super) fn new(batch: &Batch<'_>) -> Self {
        let data: usize = batch.entries.iter().map(|entry| entry.data.len() + 32).sum();
        let mut out = Vec::with_capacity(data + 128);
        out.resize(HEADER, 0);
        let mut count: u32 = 0;
        if let Some(mark) = batch.mark {
            let (kind, id) = match mark {
                Mark::Saved(id) => (SAVED, id),
                Mark::Installed(id) => (INSTALLED, id),
            };
            record(&mut out, kind, |out| numbers(out, &[id.term, id.index]));
            count += 1;
        }
        for entry in batch.entries {
            record(&mut out, ENTRY, |out| {
                numbers(out, &[entry.term, entry.index]);
                out.put_u8(entry_kind(entry.kind));
                out.put_slice(&entry.data);
            });
            count += 1;
        }
        if let Some(HardState { term, vote, commit }) = batch.hard_state {
            let vote = vote.map_or(0, |vote| vote.0);
            record(&mut out, HARD_STATE, |out| numbers(out, &[term, vote, commit]));
            count += 1;
        }
        let body = u32::try_from(out.len() - HEADER).expect("a batch is shorter than 4 GiB");
        out[8..12].copy_from_slice(&body.to_le_bytes());
        out[12..16].copy_from_slice(&count.to_le_bytes());
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        Self(out)
    }

    /// How many bytes the batch takes in a segment.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The bytes of the batch when it stands at the offset `at` of the segment with this salt, and
    /// the segment is known to be durable up to `mark`. `chain` is the CRC of what is before.
    pub(super) fn seal(mut self, salt: u64, at: u64, mark: u64, chain: u32) -> Sealed {
        assert!(header::LEN <= mark && mark <= at, "a batch stands behind what is durable");
        assert!(at.is_multiple_of(ALIGNMENT as u64), "a batch stands at an aligned offset");
        self.0[..8].copy_from_slice(&salt.to_le_bytes());
        self.0[16..24].copy_from_slice(&mark.to_le_bytes());
        self.0[24..28].copy_from_slice(&chain.to_le_bytes());
        let crc = Shape::of(&self.0).map(|shape| shape.crc(at)).expect("an encoded batch is whole");
        self.0[28..32].copy_from_slice(&crc.to_le_bytes());
        Sealed { bytes: self.0.into(), crc }
    }
}

/// A batch as it is written.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) bytes: Bytes,
    /// What the next batch is chained to.
    pub(super) crc: u32,
}

fn entry_kind(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Normal => 0,
        EntryKind::ConfChange => 1,
    }
}

fn numbers(out: &mut Vec<u8>, numbers: &[u64]) {
    for number in numbers {
        out.put_u64_le(*number);
    }
}

fn record(out: &mut Vec<u8>, kind: u8, content: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.resize(start + RECORD, 0);
    content(out);
    let content = &out[start + RECORD..];
    let len = u32::try_from(content.len()).expect("a record is shorter than 4 GiB");
    let crc = crc32fast::hash(content);
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    out[start + 8] = kind;
}

/// Bytes whose lengths fit together as those of a batch do. Nothing is said of CRCs.
struct Shape<'a> {
    header: &'a [u8; HEADER],
    body: &'a [u8],
    mark: u64,
    len: usize,
}

/// The header and content of each record, up to the first that does not fit.
fn parts(body: &[u8]) -> impl Iterator<Item = (&[u8; RECORD], &[u8])> {
    let mut cursor = Cursor::new(body);
    core::iter::from_fn(move || {
        let header = cursor.rest().first_chunk::<RECORD>()?;
        let len = Cursor::new(header).u32().and_then(|len| usize::try_from(len).ok())?;
        cursor.take(RECORD)?;
        Some((header, cursor.take(len)?))
    })
}

impl<'a> Shape<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let mut fields = Cursor::new(&header[8..]);
        let body_len = usize::try_from(fields.u32()?).ok()?;
        let (count, mark) = (fields.u32()?, fields.u64()?);
        let len = HEADER.checked_add(body_len)?.checked_next_multiple_of(ALIGNMENT)?;
        let (body, padding) = bytes.get(HEADER..len)?.split_at_checked(body_len)?;
        let (mut records, mut used) = (0_usize, 0_usize);
        for (header, content) in parts(body) {
            records += 1;
            used += header.len() + content.len();
        }
        let fits = u32::try_from(records) == Ok(count) && used == body_len;
        let padded = padding.iter().all(|byte| *byte == 0);
        (fits && padded).then_some(Self { header, body, mark, len })
    }

    fn crc(&self, at: u64) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&at.to_le_bytes());
        hasher.update(&self.header[..HEADER - 4]);
        for (header, _) in parts(self.body) {
            hasher.update(header);
        }
        hasher.finalize()
    }
}

/// A batch in a segment file, all of whose CRCs hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    body: &'a [u8],
    /// The offset up to which the segment was durable when the batch was written.
    pub(super) mark: u64,
    /// The CRC of what the batch follows.
    pub(super) chain: u32,
    /// Its own CRC.
    pub(super) crc: u32,
    /// Where the next batch may stand.
    pub(super) end: u64,
}

impl<'a> Found<'a> {
    /// The batch at the offset `at` of a segment file, if there is one.
    pub(super) fn at(file: &'a [u8], at: u64, salt: u64) -> Option<Self> {
        let bytes = file.get(usize::try_from(at).ok()?..)?;
        if Cursor::new(bytes).u64() != Some(salt) {
            return None;
        }
        let shape = Shape::of(bytes)?;
        let mut cursor = Cursor::new(&shape.header[HEADER - 8..]);
        let (chain, crc) = (cursor.u32()?, cursor.u32()?);
        let intact = (header::LEN..=at).contains(&shape.mark)
            && shape.crc(at) == crc
            && parts(shape.body).all(|(header, content)| {
                Cursor::new(&header[4..]).u32() == Some(crc32fast::hash(content))
                    || planted!(AcceptTornRecord)
            });
        let end = at.checked_add(shape.len as u64)?;
        intact.then_some(Self { body: shape.body, mark: shape.mark, chain, crc, end })
    }

    /// The records; `None` in place of one that this release cannot read.
    pub(super) fn records(&self) -> impl Iterator<Item = Option<Record>> + use<'a> {
        parts(self.body).map(|(header, content)| decode(header[8], Cursor::new(content)))
    }
}

fn decode(kind: u8, mut cursor: Cursor<'_>) -> Option<Record> {
    if kind == ENTRY {
        let (term, index) = (cursor.u64()?, cursor.u64()?);
        let [kind] = cursor.array()?;
        let kind = match kind {
            0 => EntryKind::Normal,
            1 => EntryKind::ConfChange,
            _ => return None,
        };
        let data = Bytes::copy_from_slice(cursor.rest());
        return Some(Record::Entry(Entry { term, index, kind, data }));
    }
    let record = match kind {
        HARD_STATE => Record::HardState(HardState {
            term: cursor.u64()?,
            vote: Some(MemberId(cursor.u64()?)).filter(|vote| vote.0 != 0),
            commit: cursor.u64()?,
        }),
        SAVED => Record::Mark(Mark::Saved(log_id(&mut cursor)?)),
        INSTALLED => Record::Mark(Mark::Installed(log_id(&mut cursor)?)),
        _ => return None,
    };
    cursor.rest().is_empty().then_some(record)
}

fn log_id(cursor: &mut Cursor<'_>) -> Option<LogId> {
    Some(LogId { term: cursor.u64()?, index: cursor.u64()? })
}
