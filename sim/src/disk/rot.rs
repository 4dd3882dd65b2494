//! What a disk can do to data that it holds: bits flip, sectors vanish, and reads come back with
//! what lies elsewhere.
//!
//! Nobody can tell damage of the newest writes from the torn end that a crash leaves. So only bytes
//! are damaged that the file itself proves to have been durable; for the log that takes a reader of
//! its format, written here once more so that it is not the core that says what the core must
//! notice.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::file::File;
use super::system::{FileSystem, Inode, parent};

/// What is damaged at once when it is not a bit, in bytes.
const SECTOR: usize = 512;

/// One damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rot {
    /// In which kind of file.
    pub file: Kind,
    /// Which of them, counted from the newest; the oldest if there are not as many.
    pub age: usize,
    /// Where, in millionths of what is proven to be durable.
    pub place_ppm: u64,
    /// What is wrong there.
    pub damage: Damage,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Segments of the log.
    Log,
    /// Snapshots.
    Snapshot,
    /// The identity of the directory.
    Identity,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// One bit is not what it was.
    Flip,
    /// A sector is zero.
    Zero,
    /// A sector is that of another place.
    Misplaced,
}

impl Kind {
    fn holds(self, path: &str) -> bool {
        match self {
            Self::Log => parent(path) == "quorate/wal" && path.ends_with(".wal"),
            Self::Snapshot => parent(path) == "quorate/snap" && path.ends_with(".snap"),
            Self::Identity => path == "quorate/identity",
        }
    }

    /// The files of this kind, oldest first.
    fn find(self, names: &BTreeMap<Arc<str>, Inode>) -> Vec<Inode> {
        names.iter().filter(|(path, _)| self.holds(path)).map(|(_, inode)| *inode).collect()
    }
}

impl Rot {
    /// Which of so many files is hit.
    fn choose(&self, files: usize) -> Option<usize> {
        files.checked_sub(1).map(|newest| newest - self.age.min(newest))
    }

    /// The damaged form of `content`, of which the first `proven` bytes can be hit, and whether
    /// it differs.
    fn strike(&self, content: &mut [u8], proven: usize) -> bool {
        let proven = proven.min(content.len());
        if proven == 0 {
            return false;
        }
        let at = (proven as u64 * self.place_ppm.min(999_999) / 1_000_000) as usize;
        if self.damage == Damage::Flip {
            content[at] ^= 1 << (self.place_ppm % 8);
            return true;
        }
        let start = at / SECTOR * SECTOR;
        let end = (start + SECTOR).min(proven);
        let elsewhere = if start >= SECTOR { start - SECTOR } else { SECTOR.min(content.len()) };
        let mut changed = false;
        for step in 0..end - start {
            let byte = match self.damage {
                Damage::Zero => 0,
                _ => content.get(elsewhere + step).copied().unwrap_or(0),
            };
            changed |= std::mem::replace(&mut content[start + step], byte) != byte;
        }
        changed
    }
}

impl FileSystem {
    /// Damages durable data for good. Says whether anything has changed.
    pub fn rot(&mut self, rot: &Rot) -> bool {
        let files: Vec<Inode> = rot.file.find(&self.durable_names);
        let Some(at) = rot.choose(files.len()) else { return false };
        let next = files.get(at + 1).and_then(|next| self.files.get(next));
        let next = next.map(File::durable);
        let Some(file) = self.files.get_mut(&files[at]) else { return false };
        let proven = proven(rot.file, &file.durable(), next.as_deref());
        file.damage(|content| rot.strike(content, proven))
    }

    /// The next read of a file of this kind gives something else than what is there.
    pub const fn misread_next(&mut self, rot: Rot) {
        self.misread = Some(rot);
    }

    /// Whether a read will be wrong.
    pub const fn will_misread(&self) -> bool {
        self.misread.is_some()
    }

    /// How many reads gave something else so far.
    pub const fn misreads(&self) -> u64 {
        self.misreads
    }

    /// No read will be wrong any more.
    pub const fn read_right(&mut self) {
        self.misread = None;
    }

    /// What a read of the file at `path` gives, in which `content` lies.
    pub(super) fn reading(&mut self, path: &str, mut content: Vec<u8>) -> Vec<u8> {
        let Some(rot) = self.misread.filter(|rot| rot.file.holds(path)) else { return content };
        let files = rot.file.find(&self.names);
        let chosen = rot.choose(files.len()).filter(|at| self.names.get(path) == files.get(*at));
        let Some(at) = chosen else { return content };
        let next = files.get(at + 1).and_then(|next| self.files.get(next)).map(File::content);
        let proven = proven(rot.file, &content, next.as_deref());
        self.misreads += u64::from(rot.strike(&mut content, proven));
        self.misread = None;
        content
    }
}

/// How many bytes of a file were durable beyond doubt, going by the file and, for a segment of
/// the log, by the one that follows it.
fn proven(kind: Kind, content: &[u8], next: Option<&[u8]>) -> usize {
    match (kind, next) {
        (Kind::Log, Some(next)) => number(next, segment::PREVIOUS_END) as usize,
        (Kind::Log, None) => segment::mark(content),
        _ => content.len(),
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

/// The format of a segment, as far as it says what was durable.
mod segment {
    use super::number;

    const HEADER: usize = 256;
    const SALT: usize = 40;
    /// Where a header says how long the segment before is.
    pub(super) const PREVIOUS_END: usize = 96;
    const BATCH: usize = 32;
    const MARK: usize = 16;
    const RECORD: usize = 12;

    fn half(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// The highest offset up to which a batch says that the segment was durable.
    pub(super) fn mark(file: &[u8]) -> usize {
        let salt = number(file, SALT);
        let (mut at, mut mark) = (HEADER, HEADER.min(file.len()));
        while let Some(len) = batch(file, at, salt) {
            mark = mark.max(number(file, at + MARK) as usize);
            at += len;
        }
        mark
    }

    /// The length of the batch at an offset, if a whole one stands there.
    fn batch(file: &[u8], at: usize, salt: u64) -> Option<usize> {
        let bytes = file.get(at..)?;
        let body_len = half(bytes, 8)? as usize;
        let body = bytes.get(BATCH..BATCH + body_len).filter(|_| number(bytes, 0) == salt)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&(at as u64).to_le_bytes());
        crc.update(&bytes[..BATCH - 4]);
        let mut record = 0;
        while record < body.len() {
            let content = half(body, record)? as usize;
            let header = body.get(record..record + RECORD)?;
            crc.update(header);
            record += RECORD;
            let whole = crc32fast::hash(body.get(record..record + content)?);
            if half(header, 4) != Some(whole) {
                return None;
            }
            record += content;
        }
        (half(bytes, BATCH - 4) == Some(crc.finalize()))
            .then(|| (BATCH + body_len).next_multiple_of(8))
    }
}

#[cfg(test)]
mod tests;
