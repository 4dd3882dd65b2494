//! Reading a request in the form in which it is always written.
//!
//! Every member reads every request of the log when it applies it, and all of them again at a start,
//! so this is as hot as anything is. A protobuf may be written in many ways, and a library has to be
//! ready for all of them; but etcd and this program write all fields of a request, in ascending
//! order. What is written in another way is left to the library.

use alloc::string::String;
use core::ops::Range;

use bytes::Bytes;

use super::{Method, Request};

/// The types of fields that a request has, as they stand in the lowest bits of a field's key.
const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// The request, if it is bare and written as it always is.
pub(super) fn read(data: &Bytes) -> Option<Request> {
    let mut fields = Fields { data, at: 0 };
    let id = fields.number(1)?;
    let method = Method::from_word(&data[fields.bytes(2)?]);
    let path = core::str::from_utf8(&data[fields.bytes(3)?]).ok()?;
    if matches!(method, Method::Unknown(_)) {
        return None;
    }
    let request = Request {
        id,
        method,
        path: String::from(path),
        value: data.slice(fields.bytes(4)?),
        dir: fields.flag(5)?,
        prev_value: data.slice(fields.bytes(6)?),
        prev_index: fields.number(7)?,
        prev_exist: fields.optional_flag(8)?,
        expiration: fields.number(9)?.cast_signed(),
        wait: fields.flag(10)?,
        since: fields.number(11)?,
        recursive: fields.flag(12)?,
        sorted: fields.flag(13)?,
        quorum: fields.flag(14)?,
        time: fields.number(15)?.cast_signed(),
        stream: fields.flag(16)?,
        refresh: fields.optional_flag(17)?,
    };
    (fields.at == data.len()).then_some(request)
}

/// The fields that were not read yet. Whatever does not stand where it is asked for is nothing.
struct Fields<'a> {
    data: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn number(&mut self, field: u64) -> Option<u64> {
        self.key(field, VARINT)?;
        self.varint()
    }

    fn flag(&mut self, field: u64) -> Option<bool> {
        self.number(field).map(|number| number != 0)
    }

    /// A flag that need not be there.
    fn optional_flag(&mut self, field: u64) -> Option<Option<bool>> {
        let start = self.at;
        if self.key(field, VARINT).is_none() {
            self.at = start;
            return Some(None);
        }
        self.varint().map(|number| Some(number != 0))
    }

    fn bytes(&mut self, field: u64) -> Option<Range<usize>> {
        self.key(field, BYTES)?;
        let len = usize::try_from(self.varint()?).ok()?;
        let range = self.at..self.at.checked_add(len)?;
        self.at = range.end;
        (range.end <= self.data.len()).then_some(range)
    }

    fn key(&mut self, field: u64, kind: u64) -> Option<()> {
        (self.varint()? == field << 3 | kind).then_some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.data.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        // The tenth byte has the highest bit only.
        let byte = *self.data.get(self.at)?;
        self.at += 1;
        (byte <= 1).then_some(number | u64::from(byte) << 63)
    }
}
