//! Writes one snapshot file.

use alloc::sync::Arc;

use bytes::Bytes;

use super::{DIR, frame, path};
use crate::disk::{DiskError, Done, FileId, Op, Script, Ticket};
use crate::raft::{LogId, Snapshot};
use crate::wal::Owner;

/// Data is written in pieces of at most this many bytes, so that the disk can do something else
/// in between.
const PIECE: usize = 1 << 20;

/// Writes one snapshot file. It is to be thrown away once it has said [`SaveEvent::Saved`] or
/// [`SaveEvent::Failed`].
#[derive(Debug)]
pub struct Saver {
    id: LogId,
    temporary: Arc<str>,
    path: Arc<str>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Waits for the content to be durable.
    Writing(FileId, Ticket),
    /// Waits for the name to be durable.
    Naming(Ticket),
    Over,
}

/// What the end of a disk operation meant for the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveEvent {
    /// The file is durable: its mark can be appended to the log.
    Saved(LogId),
    /// The file could not be written, and what there was of it is removed. Nothing is lost: the
    /// log still holds the entries.
    Failed(DiskError),
    /// The operation belonged to the snapshot, and there is nothing to tell.
    Progress,
    /// The operation did not belong to the snapshot.
    Unrelated,
}

impl Saver {
    /// Begins to write a snapshot. Its directory was made together with the log.
    pub fn start(owner: Owner, snapshot: &Snapshot, script: &mut Script) -> Self {
        let id = snapshot.last;
        let temporary: Arc<str> = path(id, "tmp").into();
        script.push(Op::Remove { path: temporary.clone() });
        let file = script.file();
        script.push(Op::Create { file, path: temporary.clone() });
        let (head, crc) = frame(owner, snapshot);
        let data = &snapshot.data;
        let pieces = (0..data.len())
            .step_by(PIECE)
            .map(|start| data.slice(start..data.len().min(start + PIECE)));
        let mut at = 0;
        for bytes in [head].into_iter().chain(pieces).chain([Bytes::copy_from_slice(&crc)]) {
            let len = bytes.len() as u64;
            script.push(Op::Write { file, at, bytes });
            at += len;
        }
        let ticket = script.ticket();
        script.push(match planted!(RenameBeforeSync) {
            false => Op::Sync { file, ticket },
            true => Op::SyncDir { path: DIR.into(), ticket },
        });
        Self { id, temporary, path: path(id, "snap").into(), step: Step::Writing(file, ticket) }
    }

    /// The entry up to which the snapshot stands.
    pub const fn id(&self) -> LogId {
        self.id
    }

    /// Takes the end of a disk operation.
    pub fn handle(&mut self, done: &Done, script: &mut Script) -> SaveEvent {
        match (&self.step, &done.result) {
            (Step::Writing(file, ticket), result) if *ticket == done.ticket => {
                script.push(Op::Close { file: *file });
                if let Err(error) = result {
                    return self.fail(error, script);
                }
                let ticket = script.ticket();
                let (from, to) = (self.temporary.clone(), self.path.clone());
                script.push(Op::Rename { from, to });
                script.push(Op::SyncDir { path: DIR.into(), ticket });
                self.step = Step::Naming(ticket);
                SaveEvent::Progress
            }
            (Step::Naming(ticket), result) if *ticket == done.ticket => match result {
                Ok(_) => {
                    self.step = Step::Over;
                    SaveEvent::Saved(self.id)
                }
                Err(error) => self.fail(error, script),
            },
            _ => SaveEvent::Unrelated,
        }
    }

    fn fail(&mut self, error: &DiskError, script: &mut Script) -> SaveEvent {
        // A file that already has its name may stay: without a mark it does not count, and it
        // might be one that the log has marked before.
        script.push(Op::Remove { path: self.temporary.clone() });
        self.step = Step::Over;
        SaveEvent::Failed(error.clone())
    }
}
