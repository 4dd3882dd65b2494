//! The bytes of a file.
//!
//! Most of a log is room that was reserved, and holds nothing yet. So the zeros at the end of a file
//! are counted and not kept.

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Everything up to the last byte that was written.
    written: Vec<u8>,
    /// In bytes. Behind what was written there are zeros.
    len: u64,
}

impl Content {
    /// How long the file is, in bytes.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Writes at a distance from the start; a hole reads as zeros.
    pub(super) fn put(&mut self, at: u64, bytes: &[u8]) {
        let start = at as usize;
        let end = start + bytes.len();
        if self.written.len() < end {
            self.written.resize(end, 0);
        }
        self.written[start..end].copy_from_slice(bytes);
        self.len = self.len.max(end as u64);
    }

    /// Lengthens the file with zeros, or cuts it.
    pub(super) fn resize(&mut self, len: u64) {
        self.written.truncate(len as usize);
        self.len = len;
    }

    /// All bytes.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.written.resize(self.len as usize, 0);
        self.written
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn what_was_not_written_is_zero() {
        let mut content = Content::default();
        content.resize(6);
        content.put(1, b"ab");
        assert_eq!(content.clone().into_bytes(), b"\0ab\0\0\0");
        content.put(7, b"c");
        assert_eq!((content.len(), content.clone().into_bytes()), (8, b"\0ab\0\0\0\0c".to_vec()));
        content.resize(2);
        content.resize(4);
        assert_eq!((content.len(), content.into_bytes()), (4, b"\0a\0\0".to_vec()));
    }
}
