//! The disk of a process: the shell's executor over the simulated file system, one operation after
//! the other, each of which takes its time.

use std::sync::Arc;

use bytes::Bytes;
use quorate_core::disk::{DirEntry, DiskError, DiskErrorKind, Done, Op};
use quorate_shell::{Disk, Executor, Files, Reports, Step};
use tokio::sync::{mpsc, oneshot};

use super::process::Process;
use super::sleep::Sleep;
use super::state::World;
use crate::disk::{FileSystem, Inode};

/// The end of the disk that the loop holds.
pub(super) struct Queue {
    batches: mpsc::UnboundedSender<Vec<Op>>,
    ended: oneshot::Receiver<()>,
}

/// The end that carries operations out.
pub(super) struct Worker {
    directory: Directory,
    batches: mpsc::UnboundedReceiver<Vec<Op>>,
    reports: Reports,
    /// Dropped when the work has ended, which says so.
    _ended: oneshot::Sender<()>,
}

/// Both ends of the disk of a process.
pub(super) fn queue(world: World, process: Process, reports: Reports) -> (Queue, Worker) {
    let (sender, batches) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let directory = Directory { world, process };
    let queue = Queue { batches: sender, ended };
    (queue, Worker { directory, batches, reports, _ended: end })
}

impl Disk for Queue {
    fn submit(&mut self, ops: Vec<Op>) {
        // The worker ends only when this sender is dropped.
        let _ = self.batches.send(ops);
    }

    async fn close(self) {
        drop(self.batches);
        let _ = self.ended.await;
    }
}

impl Worker {
    /// Carries out all that comes.
    pub(super) async fn work(self) {
        let Self { directory, batches, reports, _ended } = self;
        carry_out(directory, batches, |done| reports.done(done)).await;
    }
}

/// Carries out batches, each operation at the end of the time that it takes.
async fn carry_out(
    directory: Directory,
    mut batches: mpsc::UnboundedReceiver<Vec<Op>>,
    mut report: impl FnMut(Done),
) {
    let (world, process) = (directory.world.clone(), directory.process);
    let mut executor = Executor::new(directory);
    loop {
        while let Ok(ops) = batches.try_recv() {
            executor.push(ops);
        }
        let takes = match executor.next() {
            Some(step) => world.lock().disk_takes(process, is_sync(step)),
            None => match batches.recv().await {
                Some(ops) => {
                    executor.push(ops);
                    continue;
                }
                None => return,
            },
        };
        Sleep::new(world.clone(), takes).await;
        executor.advance(&mut report);
    }
}

/// Whether a step waits for the medium.
const fn is_sync(step: Step<'_>) -> bool {
    matches!(step, Step::Sync | Step::Op(Op::SyncDir { .. }))
}

/// The data directory of a process.
struct Directory {
    world: World,
    process: Process,
}

impl Directory {
    /// Works on the files of the host, if the process still lives there.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut FileSystem) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.world.lock();
        let host = &mut state.hosts[self.process.host];
        if host.boot == self.process.boot { work(&mut host.files) } else { Err(ended()) }
    }
}

fn ended() -> DiskError {
    let message = "the process has ended".to_owned();
    DiskError { kind: DiskErrorKind::Other, message }
}

impl Files for Directory {
    type File = Inode;

    fn lock(&mut self) -> Result<(), DiskError> {
        self.with(FileSystem::lock)
    }

    fn make_dir(&mut self, path: &str) -> Result<(), DiskError> {
        self.with(|files| {
            files.make_dir(path);
            Ok(())
        })
    }

    fn list(&mut self, path: &str) -> Result<Vec<DirEntry>, DiskError> {
        self.with(|files| Ok(files.list(path)))
    }

    fn read(&mut self, path: &str) -> Result<Bytes, DiskError> {
        self.with(|files| files.read(path))
    }

    fn create(&mut self, path: &str) -> Result<Inode, DiskError> {
        self.with(|files| files.create(path))
    }

    fn open(&mut self, path: &str) -> Result<Inode, DiskError> {
        self.with(|files| files.open(path))
    }

    fn preallocate(&mut self, file: &mut Inode, len: u64) -> Result<(), DiskError> {
        self.with(|files| files.preallocate(*file, len))
    }

    fn write(&mut self, file: &mut Inode, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(|files| files.write(*file, at, Bytes::copy_from_slice(bytes)))
    }

    fn truncate(&mut self, file: &mut Inode, len: u64) -> Result<(), DiskError> {
        self.with(|files| {
            files.truncate(*file, len);
            Ok(())
        })
    }

    fn sync(&mut self, file: &mut Inode) -> Result<(), DiskError> {
        if let Some(error) = self.world.lock().sync_fails(self.process, *file) {
            return Err(error);
        }
        self.with(|files| {
            files.sync(*file);
            Ok(())
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.with(|files| files.rename(from, Arc::from(to)))
    }

    fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        self.with(|files| {
            files.remove(Arc::from(path));
            Ok(())
        })
    }

    fn sync_dir(&mut self, path: &str) -> Result<(), DiskError> {
        self.with(|files| {
            files.sync_dir(path);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
