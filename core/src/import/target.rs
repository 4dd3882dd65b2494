//! Writing a data directory of Quorate that holds what was read of etcd's.
//!
//! It is written into a directory of its own, which gets its final name when all of it is durable:
//! so an import that is cut off leaves nothing that could be started.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;

use super::Imported;
use crate::boot::disk_state::ROOT;
use crate::boot::identity::Identity;
use crate::disk::{DiskError, Done, Op, Replace, Script, Ticket};
use crate::error::Refusal;
use crate::raft::LogId;
use crate::snap::{self, SaveEvent, Saver};
use crate::wal::{self, Batch, Wal};

/// Entries go into batches of about this many bytes.
const BATCH: usize = 4 << 20;

/// A data directory being written. It has to be told of the end of every disk operation.
#[derive(Debug)]
pub struct Target {
    imported: Imported,
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

impl Target {
    /// Begins to write. `entropy` comes from the platform: it makes the incarnation of the new
    /// directory and the salt of its log, whose segments are `segment_bytes` long.
    pub fn begin(
        imported: Imported,
        entropy: [u8; 32],
        segment_bytes: u64,
        script: &mut Script,
    ) -> Self {
        let ticket = script.ticket();
        script.push(Op::Lock { ticket });
        Self { imported, entropy, segment_bytes, step: Step::Locking(ticket) }
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
        match &self.imported.snapshot {
            None => self.log(LogId::default(), script),
            Some(snapshot) => {
                script.push(Op::MakeDir { path: snap::DIR.into() });
                Step::Snapshot(Saver::start(self.imported.owner, snapshot, script))
            }
        }
    }

    fn log(&self, base: LogId, script: &mut Script) -> Step {
        let Imported { owner, hard_state, entries, .. } = &self.imported;
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
fn batch_of(entries: &[crate::raft::Entry]) -> usize {
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
        .hint("nothing was imported; make room or choose another -data-dir, and start again")
}
