//! The records of one segment of etcd's log, and where they end.
//!
//! A record stands behind a little-endian length of eight bytes. Where the sign bit is set, three
//! bits of the highest byte say how many bytes of padding follow (since 3.0). The record is a
//! protobuf: type, checksum, data. A length of zero is space that was reserved and not used.

use core::ops::Range;

use bytes::Bytes;
use prost::Message as _;

/// `walpb.Record`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Record {
    #[prost(int64, required, tag = "1")]
    pub(super) kind: i64,
    #[prost(uint32, required, tag = "2")]
    pub(super) crc: u32,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(super) data: Option<Bytes>,
}

/// The length field.
const LENGTH: usize = 8;

/// What a disk writes as a whole. A record that was being written when the power failed shows as
/// one whose last sectors are still zero.
const SECTOR: usize = 512;

/// What comes next in a segment.
pub(super) enum Next {
    /// A record, where its bytes stand, and where the next one may.
    Record(Record, Range<usize>, usize),
    /// Nothing: the segment ends here.
    End,
    /// The beginning of a record and no more.
    Torn,
    /// Bytes that are no record.
    Damaged,
}

/// Reads what stands at the offset `at`.
pub(super) fn next(file: &Bytes, at: usize) -> Next {
    let rest = file.get(at..).unwrap_or_default();
    let Some(field) = rest.first_chunk::<LENGTH>().map(|field| u64::from_le_bytes(*field)) else {
        return if rest.iter().all(|byte| *byte == 0) { Next::End } else { Next::Torn };
    };
    if field == 0 {
        return Next::End;
    }
    let (len, padding) = sizes(field);
    let start = at + LENGTH;
    let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len));
    let Some((end, bytes)) = end.and_then(|end| Some((end, file.get(start..end)?))) else {
        return Next::Torn;
    };
    match Record::decode(file.slice_ref(bytes)) {
        Ok(record) => Next::Record(record, start..end, end + padding),
        Err(_) if is_torn(file, start..end) => Next::Torn,
        Err(_) => Next::Damaged,
    }
}

/// Whether a record that cannot be relied on may be one that was never written to its end.
pub(super) fn is_torn(file: &[u8], place: Range<usize>) -> bool {
    let bytes = file.get(place.clone()).unwrap_or_default();
    let to_boundary = (SECTOR - place.start % SECTOR).min(bytes.len());
    let (first, rest) = bytes.split_at(to_boundary);
    let zero = |sector: &[u8]| !sector.is_empty() && sector.iter().all(|byte| *byte == 0);
    zero(first) || rest.chunks(SECTOR).any(zero)
}

/// The length of the record and that of the padding behind it.
fn sizes(field: u64) -> (u64, usize) {
    let len = field & !(0xff << 56);
    let padding = if field >> 63 == 1 { (field >> 56) as usize & 7 } else { 0 };
    (len, padding)
}
