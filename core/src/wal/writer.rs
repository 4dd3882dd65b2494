//! Writes the log.
//!
//! A batch goes to the current segment as soon as it is appended, unless the segment is being made
//! whole or replaced: then it waits in a queue. A new segment takes over in steps, each of which
//! waits for the answer of the one before: the old segment is durable, the header is durable, the
//! name is durable. So whatever is found after a crash, a segment that exists proves that the one
//! before it is complete.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::batch::Unsealed;
use super::head::Head;
use super::header::{self, Header, Previous};
use super::recovered::Position;
use super::spare::Spare;
use super::{Batch, DIR, Event, HardState, MIN_SEGMENT_BYTES, Mark, Owner, name};
use crate::disk::{DiskError, DiskErrorKind, Done, FileId, Op, Script, Ticket};
use crate::raft::LogId;
use crate::snap;

/// The write-ahead log of a member.
#[derive(Debug)]
pub struct Wal {
    owner: Owner,
    entropy: u64,
    segment_bytes: u64,
    /// The state behind the last batch that was written.
    head: Head,
    /// The last entry, those of batches in the queue included.
    last: LogId,
    segments: VecDeque<Segment>,
    current: Option<Current>,
    spare: Spare,
    stage: Stage,
    queue: VecDeque<Queued>,
    flights: VecDeque<Flight>,
    /// The index of the newest snapshot mark that is durable.
    durable_mark: u64,
    doomed: VecDeque<Arc<str>>,
    removing: Option<Ticket>,
    failed: bool,
}

/// A segment file that holds a part of the log.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: Arc<str>,
    /// The index that the log had reached where the segment starts.
    pub(super) base: u64,
}

/// The segment that is written to.
#[derive(Debug)]
struct Current {
    file: FileId,
    sequence: u64,
    salt: u64,
    /// Where the next batch will stand.
    end: u64,
    /// The CRC to which it will be chained.
    chain: u32,
    /// Everything before is known to be durable.
    durable: u64,
    /// Up to here space is reserved.
    limit: u64,
}

/// What stands between a batch and the current segment.
#[derive(Debug)]
enum Stage {
    /// Nothing.
    Open,
    /// The segment was found with its tail; waits for that to be cleared and durable.
    Reopening(Vec<Ticket>),
    /// The segment is full; waits for a spare, and for what was written to be durable.
    Cutting,
    /// Waits for the header of the spare to be durable.
    Heading(FileId, Header, Ticket),
    /// Waits for the name of the spare to be durable.
    Naming(FileId, Header, Vec<Ticket>),
}

/// A batch that waits to be written.
#[derive(Debug)]
struct Queued {
    ticket: Ticket,
    bytes: Unsealed,
    /// Whether it may use the space that is kept for votes and marks.
    small: bool,
    mark: Option<Mark>,
    last: Option<LogId>,
    hard_state: Option<HardState>,
}

/// A batch that was written and is being synced.
#[derive(Debug)]
struct Flight {
    ticket: Ticket,
    end: u64,
    mark: Option<Mark>,
    answered: bool,
}

impl Wal {
    /// Begins a log. Batches may be appended at once; they are written when the first segment
    /// stands. Until then the log does not exist after a crash.
    ///
    /// `hard_state` and `base` are what the log starts from: nothing for a new member. Where `base`
    /// is not the beginning, a durable snapshot must stand for it.
    /// `entropy` is a random number that nobody else knows; `segment_bytes` the length of segments.
    ///
    /// # Panics
    /// If `segment_bytes` is below [`MIN_SEGMENT_BYTES`].
    pub fn create(
        owner: Owner,
        entropy: u64,
        segment_bytes: u64,
        hard_state: HardState,
        base: LogId,
        script: &mut Script,
    ) -> Self {
        let mut head = Head { hard_state, ..Head::default() };
        if base.index > 0 {
            head.mark(Mark::Installed(base));
        }
        script.push(Op::MakeDir { path: DIR.into() });
        script.push(Op::MakeDir { path: snap::DIR.into() });
        let mut wal = Self::with(owner, entropy, segment_bytes, head, Stage::Cutting);
        wal.advance(script);
        wal
    }

    /// Goes on with a log that was found, once the operations with the tickets `waits` are done.
    pub(super) fn reopened(
        owner: Owner,
        entropy: u64,
        segment_bytes: u64,
        position: Position,
        file: FileId,
        waits: Vec<Ticket>,
    ) -> Self {
        let Position { head, segments, sequence, salt, end, chain, len, .. } = position;
        let mut wal = Self::with(owner, entropy, segment_bytes, head, Stage::Reopening(waits));
        wal.segments = segments;
        wal.current = Some(Current { file, sequence, salt, end, chain, durable: end, limit: len });
        wal
    }

    fn with(owner: Owner, entropy: u64, segment_bytes: u64, head: Head, stage: Stage) -> Self {
        assert!(segment_bytes >= MIN_SEGMENT_BYTES, "segments of {segment_bytes} are too short");
        Self {
            owner,
            entropy,
            segment_bytes,
            last: head.last,
            head,
            segments: VecDeque::new(),
            current: None,
            spare: Spare::Absent,
            stage,
            queue: VecDeque::new(),
            flights: VecDeque::new(),
            durable_mark: 0,
            doomed: VecDeque::new(),
            removing: None,
            failed: false,
        }
    }

    /// Appends a batch. [`Event::Durable`] with the ticket says when it is durable, together with
    /// all that were appended before.
    ///
    /// A batch with entries is to be appended only if [`has_room`](Self::has_room) for it; without
    /// room it is written all the same, and where that takes space that the disk does not have, the
    /// log fails. A batch without entries needs no room: some is kept for those.
    ///
    /// # Panics
    /// If the entries are not consecutive, leave a gap behind the log, or a saved snapshot stands
    /// for more than the log holds; or if the batch is longer than 4 GiB.
    pub fn append(&mut self, batch: &Batch<'_>, script: &mut Script) -> Ticket {
        if let Some(Mark::Installed(id)) = batch.mark {
            self.last = id;
        }
        if let Some(Mark::Saved(id)) = batch.mark {
            assert!(id.index <= self.last.index, "a snapshot is saved of what is in the log");
        }
        if let Some(first) = batch.entries.first() {
            let follows = 1 <= first.index && first.index <= self.last.index.saturating_add(1);
            assert!(follows, "entry {} leaves a gap behind the log", first.index);
        }
        for pair in batch.entries.windows(2) {
            assert!(pair[0].index.checked_add(1) == Some(pair[1].index), "entries have a gap");
        }
        let last = batch.entries.last().map(|entry| entry.id());
        self.last = last.unwrap_or(self.last);
        let ticket = script.ticket();
        self.queue.push_back(Queued {
            ticket,
            bytes: Unsealed::new(batch),
            small: batch.entries.is_empty(),
            mark: batch.mark,
            last,
            hard_state: batch.hard_state,
        });
        self.advance(script);
        ticket
    }

    /// Takes the end of a disk operation.
    pub fn handle(&mut self, done: &Done, script: &mut Script) -> Event {
        let ticket = done.ticket;
        let flight = self.flights.iter().position(|flight| flight.ticket == ticket);
        let spare = self.spare.ticket() == Some(ticket);
        let removal = self.removing == Some(ticket);
        if flight.is_none() && !spare && !removal && !self.stage.waits_for(ticket) {
            return Event::Unrelated;
        }
        if self.failed {
            return Event::Progress;
        }
        if let Err(error) = &done.result
            && !(planted!(IgnoreFailedSync) && flight.is_some())
        {
            if spare && error.kind == DiskErrorKind::NoSpace {
                self.spare.give_up(error.clone(), script);
                self.advance(script);
                return Event::RoomChanged;
            }
            self.failed = true;
            return Event::Fault(error.clone());
        }
        let event = if let Some(at) = flight {
            self.answered(at)
        } else if spare {
            self.spare.advance(script);
            match self.spare {
                Spare::Ready(_) => Event::RoomChanged,
                _ => Event::Progress,
            }
        } else if removal {
            self.removed(script);
            Event::Progress
        } else {
            self.step(ticket, script)
        };
        self.advance(script);
        event
    }

    /// Whether a batch of `bytes` bytes can be appended without asking the disk for more space
    /// than it has given. For entries, `bytes` is the length of their data and
    /// [`ENTRY_OVERHEAD`](super::ENTRY_OVERHEAD) for each.
    ///
    /// A batch that is longer than a segment is let through when nothing speaks against it.
    pub fn has_room(&self, bytes: u64) -> bool {
        let waiting: u64 = self.queue.iter().map(|queued| queued.bytes.len()).sum();
        let current = self.current.as_ref().map_or(0, |current| {
            current.limit.saturating_sub(self.reserve()).saturating_sub(current.end)
        });
        let next = match self.spare {
            Spare::Ready(_) => self.capacity(),
            _ => 0,
        };
        let fits = |space: u64| waiting.saturating_add(bytes) <= space;
        let long = bytes > self.capacity() && next > 0;
        !self.failed
            && match self.stage {
                Stage::Open | Stage::Reopening(_) => fits(current) || fits(next) || long,
                Stage::Cutting | Stage::Heading(..) | Stage::Naming(..) => fits(next) || long,
            }
    }

    /// Gets the next segment ready ahead of need, because a batch of `bytes` bytes is to come for
    /// which there is no room. [`Event::RoomChanged`] says when to look again.
    pub fn make_room(&mut self, bytes: u64, script: &mut Script) {
        if self.spare == Spare::Absent && !self.failed && !self.has_room(bytes) {
            self.spare = Spare::prepare(self.segment_bytes, script);
        }
    }

    /// Why the disk is full, where it is: no space was found for the next segment.
    pub const fn full(&self) -> Option<&DiskError> {
        match &self.spare {
            Spare::Full(error) => Some(error),
            _ => None,
        }
    }

    /// Asks a full disk for space once more.
    pub fn retry(&mut self, script: &mut Script) {
        if self.full().is_some() && !self.failed {
            self.spare = Spare::prepare(self.segment_bytes, script);
        }
    }

    /// Removes the segments that hold nothing but entries below `keep_from`. Never removes what no
    /// durable snapshot mark stands for.
    pub fn release(&mut self, keep_from: u64, script: &mut Script) {
        let keep_from = keep_from.min(self.durable_mark.saturating_add(1));
        while self.segments.get(1).is_some_and(|next| next.base < keep_from) {
            self.doomed.extend(self.segments.pop_front().map(|segment| segment.path));
        }
        self.remove(script);
    }

    /// The newest snapshot marks that were written, oldest first.
    pub fn marks(&self) -> &[LogId] {
        &self.head.marks
    }

    /// The space for batches in an empty segment, without the reserve.
    fn capacity(&self) -> u64 {
        self.segment_bytes - header::LEN - self.reserve()
    }

    /// The space at the end of a segment that is kept for batches without entries, so that a
    /// member with a full disk can still vote and make room.
    const fn reserve(&self) -> u64 {
        if self.segment_bytes < 1 << 20 { 4 << 10 } else { 64 << 10 }
    }

    /// Does what can be done without waiting.
    fn advance(&mut self, script: &mut Script) {
        if self.failed {
            return;
        }
        let stuck = self.full().is_some() && self.current.is_some();
        if matches!(self.stage, Stage::Cutting) && stuck {
            self.stage = Stage::Open;
        }
        if matches!(self.stage, Stage::Open) {
            self.flush(script);
        }
        if let (Stage::Cutting, Spare::Ready(file)) = (&self.stage, &self.spare)
            && self.flights.is_empty()
        {
            self.begin(*file, script);
        }
        let half = |current: &Current| current.end >= current.limit / 2;
        let wanted = match self.stage {
            Stage::Cutting => true,
            Stage::Open => self.current.as_ref().is_some_and(half),
            Stage::Reopening(_) | Stage::Heading(..) | Stage::Naming(..) => false,
        };
        if wanted && self.spare == Spare::Absent {
            self.spare = Spare::prepare(self.segment_bytes, script);
        }
    }

    /// Writes what waits, up to a batch that wants a new segment.
    fn flush(&mut self, script: &mut Script) {
        while let Some(queued) = self.queue.pop_front() {
            if self.must_cut(&queued) {
                self.queue.push_front(queued);
                self.stage = Stage::Cutting;
                return;
            }
            self.write(queued, script);
        }
    }

    fn must_cut(&self, queued: &Queued) -> bool {
        let current = self.current.as_ref().expect("an open log has a segment");
        let end = current.end.saturating_add(queued.bytes.len());
        if end.saturating_add(self.reserve()) <= current.limit || current.end == header::LEN {
            return false;
        }
        match self.spare {
            Spare::Ready(_) => true,
            Spare::Absent | Spare::Allocating(..) | Spare::Syncing(..) => {
                !(queued.small && end <= current.limit)
            }
            Spare::Full(_) => false,
        }
    }

    fn write(&mut self, queued: Queued, script: &mut Script) {
        let current = self.current.as_mut().expect("an open log has a segment");
        let Queued { ticket, bytes, mark, last, hard_state, .. } = queued;
        let batch = bytes.seal(current.salt, current.end, current.durable, current.chain);
        current.chain = batch.crc;
        let bytes = batch.bytes;
        let (file, at) = (current.file, current.end);
        current.end += bytes.len() as u64;
        self.flights.push_back(Flight { ticket, end: current.end, mark, answered: false });
        script.push(Op::Write { file, at, bytes });
        script.push(Op::Sync { file, ticket });
        if let Some(mark) = mark {
            self.head.mark(mark);
        }
        self.head.last = last.unwrap_or(self.head.last);
        self.head.hard_state = hard_state.unwrap_or(self.head.hard_state);
    }

    /// The sync of a batch is done. It counts when those of all earlier batches are, too.
    fn answered(&mut self, at: usize) -> Event {
        self.flights[at].answered = true;
        let mut event = Event::Progress;
        while let Some(flight) = self.flights.pop_front_if(|flight| flight.answered) {
            let current = self.current.as_mut().expect("what was written has a segment");
            current.durable = flight.end;
            if let Some(mark) = flight.mark {
                self.durable_mark = mark.id().index;
            }
            event = Event::Durable(flight.ticket);
        }
        event
    }

    /// Writes the header of the next segment.
    fn begin(&mut self, file: FileId, script: &mut Script) {
        let current = self.current.as_ref();
        let sequence = current.map_or(0, |current| current.sequence + 1);
        let header = Header {
            owner: self.owner,
            sequence,
            salt: scramble(self.entropy, sequence),
            head: self.head.clone(),
            previous: current.map(|current| Previous { salt: current.salt, end: current.end }),
        };
        let ticket = script.ticket();
        script.push(Op::Write { file, at: 0, bytes: header.encode() });
        script.push(Op::Sync { file, ticket });
        self.stage = Stage::Heading(file, header, ticket);
    }

    /// The operation with this ticket, for which the stage waits, is done.
    fn step(&mut self, ticket: Ticket, script: &mut Script) -> Event {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Open) {
            stage @ (Stage::Open | Stage::Cutting) => stage,
            Stage::Reopening(mut waits) => {
                waits.retain(|wait| *wait != ticket);
                if waits.is_empty() {
                    self.durable_mark = self.head.newest_mark();
                    Stage::Open
                } else {
                    Stage::Reopening(waits)
                }
            }
            Stage::Heading(file, header, _) => {
                let waits = self.name(&header, script);
                Stage::Naming(file, header, waits)
            }
            Stage::Naming(file, header, mut waits) => {
                waits.retain(|wait| *wait != ticket);
                if waits.is_empty() {
                    self.take_over(file, &header, script);
                    Stage::Open
                } else {
                    Stage::Naming(file, header, waits)
                }
            }
        };
        Event::Progress
    }

    fn name(&self, header: &Header, script: &mut Script) -> Vec<Ticket> {
        script.push(Op::Rename { from: Spare::path(), to: path_of(header) });
        // With the first segment the directories above come into being, too.
        let first = self.current.is_none();
        let dirs: &[&str] = if first { &[DIR, "quorate", ""] } else { &[DIR] };
        sync_dirs(if planted!(NameNotSynced) { &[""] } else { dirs }, script)
    }

    /// The next segment stands: it is the current one from here on.
    fn take_over(&mut self, file: FileId, header: &Header, script: &mut Script) {
        if let Some(old) = self.current.take() {
            script.push(Op::Close { file: old.file });
        }
        if planted!(ReleaseFull) {
            self.doomed.extend(self.segments.drain(..).map(|segment| segment.path));
            self.remove(script);
        }
        self.segments.push_back(Segment { path: path_of(header), base: header.head.last.index });
        self.current = Some(Current {
            file,
            sequence: header.sequence,
            salt: header.salt,
            end: header::LEN,
            chain: header::crc(&header.encode()),
            durable: header::LEN,
            limit: self.segment_bytes,
        });
        self.spare = Spare::Absent;
        self.durable_mark = self.head.newest_mark();
    }

    /// Removes the oldest segment that is released. One at a time, each durable before the next:
    /// after a crash none may be missing between others.
    fn remove(&mut self, script: &mut Script) {
        if self.removing.is_none()
            && !self.failed
            && let Some(path) = self.doomed.pop_front()
        {
            let ticket = script.ticket();
            script.push(Op::Remove { path });
            script.push(Op::SyncDir { path: DIR.into(), ticket });
            self.removing = Some(ticket);
        }
    }

    fn removed(&mut self, script: &mut Script) {
        self.removing = None;
        self.remove(script);
        if self.removing.is_none() {
            self.retry(script);
        }
    }
}

impl Stage {
    fn waits_for(&self, ticket: Ticket) -> bool {
        match self {
            Self::Open | Self::Cutting => false,
            Self::Heading(_, _, wait) => *wait == ticket,
            Self::Reopening(waits) | Self::Naming(_, _, waits) => waits.contains(&ticket),
        }
    }
}

/// Makes the names in directories durable; hands back the tickets.
pub(super) fn sync_dirs(dirs: &[&str], script: &mut Script) -> Vec<Ticket> {
    let mut sync = |dir: &&str| {
        let ticket = script.ticket();
        script.push(Op::SyncDir { path: Arc::from(*dir), ticket });
        ticket
    };
    dirs.iter().map(&mut sync).collect()
}

fn path_of(header: &Header) -> Arc<str> {
    format!("{DIR}/{}", name::format(header.sequence, header.first_index(), "wal")).into()
}

/// A salt for each segment out of one random number (SplitMix64).
const fn scramble(entropy: u64, sequence: u64) -> u64 {
    let step = sequence.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut mixed = entropy.wrapping_add(step);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
