//! Small files that are written whole and replaced atomically.
//!
//! What a data directory says about itself outside of the log is a few bytes each. All of these
//! files have one form: a magic, a format version, the content, a checksum.

use alloc::format;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Replace, Script};
use crate::error::Refusal;

/// One kind of small file.
#[derive(Clone, Copy, Debug)]
pub struct SmallFile {
    /// Its path.
    pub path: &'static str,
    /// What it begins with.
    pub magic: &'static [u8; 8],
    /// The format that is written; older ones are read, newer ones refused.
    pub version: u32,
}

impl SmallFile {
    /// The file that holds `content`.
    pub fn encode(&self, content: &[u8]) -> Bytes {
        let mut file = BytesMut::with_capacity(8 + 4 + content.len() + 4);
        file.put_slice(self.magic);
        file.put_u32_le(self.version);
        file.put_slice(content);
        file.put_u32_le(crc32fast::hash(&file));
        file.freeze()
    }

    /// The content of a file.
    ///
    /// # Errors
    /// A newer format, or a file that is none.
    pub fn decode<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let damaged = || self.damaged();
        // The sum comes first: it is the last thing of every format, and a version that has
        // decayed must not be taken for one of a later release.
        let (summed, sum) = file.split_last_chunk::<4>().ok_or_else(damaged)?;
        if u32::from_le_bytes(*sum) != crc32fast::hash(summed) {
            return Err(damaged());
        }
        let body = summed.strip_prefix(self.magic).ok_or_else(damaged)?;
        let (version, content) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let version = u32::from_le_bytes(*version);
        if version > self.version {
            return Err(Refusal::new(format!(
                "the data directory has format {version}, this program knows formats up to {}",
                self.version
            ))
            .hint("start the newer version of the program that wrote it"));
        }
        Ok(content)
    }

    /// Whether a file, which [`SmallFile::decode`] has read, is of that format.
    pub fn is_of(&self, file: &[u8], version: u32) -> bool {
        let version = version.to_le_bytes();
        file.get(self.magic.len()..).is_some_and(|rest| rest.starts_with(&version))
    }

    /// What is said of a file whose content makes no sense.
    pub fn damaged(&self) -> Refusal {
        Refusal::new(format!("the file {} in the data directory is damaged", self.path)).of_data()
    }

    /// Writes the file.
    pub fn write(&self, content: &[u8], script: &mut Script) -> Replace {
        Replace::begin(self.path, self.encode(content), script)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const FILE: SmallFile = SmallFile { path: "quorate/x", magic: b"QUORTEST", version: 2 };

    #[test]
    fn what_is_written_is_read_again() {
        for content in [&b""[..], b"a", b"some more"] {
            assert_eq!(FILE.decode(&FILE.encode(content)).unwrap(), content);
        }
        let older = SmallFile { version: 1, ..FILE };
        assert_eq!(FILE.decode(&older.encode(b"a")).unwrap(), b"a");
    }

    #[test]
    fn newer_formats_are_told_from_damage() {
        let newer = SmallFile { version: 3, ..FILE }.encode(b"a");
        assert!(FILE.decode(&newer).unwrap_err().message.contains("has format 3"));
        let file = FILE.encode(b"ab");
        for len in 0..file.len() {
            assert_eq!(FILE.decode(&file[..len]).unwrap_err(), FILE.damaged(), "{len}");
        }
        for at in 0..file.len() {
            let mut broken: Vec<u8> = file.to_vec();
            broken[at] ^= 1;
            assert_eq!(FILE.decode(&broken).unwrap_err(), FILE.damaged(), "{at}");
        }
    }
}
