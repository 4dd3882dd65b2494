//! Bytes that have arrived and wait to be read.

use bytes::{Buf as _, Bytes, BytesMut};

use super::FRAME_MAX;
use crate::wire::error::WireError;

#[derive(Debug, Default)]
pub(in crate::wire) struct Input {
    bytes: BytesMut,
}

impl Input {
    pub(in crate::wire) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Gives the memory back.
    pub(in crate::wire) fn clear(&mut self) {
        self.bytes = BytesMut::new();
    }

    /// The first byte, which stays.
    pub(super) fn peek_u8(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// The big-endian number `skip` bytes ahead, if all of it is there; it stays.
    pub(super) fn peek_u64(&self, skip: usize) -> Option<u64> {
        let (number, _) = self.bytes.get(skip..)?.split_first_chunk()?;
        Some(u64::from_be_bytes(*number))
    }

    /// Drops bytes that were peeked at.
    pub(super) fn skip(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    /// Takes a length and as many bytes, which stand `skip` bytes ahead; nothing until all are
    /// there.
    ///
    /// # Errors
    /// The length is above [`FRAME_MAX`].
    pub(in crate::wire) fn take_frame(&mut self, skip: usize) -> Result<Option<Bytes>, WireError> {
        let Some(length) = self.peek_u64(skip) else { return Ok(None) };
        let too_large = WireError::TooLarge(length);
        if length > FRAME_MAX {
            return Err(too_large);
        }
        let length = usize::try_from(length).map_err(|_| too_large)?;
        let head = skip + 8;
        if self.bytes.len() < head + length {
            return Ok(None);
        }
        self.bytes.advance(head);
        Ok(Some(self.bytes.split_to(length).freeze()))
    }
}
