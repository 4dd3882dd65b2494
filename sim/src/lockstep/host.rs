//! One host: its process if it runs, its clocks, its disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use quorate_core::id::MemberId;
use quorate_core::node::{ClientId, Input};
use quorate_core::view::View;

use super::event::{Doom, Process, Queued};
use crate::clock::Clock;
use crate::disk::{Disk, FileSystem};
use crate::plan::{Moment, WrongList};

/// What a host has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A part of its data was damaged.
    Rot,
    /// All of its data.
    Wiped,
}

/// One host. What is lost at the end of its process lies in [`Running`].
#[derive(Debug)]
pub(super) struct Host<M> {
    pub(super) boot: u32,
    pub(super) running: Option<Running<M>>,
    pub(super) clock: Clock,
    pub(super) disk: Disk,
    /// Whether the disk is full.
    pub(super) full: bool,
    /// Why it may never start again, if that is so.
    pub(super) lost: Option<Loss>,
    /// What is wrong with the list of members that it is started with.
    pub(super) wrong_list: Option<WrongList>,
    /// Whether it was ever started with the right list.
    pub(super) listed: bool,
    /// Whether it ever took part in the cluster.
    pub(super) formed: bool,
    /// A copy of its data that was put aside.
    pub(super) copy: Option<FileSystem>,
    /// Who lives here, as far as it said so; kept over restarts.
    pub(super) member: Option<MemberId>,
    /// The member that belongs here by the right list.
    pub(super) listed_as: MemberId,
    /// Whether its removal was proposed.
    pub(super) asked_to_leave: bool,
    /// How often it ended because it was removed.
    pub(super) left: u32,
    /// How often it ended after it had lost its data, or its place in the cluster.
    pub(super) hopeless: u32,
}

/// A process.
#[derive(Debug)]
pub(super) struct Running<M> {
    pub(super) machine: M,
    pub(super) view: Option<Arc<View>>,
    pub(super) listening: bool,
    pub(super) peers: Vec<Link>,
    /// Inputs that wait because the process is paused.
    pub(super) paused: Option<VecDeque<Input>>,
    /// Whether the end of a batch is on the heap.
    pub(super) batch: bool,
    /// The earliest look at the deadline that is on the heap.
    pub(super) look_at: Option<u64>,
    pub(super) disk_queue: VecDeque<Queued>,
    pub(super) disk_free_at: u64,
    /// Clients whose answers are due, and the turns in which they asked.
    pub(super) requests: BTreeMap<ClientId, (usize, u64)>,
    /// If it was asked to stop: how many microseconds it then stays down.
    pub(super) stopping: Option<u64>,
    /// Whether its disk gave it a reason to end: it was full, or a sync failed.
    pub(super) excused: bool,
    /// Whether it has not decided yet who it is.
    pub(super) booting: bool,
    /// What is wrong with the list of members that it was started with.
    pub(super) wrong_list: Option<WrongList>,
    /// Whether its resolver told it something wrong, or nothing.
    pub(super) misinformed: bool,
    /// What it found in its directory, if that may be damaged.
    pub(super) found: Option<Directory>,
    /// A crash that was put off, and until when.
    pub(super) doomed: Option<(Moment, Doom)>,
    /// A sync has failed, and the node was told.
    pub(super) must_halt: bool,
    /// The term in which it leads, by its own notes.
    pub(super) leads_in: Option<u64>,
}

/// A directory that may be damaged, before anybody used it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory {
    /// The digest of all that is in it.
    pub(super) digest: u64,
    /// How many reads have been wrong in it.
    pub(super) misreads: u64,
}

/// A connection to a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) peer: MemberId,
    pub(super) host: Option<usize>,
    /// Whether the last attempt to reach it succeeded.
    pub(super) up: bool,
    /// When the last message arrives, for links that keep the order.
    pub(super) last: u64,
}

impl<M> Running<M> {
    /// Whether it leads, by its own notes.
    pub(super) const fn leads(&self) -> bool {
        self.leads_in.is_some()
    }

    pub(super) const fn new(machine: M, excused: bool, found: Option<Directory>) -> Self {
        Self {
            machine,
            view: None,
            listening: false,
            peers: Vec::new(),
            paused: None,
            batch: false,
            look_at: None,
            disk_queue: VecDeque::new(),
            disk_free_at: 0,
            requests: BTreeMap::new(),
            stopping: None,
            excused,
            booting: true,
            wrong_list: None,
            misinformed: false,
            found,
            doomed: None,
            must_halt: false,
            leads_in: None,
        }
    }
}

impl<M> Host<M> {
    pub(super) fn new(clock: Clock, listed_as: MemberId) -> Self {
        let disk = Disk::default();
        Self {
            boot: 0,
            running: None,
            clock,
            disk,
            full: false,
            lost: None,
            wrong_list: None,
            listed: false,
            formed: false,
            copy: None,
            member: None,
            listed_as,
            asked_to_leave: false,
            left: 0,
            hopeless: 0,
        }
    }

    /// A process that has not decided yet finds the directory as it is now.
    pub(super) fn damaged(&mut self) {
        let found = self.directory();
        if let Some(running) = self.running.as_mut().filter(|running| running.booting) {
            // What it has misread before is still a reason to refuse.
            let before = running.found.map(|before| before.misreads);
            running.found = found
                .map(|found| Directory { misreads: before.unwrap_or(found.misreads), ..found });
        }
    }

    /// What the directory is like, if a start may be refused for that.
    pub(super) fn directory(&mut self) -> Option<Directory> {
        let files = self.disk.files();
        let suspect = self.lost == Some(Loss::Rot) || files.will_misread();
        suspect.then(|| Directory { digest: files.digest(), misreads: files.misreads() })
    }

    /// The process with this number, if it still runs.
    pub(super) fn process(&mut self, process: Process) -> Option<&mut Running<M>> {
        if self.boot == process.boot { self.running.as_mut() } else { None }
    }
}
