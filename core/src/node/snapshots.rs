//! Snapshots of a running member: its own, so that the log can be cut; those that it sends; and
//! those that replace its state.
//!
//! One thing at a time: encoding and decoding are handed out, files are written piece by piece,
//! and only the mark in the log makes a snapshot count.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use super::effects::Effects;
use super::input::{CallId, Computed};
use super::output::{Output, Task};
use super::running::Running;
use crate::api::Response;
use crate::auth::Auth;
use crate::disk::{DiskErrorKind, Done, Ticket};
use crate::member::Cluster;
use crate::note::Note;
use crate::raft::{ConfState, Entry, LogId, Snapshot};
use crate::snap::{SaveEvent, Saver, Shelf};
use crate::store::{Image, Store};
use crate::time::Instant;
use crate::wal::{self, Mark};

/// What is being done about snapshots.
#[derive(Debug)]
pub(super) struct Snapshots {
    shelf: Shelf,
    /// The applied index from which on the next own snapshot is made.
    due: u64,
    job: Job,
}

#[derive(Debug, Default)]
enum Job {
    #[default]
    Idle,
    /// The applied state is being dumped.
    Encoding { call: CallId, last: LogId, conf: ConfState, save: bool },
    /// A snapshot of the leader is being read.
    Decoding { call: CallId, snapshot: Box<Snapshot> },
    /// A file is being written: of this member's state, or of what replaces it.
    Saving { saver: Saver, replaces: Option<Box<(Snapshot, Image)>> },
    /// The mark is on its way to the disk.
    Marking { ticket: Ticket, last: LogId },
}

impl Snapshots {
    /// Nothing is being done. The state was restored from a snapshot at `last`, or is empty.
    pub(super) const fn new(shelf: Shelf, last: u64, count: u64) -> Self {
        Self { shelf, due: last.saturating_add(count), job: Job::Idle }
    }
}

impl Running {
    /// Begins what is due.
    pub(super) fn run_snapshots(&mut self, fx: &mut Effects<'_>) {
        if !matches!(self.snapshots.job, Job::Idle) {
            return;
        }
        if let Some(snapshot) = self.raft.take_incoming() {
            let call = fx.call();
            fx.out.push(Output::Compute { call, task: Task::Decode(snapshot.data.clone()) });
            self.snapshots.job = Job::Decoding { call, snapshot: Box::new(snapshot) };
            return;
        }
        let index = self.raft.applied_index();
        let save = index >= self.snapshots.due;
        if save || self.raft.wants_snapshot() {
            let mut last = LogId { term: self.applied_term, index };
            if planted!(ApplyTwice) {
                last = self.raft.log().get(index - 1).map_or(last, Entry::id);
            }
            let conf = self.raft.conf().into();
            let call = fx.call();
            fx.out.push(Output::Compute { call, task: Task::Encode(self.store.image()) });
            self.snapshots.job = Job::Encoding { call, last, conf, save };
        }
    }

    /// A computation has ended.
    pub(super) fn take_computed(
        &mut self,
        now: Instant,
        call: CallId,
        result: Computed,
        fx: &mut Effects<'_>,
    ) {
        match (core::mem::take(&mut self.snapshots.job), result) {
            (Job::Encoding { call: asked, mut last, conf, save }, Computed::Encoded(data))
                if asked == call =>
            {
                if planted!(SkipApply) {
                    last = LogId { term: self.applied_term, index: self.raft.applied_index() };
                }
                let snapshot = Snapshot { last, conf, data };
                // What was wanted in the meantime can have it too.
                if last.index >= self.raft.log().base().index {
                    self.raft.send_snapshot(&snapshot);
                }
                if save {
                    let saver = Saver::start(self.owner, &snapshot, fx.script);
                    self.snapshots.job = Job::Saving { saver, replaces: None };
                }
            }
            (Job::Decoding { call: asked, snapshot }, Computed::Decoded(image))
                if asked == call =>
            {
                match image {
                    Ok(image) => {
                        let saver = Saver::start(self.owner, &snapshot, fx.script);
                        let replaces = Some(Box::new((*snapshot, image)));
                        self.snapshots.job = Job::Saving { saver, replaces };
                    }
                    Err(cause) => self.give_up_install(now, cause, fx),
                }
            }
            (job, _) => self.snapshots.job = job,
        }
    }

    /// A disk operation has ended that was not the log's.
    pub(super) fn snapshot_written(&mut self, now: Instant, done: &Done, fx: &mut Effects<'_>) {
        let Job::Saving { saver, .. } = &mut self.snapshots.job else { return };
        match saver.handle(done, fx.script) {
            SaveEvent::Saved(last) => {
                let job = core::mem::take(&mut self.snapshots.job);
                let Job::Saving { replaces, .. } = job else { unreachable!("it was saving") };
                match replaces {
                    None => self.mark(Mark::Saved(last), fx),
                    Some(replaces) => self.install(now, *replaces, fx),
                }
            }
            // What else failed on this disk is not known; and it will hold the log.
            SaveEvent::Failed(error) if error.kind != DiskErrorKind::NoSpace => {
                self.fault("writing a snapshot failed", &error);
            }
            SaveEvent::Failed(error) => {
                let job = core::mem::take(&mut self.snapshots.job);
                if matches!(job, Job::Saving { replaces: Some(_), .. }) {
                    self.give_up_install(now, error.message, fx);
                } else {
                    fx.note(Note::SnapshotFailed { cause: error.message });
                    let wait = (self.config.snapshot_count / 10).max(1);
                    self.snapshots.due = self.raft.applied_index().saturating_add(wait);
                }
            }
            SaveEvent::Progress | SaveEvent::Unrelated => {}
        }
    }

    fn give_up_install(&mut self, now: Instant, cause: String, fx: &mut Effects<'_>) {
        fx.note(Note::SnapshotFailed { cause });
        self.raft.not_installed(now);
    }

    /// Writes into the log that a snapshot counts from here on.
    fn mark(&mut self, mark: Mark, fx: &mut Effects<'_>) {
        let hard = self.raft.hard_state();
        let batch = wal::Batch { hard_state: Some(hard), entries: &[], mark: Some(mark) };
        let ticket = self.wal.append(&batch, fx.script);
        self.durability.began(ticket, Some(hard), None);
        self.snapshots.job = Job::Marking { ticket, last: mark.id() };
        self.snapshots.due = mark.id().index.saturating_add(self.config.snapshot_count);
    }

    /// The log up to `ticket` is durable.
    pub(super) fn snapshot_marked(&mut self, ticket: Ticket, fx: &mut Effects<'_>) {
        let Job::Marking { ticket: wanted, last } = self.snapshots.job else { return };
        if ticket < wanted {
            return;
        }
        self.snapshots.job = Job::Idle;
        self.snapshots.shelf.marked(last, fx.script);
        fx.note(Note::SnapshotSaved { last });
        self.raft.compact(last.index.saturating_sub(self.config.snapshot_catch_up_entries));
        // The log reaches back to the snapshot before, in case that this one cannot be read.
        let before = self.snapshots.shelf.kept().iter().rev().nth(1);
        let keep_from = before.map_or(0, |before| before.index) + 1;
        self.wal.release(keep_from, fx.script);
    }

    /// The leader's state takes the place of this member's.
    fn install(
        &mut self,
        now: Instant,
        (snapshot, image): (Snapshot, Image),
        fx: &mut Effects<'_>,
    ) {
        self.raft.installed(now, &snapshot);
        self.mark(Mark::Installed(snapshot.last), fx);
        let told = self.store.as_image().index();
        self.store = Store::from_image(image);
        self.cluster = Arc::new(Cluster::from_image(self.store.as_image()));
        self.auth = Arc::new(Auth::from_image(self.store.as_image()));
        self.applied_term = snapshot.last.term;
        self.changed = true;
        if !planted!(SilentSnapshot) {
            self.catch_up_watchers(told);
        }
        self.duties.publish_again(now);
        if self.cluster.removed.contains(&self.owner.member) {
            self.stop.removed(now);
        }
        let store_index = self.store.as_image().index();
        fx.note(Note::Applied { last: snapshot.last, store_index });
    }

    /// Watchers learn what they missed, or that it is not known any more.
    fn catch_up_watchers(&mut self, told: u64) {
        let replies = &mut self.replies;
        self.hub.catch_up(told, self.store.as_image().history(), |id, event, last| {
            let response = match event {
                Ok(event) => Response::Event(event.clone()),
                Err(error) => Response::WatchRefused(error.clone()),
            };
            replies.push(Output::Reply { id, response: Box::new(response), last });
        });
    }
}
