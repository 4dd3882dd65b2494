//! The disk thread.

use std::path::PathBuf;
use std::process::exit;
use std::sync::mpsc;
use std::thread;

use quorate_core::disk::Op;
use quorate_shell::{Disk, Executor, Reports};
use tokio::sync::oneshot;
use tracing::Span;

use super::files::DataDir;
use crate::EXIT_FAULT;

/// Carries out disk operations on a thread of its own, so that no other task waits for the disk.
#[derive(Debug)]
pub(crate) struct DiskThread {
    batches: mpsc::Sender<Vec<Op>>,
    ended: oneshot::Receiver<()>,
}

impl DiskThread {
    /// Starts the thread. It touches nothing before the first operation.
    pub(super) fn start(data_dir: PathBuf, reports: Reports, span: Option<Span>) -> Self {
        let (batches, waiting) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        thread::spawn(move || {
            let _entered = span.as_ref().map(Span::enter);
            let _bomb = Bomb;
            work(data_dir, &waiting, &reports);
            // The lock of the data directory was released with the files.
            let _ = end.send(());
        });
        Self { batches, ended }
    }
}

impl Disk for DiskThread {
    fn submit(&mut self, ops: Vec<Op>) {
        // The thread ends only when this sender is dropped.
        let _ = self.batches.send(ops);
    }

    async fn close(self) {
        drop(self.batches);
        let _ = self.ended.await;
    }
}

/// Takes all batches that wait together, so that their syncs can become one.
fn work(data_dir: PathBuf, waiting: &mpsc::Receiver<Vec<Op>>, reports: &Reports) {
    let mut executor = Executor::new(DataDir::new(data_dir));
    while let Ok(first) = waiting.recv() {
        let ops = first.into_iter().chain(waiting.try_iter().flatten());
        executor.run(ops, &mut |done| reports.done(done));
    }
}

/// Ends the process if the thread panics: a node whose disk has vanished would wait for ever.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if thread::panicking() {
            exit(i32::from(EXIT_FAULT));
        }
    }
}
