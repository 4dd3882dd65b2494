//! One host: its process if it runs, its clocks, its disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use quorate_core::id::MemberId;
use quorate_core::node::{CallId, ClientId, Input};
use quorate_core::view::View;

use super::event::{Process, Queued, To};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::place::{Doom, Reasons};
use crate::plan::Moment;

/// One host. What is lost at the end of its process lies in [`Running`].
#[derive(Debug)]
pub(super) struct Host<M> {
    pub(super) boot: u32,
    pub(super) running: Option<Running<M>>,
    pub(super) clock: Clock,
    pub(super) disk: Disk,
    /// Whether the disk is full.
    pub(super) full: bool,
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
    /// Changes of the membership that somebody asks for, by their numbers.
    pub(super) operations: BTreeMap<ClientId, usize>,
    /// Members that ask for something that a quorum has to confirm.
    pub(super) questions: BTreeMap<ClientId, (Process, CallId)>,
    /// If it was asked to stop: how many microseconds it then stays down.
    pub(super) stopping: Option<u64>,
    /// What gives it a reason to end.
    pub(super) reasons: Reasons,
    /// A crash that was put off, and until when.
    pub(super) doomed: Option<(Moment, Doom)>,
    /// The term in which it leads, by its own notes.
    pub(super) leads_in: Option<u64>,
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
    /// The link to a peer, if it is listed there still.
    pub(super) fn link(&mut self, to: To) -> Option<&mut Link> {
        self.peers.iter_mut().find(|link| link.peer == to.peer && link.host == Some(to.host))
    }

    /// Whether it leads, by its own notes.
    pub(super) const fn leads(&self) -> bool {
        self.leads_in.is_some()
    }

    pub(super) const fn new(machine: M, reasons: Reasons) -> Self {
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
            operations: BTreeMap::new(),
            questions: BTreeMap::new(),
            stopping: None,
            reasons,
            doomed: None,
            leads_in: None,
        }
    }
}

impl<M> Host<M> {
    pub(super) fn new(clock: Clock) -> Self {
        let disk = Disk::default();
        Self { boot: 0, running: None, clock, disk, full: false }
    }

    /// The last view that its process has published.
    pub(super) fn view(&self) -> Option<&View> {
        self.running.as_ref()?.view.as_deref()
    }

    /// The process with this number, if it still runs.
    pub(super) fn process(&mut self, process: Process) -> Option<&mut Running<M>> {
        if self.boot == process.boot { self.running.as_mut() } else { None }
    }
}
