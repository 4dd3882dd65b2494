//! Making a whole data directory for a member that has not run on it.
//!
//! What a directory is to hold comes from elsewhere: from the data of an etcd member, or from a
//! backup. It is written under a name of its own, and gets its final one when all of it is durable:
//! so whoever is cut off leaves nothing that could be started.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use crate::boot::disk_state::ROOT;
use crate::boot::identity::Identity;
use crate::disk::{DiskError, Done, Op, Replace, Script, Ticket};
use crate::error::Refusal;
use crate::raft::{Entry, LogId, Snapshot};
use crate::snap::{self, SaveEvent, Saver};
use crate::wal::{self, Batch, HardState, Owner, Wal};

/// Entries go into batches of about this many bytes.
const BATCH: usize = 4 << 20;

/// What a data directory holds, but for the identity that each gets for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Whose it is.
    pub owner: Owner,
    /// Its term, its vote and what it knows to be committed.
    pub hard_state: HardState,
    /// The snapshot that the log follows; nothing if that begins with its first entry.
    pub snapshot: Option<Snapshot>,
    /// The log behind the snapshot.
    pub entries: Vec<Entry>,
}

/// A data directory being written. It has to be told of the end of every disk operation.
#[derive(Debug)]
pub struct Making {
    content: Content,
    entropy: [u8; 32],
    segment_bytes: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Locking(Ticket),
    Identity(Replace),
    Snapshot(Saver),
    Log(Box<Wal>, Ticket),
    Directories(BTreeSet<Ticket>),
    Over,
}

impl Making {
    /// Begins to write. `entropy` comes from the platform: it makes the incarnation of the new
    /// directory and the salt of its log, whose segments are `segment_bytes` long.
    pub fn begin(
        content: Content,
        entropy: [u8; 32],
        segment_bytes: u64,
        script: &mut Script,
    ) -> Self {
        let ticket = script.ticket();
        script.push(Op::Lock { ticket });
        Self { content, entropy, segment_bytes, step: Step::Locking(ticket) }
    }

    /// Takes the end of a disk operation. Gives whether all is written and durable.
    ///
    /// # Errors
    /// The disk failed.
    pub fn handle(&mut self, done: &Done, script: &mut Script) -> Result<bool, Refusal> {
        let step = core::mem::replace(&mut self.step, Step::Over);
        self.step = match step {
            Step::Locking(ticket) if ticket == done.ticket => {
                succeeded(done)?;
                Step::Identity(Identity::next(None, &self.entropy)?.write(script))
            }
            Step::Identity(mut file) => {
                succeeded(done)?;
                if file.done(done.ticket, script) {
                    self.snapshot(script)
                } else {
                    Step::Identity(file)
                }
            }
            Step::Snapshot(mut saver) => match saver.handle(done, script) {
                SaveEvent::Saved(id) => self.log(id, script),
                SaveEvent::Failed(error) => return Err(failed(&error)),
                SaveEvent::Progress | SaveEvent::Unrelated => Step::Snapshot(saver),
            },
            Step::Log(mut wal, last) => match wal.handle(done, script) {
                wal::Event::Durable(ticket) if ticket == last => directories(script),
                wal::Event::Fault(error) => return Err(failed(&error)),
                _ => match wal.full() {
                    Some(error) => return Err(failed(error)),
                    None => Step::Log(wal, last),
                },
            },
            Step::Directories(mut waiting) => {
                succeeded(done)?;
                waiting.remove(&done.ticket);
                if waiting.is_empty() {
                    return Ok(true);
                }
                Step::Directories(waiting)
            }
            step => step,
        };
        Ok(false)
    }

    fn snapshot(&self, script: &mut Script) -> Step {
        match &self.content.snapshot {
            None => self.log(LogId::default(), script),
            Some(snapshot) => {
                script.push(Op::MakeDir { path: snap::DIR.into() });
                Step::Snapshot(Saver::start(self.content.owner, snapshot, script))
            }
        }
    }

    fn log(&self, base: LogId, script: &mut Script) -> Step {
        let Content { owner, hard_state, entries, .. } = &self.content;
        let start = wal::HardState { commit: base.index, ..wal::HardState::default() };
        let mut wal =
            Wal::create(*owner, wal::salt(&self.entropy), self.segment_bytes, start, base, script);
        let mut rest = entries.as_slice();
        loop {
            let (now, later) = rest.split_at(batch_of(rest));
            let hard_state = later.is_empty().then_some(*hard_state);
            let batch = Batch { hard_state, entries: now, mark: None };
            let ticket = wal.append(&batch, script);
            if later.is_empty() {
                return Step::Log(Box::new(wal), ticket);
            }
            rest = later;
        }
    }
}

/// How many entries go into one batch: at least one, if there is one.
fn batch_of(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take_while(|entry| {
        let before = bytes;
        bytes += entry.data.len() + 64;
        before < BATCH
    });
    fits.count()
}

fn directories(script: &mut Script) -> Step {
    let sync = |path: &str| {
        let ticket = script.ticket();
        script.push(Op::SyncDir { path: path.into(), ticket });
        ticket
    };
    Step::Directories([snap::DIR, wal::DIR, ROOT, ""].map(sync).into())
}

fn succeeded(done: &Done) -> Result<(), Refusal> {
    done.result.as_ref().map(|_| ()).map_err(failed)
}

fn failed(error: &DiskError) -> Refusal {
    Refusal::new(format!("cannot write the new data directory: {}", error.message))
        .hint("nothing was made of it; make room or choose another -data-dir, and start again")
}
