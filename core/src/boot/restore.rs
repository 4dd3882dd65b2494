//! Reading back what a member left when it ended: its log, then the snapshot to begin from.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::disk_state::TOLD;
use super::{Restored, told};
use crate::config::Config;
use crate::disk::{DirEntry, DiskErrorKind, Done, Found, Op, Script, Ticket};
use crate::error::Refusal;
use crate::member::Member;
use crate::note::Note;
use crate::raft::{Log, LogId, Snapshot};
use crate::snap::{self, Candidate, Shelf};
use crate::store::Image;
use crate::wal::{self, HardState, Owner, Recovered, Replay, Wal};

/// A member being read back. One file is asked for at a time.
#[derive(Debug)]
pub(super) struct Restore {
    entropy: u64,
    segment_bytes: u64,
    listings: [(Ticket, Option<Vec<DirEntry>>); 2],
    /// The file of the members that this one was told; empty if there is none.
    told: (Ticket, Option<Bytes>),
    reading: Option<Reading>,
}

#[derive(Debug)]
enum Reading {
    Log(Ticket, Replay),
    Snapshots { ticket: Ticket, asked: Candidate, found: Material },
}

/// The log, and the snapshots that may go with it.
#[derive(Debug)]
struct Material {
    recovered: Recovered,
    waiting: VecDeque<Candidate>,
    readable: Vec<Snapshot>,
}

/// What was read back.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A member.
    Member(Box<Ended>),
    /// The beginning of a log and nothing in it: an earlier start was cut off before its first
    /// entries were durable, and has told nobody that it took part.
    Blank(Vec<Arc<str>>),
}

/// A member that was read back.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) owner: Owner,
    pub(super) wal: Wal,
    pub(super) shelf: Shelf,
    pub(super) hard: HardState,
    pub(super) log: Log,
    pub(super) snapshot: Option<Restored>,
    /// The members that it was told when it joined, if its log does not have them.
    pub(super) told: Vec<Member>,
    pub(super) notes: Vec<Note>,
}

impl Restore {
    pub(super) fn begin(config: &Config, script: &mut Script) -> Self {
        let listings = [wal::DIR, snap::DIR].map(|path| {
            let ticket = script.ticket();
            script.push(Op::List { path: path.into(), ticket });
            (ticket, None)
        });
        let (entropy, segment_bytes) = (config.wal_entropy(), config.wal_segment_bytes);
        let told = (read(TOLD.into(), script), None);
        Self { entropy, segment_bytes, listings, told, reading: None }
    }

    /// Takes the end of a disk operation.
    ///
    /// # Errors
    /// A file could not be read, or what it holds cannot be relied on.
    pub(super) fn disk(
        &mut self,
        done: Done,
        script: &mut Script,
    ) -> Result<Option<Outcome>, Refusal> {
        if self.told == (done.ticket, None) && is_absent(&done) {
            self.told.1 = Some(Bytes::new());
            self.begin_to_read(script)?;
            return Ok(None);
        }
        let found = done.result.map_err(|error| {
            Refusal::new(format!("cannot read the data directory: {}", error.message)).of_data()
        })?;
        match (self.reading.take(), found) {
            (None, Found::Entries(entries)) => {
                if let Some(slot) = self.listings.iter_mut().find(|(t, _)| *t == done.ticket) {
                    slot.1 = Some(entries);
                }
                self.begin_to_read(script)?;
                Ok(None)
            }
            (None, Found::Bytes(file)) if self.told.0 == done.ticket => {
                self.told.1 = Some(file);
                self.begin_to_read(script)?;
                Ok(None)
            }
            (Some(Reading::Log(ticket, mut replay)), Found::Bytes(bytes))
                if ticket == done.ticket =>
            {
                replay.feed(&bytes)?;
                self.read_log(replay, script)
            }
            (Some(Reading::Snapshots { ticket, asked, mut found }), Found::Bytes(bytes))
                if ticket == done.ticket =>
            {
                found.take(&asked, &bytes)?;
                self.read_snapshot(found, script)
            }
            (reading, _) => {
                self.reading = reading;
                Ok(None)
            }
        }
    }

    /// Reads the log, once it is known what there is.
    fn begin_to_read(&mut self, script: &mut Script) -> Result<(), Refusal> {
        if let ([(_, Some(segments)), (_, Some(_))], (_, Some(_))) = (&self.listings, &self.told) {
            let replay = Replay::new(segments)?;
            // A member has at least one segment, or the decision would have been another.
            let ended = self.read_log(replay, script)?;
            assert!(ended.is_none(), "a log is read before its member is restored");
        }
        Ok(())
    }

    fn read_log(
        &mut self,
        replay: Replay,
        script: &mut Script,
    ) -> Result<Option<Outcome>, Refusal> {
        if let Some(path) = replay.next_file() {
            self.reading = Some(Reading::Log(read(path, script), replay));
            return Ok(None);
        }
        let recovered = replay.finish()?.ok_or_else(|| {
            Refusal::new(format!("{}: the log has vanished while it was read", wal::DIR)).of_data()
        })?;
        let snapshots = self.listings[1].1.as_deref().unwrap_or_default();
        let known = |candidate: &Candidate| recovered.marks.contains(&candidate.id);
        let waiting = snap::candidates(snapshots).into_iter().filter(known).collect();
        self.read_snapshot(Material { recovered, waiting, readable: Vec::new() }, script)
    }

    /// Reads snapshots, newest first, until one is sound.
    fn read_snapshot(
        &mut self,
        mut found: Material,
        script: &mut Script,
    ) -> Result<Option<Outcome>, Refusal> {
        if found.readable.is_empty()
            && let Some(asked) = found.waiting.pop_front()
        {
            let ticket = read(asked.path.clone(), script);
            self.reading = Some(Reading::Snapshots { ticket, asked, found });
            return Ok(None);
        }
        self.finish(found, script).map(Some)
    }

    fn finish(&self, found: Material, script: &mut Script) -> Result<Outcome, Refusal> {
        let Material { mut recovered, readable, .. } = found;
        if is_blank(&recovered) {
            let segments = self.listings[0].1.iter().flatten();
            let path = |entry: &DirEntry| Arc::from(format!("{}/{}", wal::DIR, entry.name));
            return Ok(Outcome::Blank(segments.map(path).collect()));
        }
        let choice = snap::choose(recovered.base, &recovered.marks, readable)?;
        let mut notes: Vec<Note> =
            choice.skipped.iter().map(|id| Note::SnapshotSkipped { last: *id }).collect();
        let base = choice.snapshot.as_ref().map(|snapshot| snapshot.last).unwrap_or_default();
        let mut entries = recovered.log_after(base)?;
        if planted!(LoseTailBehindSnapshot) && base.index > 0 {
            entries.clear();
        }
        if let Some(wal::TornTail { file, at, cut }) = recovered.tail.clone() {
            notes.push(Note::TornTail { file, at, cut });
        }
        let snapshot = choice.snapshot.map(restore_state).transpose()?;
        let (owner, hard) = (recovered.owner, recovered.hard_state);
        let marks = recovered.marks.clone();
        let wal = recovered.into_wal(self.entropy, self.segment_bytes, script);
        let listing = self.listings[1].1.as_deref().unwrap_or_default();
        let shelf = Shelf::new(listing, &marks, script);
        let log = Log::new(base, entries);
        let told = self.told(log.last())?;
        let ended = Ended { owner, wal, shelf, hard, log, snapshot, told, notes };
        Ok(Outcome::Member(Box::new(ended)))
    }
}

impl Restore {
    /// The members that this one was told, if its log does not have them yet.
    fn told(&self, last: LogId) -> Result<Vec<Member>, Refusal> {
        match &self.told.1 {
            Some(file) if last.index == 0 && !file.is_empty() => told::decode(file),
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether a file was looked for that does not exist.
fn is_absent(done: &Done) -> bool {
    matches!(&done.result, Err(error) if error.kind == DiskErrorKind::NotFound)
}

impl Material {
    /// Takes the content of a snapshot file. One that is damaged is passed over.
    fn take(&mut self, asked: &Candidate, bytes: &bytes::Bytes) -> Result<(), Refusal> {
        match snap::decode(bytes) {
            Ok((owner, snapshot)) if owner == self.recovered.owner && snapshot.last == asked.id => {
                self.readable.push(snapshot);
                Ok(())
            }
            Err(error @ snap::SnapError::Version(_)) => {
                Err(Refusal::new(format!("{}: {error}", asked.path))
                    .hint("it was written by a later release of quorate: use that one"))
            }
            _ => Ok(()),
        }
    }
}

fn is_blank(recovered: &Recovered) -> bool {
    recovered.hard_state == HardState::default()
        && recovered.base == LogId::default()
        && recovered.entries.is_empty()
        && recovered.marks.is_empty()
}

fn restore_state(snapshot: Snapshot) -> Result<Restored, Refusal> {
    let image = Image::decode(&snapshot.data).map_err(|cause| {
        Refusal::new(format!(
            "the snapshot at entry {} cannot be read: {cause}",
            snapshot.last.index
        ))
        .of_data()
    })?;
    Ok(Restored { last: snapshot.last, conf: snapshot.conf, image })
}

fn read(path: Arc<str>, script: &mut Script) -> Ticket {
    let ticket = script.ticket();
    script.push(Op::Read { path, ticket });
    ticket
}
