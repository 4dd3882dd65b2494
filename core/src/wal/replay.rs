//! Reads a log from its files, in order, and refuses what no crash can have left behind.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::batch::{Found, Record};
use super::head::Head;
use super::header::{Header, HeaderError, Previous};
use super::recovered::{Position, Recovered, TornTail};
use super::segment::{self, Ending};
use super::writer::Segment;
use super::{DIR, Mark, Owner, name};
use crate::disk::DirEntry;
use crate::error::Refusal;
use crate::raft::{Entry, LogId};

/// Reads a log. Its segments are asked for one after the other, so that only one of them is held
/// in memory besides the entries.
///
/// ```text
/// let mut replay = Replay::new(&listing)?;
/// while let Some(path) = replay.next_file() { replay.feed(&read(path))?; }
/// let recovered = replay.finish()?;
/// ```
#[derive(Debug)]
pub struct Replay {
    waiting: VecDeque<Listed>,
    leftovers: Vec<Arc<str>>,
    log: Option<Log>,
}

/// A segment as its name describes it.
#[derive(Clone, Debug)]
struct Listed {
    path: Arc<str>,
    sequence: u64,
    first: u64,
}

/// What was read up to here.
#[derive(Debug)]
struct Log {
    owner: Owner,
    head: Head,
    base: LogId,
    entries: Vec<Entry>,
    segments: VecDeque<Segment>,
    latest: Latest,
}

/// The segment read last.
#[derive(Debug)]
struct Latest {
    path: Arc<str>,
    sequence: u64,
    salt: u64,
    ending: Ending,
    bytes: Bytes,
}

impl Replay {
    /// What there is to read, going by the entries of [`DIR`]. Files with names that are not the
    /// log's are left alone.
    ///
    /// # Errors
    /// If a segment is missing between others.
    pub fn new(listing: &[DirEntry]) -> Result<Self, Refusal> {
        let files = || listing.iter().filter(|entry| !entry.is_dir);
        let path = |name: &str| Arc::from(format!("{DIR}/{name}"));
        let mut waiting: Vec<Listed> = files()
            .filter_map(|entry| {
                let (sequence, first) = name::parse(&entry.name, "wal")?;
                Some(Listed { path: path(&entry.name), sequence, first })
            })
            .collect();
        waiting.sort_by_key(|listed| (listed.sequence, listed.first));
        for pair in waiting.windows(2) {
            let [before, after] = pair else { continue };
            if before.sequence == after.sequence {
                return Err(Refusal::new(format!(
                    "{}: a second segment of this number",
                    after.path
                ))
                .hint(format!("the other one is {}", before.path))
                .of_data());
            }
            if before.sequence.checked_add(1) != Some(after.sequence) {
                return Err(Refusal::new(format!(
                    "{DIR}: segment {:016x} of the log is missing",
                    before.sequence.saturating_add(1)
                ))
                .hint(format!("found are {} and {}", before.path, after.path))
                .of_data());
            }
        }
        let leftovers =
            files().filter(|e| e.name.ends_with(".tmp")).map(|e| path(&e.name)).collect();
        Ok(Self { waiting: waiting.into(), leftovers, log: None })
    }

    /// Whether there is no log.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.log.is_none()
    }

    /// The file to be read and fed next, relative to the data directory.
    pub fn next_file(&self) -> Option<Arc<str>> {
        self.waiting.front().map(|listed| listed.path.clone())
    }

    /// Takes the content of the file that [`next_file`](Self::next_file) named.
    ///
    /// # Errors
    /// If the file is damaged where a crash cannot have damaged it, was written by a later release,
    /// or does not belong where it lies.
    ///
    /// # Panics
    /// If no file was asked for.
    pub fn feed(&mut self, bytes: &Bytes) -> Result<(), Refusal> {
        let listed = self.waiting.pop_front().expect("a file is fed only when one is asked for");
        let path = &listed.path;
        let header = Header::decode(bytes).map_err(|error| unreadable(path, error))?;
        if (header.sequence, header.first_index()) != (listed.sequence, listed.first) {
            return Err(Refusal::new(format!("{path}: the file is not what its name says"))
                .hint(format!(
                    "its header says segment {:016x}, first entry {:016x}",
                    header.sequence,
                    header.first_index()
                ))
                .of_data());
        }
        if let Some(log) = &self.log {
            log.check(path, &header)?;
        }
        let mut log = match self.log.take() {
            Some(log) => log,
            None => Log::new(&header, path),
        };
        log.segments.push_back(Segment { path: path.clone(), base: header.head.last.index });
        let ending = segment::read(bytes, header.salt, |at, batch| log.take(path, at, batch))?;
        let (sequence, salt) = (header.sequence, header.salt);
        log.latest = Latest { path: path.clone(), sequence, salt, ending, bytes: bytes.clone() };
        self.log = Some(log);
        Ok(())
    }

    /// What was found; `None` if there is no log.
    ///
    /// # Errors
    /// If the last segment is damaged where a crash cannot have damaged it.
    ///
    /// # Panics
    /// If a file was asked for and not fed.
    pub fn finish(self) -> Result<Option<Recovered>, Refusal> {
        assert!(self.waiting.is_empty(), "all files of the log are fed before the end");
        let leftovers = self.leftovers;
        self.log.map(|log| log.finish(leftovers)).transpose()
    }
}

impl Log {
    fn new(header: &Header, path: &Arc<str>) -> Self {
        let ending = Ending { end: 0, durable: 0, written: 0, chain: 0 };
        let (sequence, salt) = (header.sequence, header.salt);
        Self {
            owner: header.owner,
            head: header.head.clone(),
            base: header.head.last,
            entries: Vec::new(),
            segments: VecDeque::new(),
            latest: Latest { path: path.clone(), sequence, salt, ending, bytes: Bytes::new() },
        }
    }

    /// Whether the segment with this header continues what was read.
    fn check(&self, path: &str, header: &Header) -> Result<(), Refusal> {
        if header.owner != self.owner {
            return Err(Refusal::new(format!("{path}: the segment belongs to another log"))
                .hint(format!(
                    "it is of member {} in cluster {}, the ones before are of member {} in \
                     cluster {}",
                    header.owner.member,
                    header.owner.cluster,
                    self.owner.member,
                    self.owner.cluster
                ))
                .of_data());
        }
        let Latest { path: before, salt, ending, .. } = &self.latest;
        // Only the first segment lacks a predecessor, and it is the first in the list.
        let previous = header.previous.unwrap_or(Previous { salt: 0, end: 0 });
        if previous.salt != *salt {
            return Err(Refusal::new(format!("{path}: the segment does not follow {before}"))
                .hint("the two come from different copies of the data directory")
                .of_data());
        }
        if ending.end < previous.end {
            return Err(corrupt(before, ending.end, previous.end));
        }
        if ending.end > previous.end || header.head != self.head {
            return Err(Refusal::new(format!(
                "{path}: the segment does not continue {before}, which ends at offset {}",
                ending.end
            ))
            .of_data());
        }
        Ok(())
    }

    fn take(&mut self, path: &str, at: u64, batch: &Found<'_>) -> Result<(), Refusal> {
        for record in batch.records() {
            let taken = match record {
                None => Err("holds a record that this release cannot read"),
                Some(Record::HardState(hard_state)) => {
                    self.head.hard_state = hard_state;
                    Ok(())
                }
                Some(Record::Mark(mark)) => {
                    self.head.mark(mark);
                    if let Mark::Installed(id) = mark {
                        self.base = id;
                        self.entries.clear();
                    }
                    Ok(())
                }
                Some(Record::Entry(entry)) => self.entry(entry),
            };
            taken.map_err(|why| {
                Refusal::new(format!("{path}: the batch at offset {at} {why}")).of_data()
            })?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> Result<(), &'static str> {
        let Some(before) = entry.index.checked_sub(1) else {
            return Err("holds an entry with index 0");
        };
        if before > self.head.last.index {
            return Err("holds an entry that does not follow the one before");
        }
        if planted!(KeepOverwritten) && before < self.head.last.index {
            return Ok(());
        }
        match before.checked_sub(self.base.index) {
            Some(keep) => self.entries.truncate(usize::try_from(keep).unwrap_or(usize::MAX)),
            None => {
                // Entries of a segment that is gone were replaced. What lies before them is
                // below a snapshot, or the segment would still be there.
                self.entries.clear();
                self.base = LogId { term: 0, index: before };
            }
        }
        let term_before = self.entries.last().map_or(self.base.term, |last| last.term);
        if entry.term < term_before {
            return Err("holds an entry with a lower term than the one before");
        }
        self.head.last = entry.id();
        self.entries.push(entry);
        Ok(())
    }

    fn finish(self, leftovers: Vec<Arc<str>>) -> Result<Recovered, Refusal> {
        let Latest { path, sequence, salt, ending, bytes } = self.latest;
        if ending.is_corrupt() {
            return Err(corrupt(&path, ending.end, ending.durable));
        }
        let file = String::from(path.rsplit('/').next().unwrap_or(&path));
        let Ending { end, durable, written, chain } = ending;
        let tail = (written > end).then(|| TornTail { file, at: end, cut: written - end });
        let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let position = Position {
            head: self.head.clone(),
            segments: self.segments,
            leftovers,
            sequence,
            salt,
            end,
            chain,
            written,
            len: bytes.len() as u64,
            unproven: bytes.slice(offset(durable)..offset(end)),
        };
        Ok(Recovered {
            owner: self.owner,
            hard_state: self.head.hard_state,
            marks: self.head.marks,
            base: self.base,
            entries: self.entries,
            tail,
            position,
        })
    }
}

fn unreadable(path: &str, error: HeaderError) -> Refusal {
    match error {
        HeaderError::Version(version) => Refusal::new(format!(
            "{path}: the segment has format version {version}, which this release cannot read"
        ))
        .hint("it was written by a later release of quorate: use that one"),
        HeaderError::Magic => Refusal::new(format!("{path}: the file is not a segment of the log"))
            .hint("its name says that it is: look where it came from, nothing was changed"),
        HeaderError::Short | HeaderError::Damaged => {
            Refusal::new(format!("{path}: the header of the segment is damaged"))
                .hint("a segment gets its name when its header is durable: a crash cannot do this")
                .of_data()
        }
    }
}

fn corrupt(path: &str, at: u64, durable: u64) -> Refusal {
    Refusal::new(format!("{path}: the log is damaged at offset {at}"))
        .hint(format!("it was durable up to offset {durable}: a crash cannot do this"))
        .of_data()
}
