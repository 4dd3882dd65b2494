//! The file of a backup.
//!
//! It is written and read as a stream, and whoever reads it knows at once where it is damaged: the
//! dump is cut into pieces of 64 KiB, and behind each of them, as behind the head, stands the
//! checksum of the whole file up to there.
//!
//! Format version 1, numbers little-endian: magic (8), version (4), zero (4), ID (16), member,
//! cluster, term and index of the last entry, index of the store, time in nanoseconds since 1970,
//! length of the dump (8 each), CRC (4); then each piece with its CRC (4).

use alloc::vec::Vec;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::Head;
use crate::id::{ClusterId, MemberId};
use crate::raft::LogId;
use crate::time::Wall;
use crate::wal::cursor::Cursor;

const MAGIC: [u8; 8] = *b"QUORBKP\n";
const VERSION: u32 = 1;
const CRC: usize = 4;

/// Magic, version and zero.
const KIND: usize = 16;
/// The head without its CRC.
const HEAD: usize = KIND + 16 + 7 * 8;

/// Bytes of the dump before the next CRC.
pub const PIECE: usize = 64 << 10;

/// Why a file is no backup, or not a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin as a backup does.
    #[error("it is no backup")]
    Foreign,
    /// A later release wrote it.
    #[error("it has format version {0}, which this release cannot read")]
    Version(u32),
    /// A CRC does not hold.
    #[error("the checksum of the {len} bytes at offset {at} does not hold")]
    Checksum {
        /// Where the bytes begin to which the damage is confined, in bytes from the start.
        at: u64,
        /// How many bytes these are.
        len: u64,
    },
    /// It ends too early.
    #[error("it ends at offset {at}, and {missing} bytes are missing")]
    Short {
        /// Its length in bytes.
        at: u64,
        /// How many bytes are missing at least.
        missing: u64,
    },
    /// Something follows its end.
    #[error("something follows its end at offset {at}")]
    Long {
        /// Where it ought to end, in bytes from the start.
        at: u64,
    },
}

/// The bytes of a backup, piece by piece.
#[derive(Debug)]
pub struct Pieces {
    head: Option<Head>,
    dump: Bytes,
    crc: crc32fast::Hasher,
}

impl Pieces {
    /// A backup whose dump is `dump`; its length counts, and not that in `head`.
    pub fn new(head: Head, dump: Bytes) -> Self {
        let head = Some(Head { len: dump.len() as u64, ..head });
        Self { head, dump, crc: crc32fast::Hasher::new() }
    }

    fn sealed(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(bytes.len() + CRC);
        out.put_slice(bytes);
        self.crc.update(bytes);
        let crc = self.crc.clone().finalize().to_le_bytes();
        self.crc.update(&crc);
        out.put_slice(&crc);
        out.into()
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return Some(self.sealed(&encode(&head)));
        }
        if self.dump.is_empty() {
            return None;
        }
        let piece = self.dump.split_to(PIECE.min(self.dump.len()));
        Some(self.sealed(&piece))
    }
}

/// Reads a backup as it comes.
#[derive(Debug)]
pub struct Reader {
    waiting: BytesMut,
    /// Bytes that were taken from the start of the file.
    at: u64,
    crc: crc32fast::Hasher,
    head: Option<Head>,
    /// Bytes of the dump that are still to come.
    left: u64,
    kept: Option<BytesMut>,
}

impl Reader {
    /// Only looks whether it is sound.
    pub fn checking() -> Self {
        Self {
            waiting: BytesMut::new(),
            at: 0,
            crc: crc32fast::Hasher::new(),
            head: None,
            left: 0,
            kept: None,
        }
    }

    /// Keeps the dump too.
    pub fn keeping() -> Self {
        Self { kept: Some(BytesMut::new()), ..Self::checking() }
    }

    /// Takes bytes that follow those before.
    ///
    /// # Errors
    /// They are damaged; nothing is to be taken after that.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        self.waiting.put_slice(bytes);
        loop {
            let wanted = match self.head {
                None => {
                    is_backup(&self.waiting)?;
                    HEAD
                }
                Some(_) if self.left > 0 => self.next_piece(),
                Some(_) if self.waiting.is_empty() => return Ok(()),
                Some(_) => return Err(Damage::Long { at: self.at }),
            };
            if self.waiting.len() < wanted + CRC {
                return Ok(());
            }
            self.take(wanted)?;
        }
    }

    /// The head, and the dump if it was kept, once the file has ended.
    ///
    /// # Errors
    /// It has ended too early.
    pub fn finish(self) -> Result<(Head, Bytes), Damage> {
        let at = self.at + self.waiting.len() as u64;
        let whole = match self.head {
            None => (HEAD + CRC) as u64,
            Some(_) if self.left == 0 => self.at,
            Some(_) => {
                let pieces = self.left.div_ceil(PIECE as u64);
                self.at.saturating_add(self.left).saturating_add(pieces * CRC as u64)
            }
        };
        match self.head {
            Some(head) if whole == at => Ok((head, self.kept.unwrap_or_default().freeze())),
            _ => Err(Damage::Short { at, missing: whole - at }),
        }
    }

    fn next_piece(&self) -> usize {
        usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE))
    }

    fn take(&mut self, len: usize) -> Result<(), Damage> {
        let bytes = self.waiting.split_to(len);
        let crc = self.waiting.split_to(CRC);
        self.crc.update(&bytes);
        if self.crc.clone().finalize().to_le_bytes() != crc[..] {
            return Err(Damage::Checksum { at: self.at, len: (len + CRC) as u64 });
        }
        self.crc.update(&crc);
        let at = self.at;
        self.at += (len + CRC) as u64;
        if self.head.is_none() {
            let head = decode(&bytes).ok_or(Damage::Checksum { at, len: self.at })?;
            self.left = head.len;
            self.head = Some(head);
        } else {
            self.left -= len as u64;
            if let Some(kept) = &mut self.kept {
                kept.put_slice(&bytes);
            }
        }
        Ok(())
    }
}

/// Looks at as much of the head as there is. The version comes before the CRC: a later format may
/// keep its CRC elsewhere.
fn is_backup(begin: &[u8]) -> Result<(), Damage> {
    let len = begin.len().min(MAGIC.len());
    if begin[..len] != MAGIC[..len] {
        return Err(Damage::Foreign);
    }
    let version = begin.get(MAGIC.len()..).and_then(|rest| rest.first_chunk().copied());
    match version.map(u32::from_le_bytes) {
        None | Some(VERSION) => Ok(()),
        Some(version) => Err(Damage::Version(version)),
    }
}

fn encode(head: &Head) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD);
    out.put_slice(&MAGIC);
    out.put_u32_le(VERSION);
    out.put_u32_le(0);
    out.put_slice(&head.id);
    for number in [
        head.member.0,
        head.cluster.0,
        head.last.term,
        head.last.index,
        head.store_index,
        head.taken.unix_nanos().cast_unsigned(),
        head.len,
    ] {
        out.put_u64_le(number);
    }
    out
}

fn decode(bytes: &BytesMut) -> Option<Head> {
    let mut rest = &bytes[..];
    rest.advance(KIND);
    let mut cursor = Cursor::new(rest);
    Some(Head {
        id: cursor.array()?,
        member: MemberId(cursor.u64()?),
        cluster: ClusterId(cursor.u64()?),
        last: LogId { term: cursor.u64()?, index: cursor.u64()? },
        store_index: cursor.u64()?,
        taken: Wall::from_unix_nanos(cursor.u64()?.cast_signed()),
        len: cursor.u64()?,
    })
}
