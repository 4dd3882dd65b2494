//! One host: its process if it runs, its clocks, its disk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use madsim::runtime::Handle;
use madsim::task::NodeId;
use quorate_core::Node;
use quorate_core::node::CallId;
use quorate_core::view::View;
use quorate_shell::Stopper;

use super::process::Process;
use super::state::State;
use crate::clock::Clock;
use crate::disk::FileSystem;
use crate::members::DISCOVERY;
use crate::place::{Doom, Reasons};

/// One host. What is lost at the end of its process lies in [`Running`].
#[derive(Debug)]
pub(super) struct Host {
    /// What the runtime calls it.
    pub(super) id: NodeId,
    pub(super) boot: u32,
    pub(super) running: Option<Running>,
    pub(super) clock: Clock,
    pub(super) files: FileSystem,
    /// Whether the disk is full.
    pub(super) full: bool,
}

/// The process of a member.
pub(super) struct Running {
    pub(super) node: Arc<Mutex<Node>>,
    pub(super) stopper: Stopper,
    pub(super) view: Option<Arc<View>>,
    pub(super) paused: bool,
    /// If it was asked to stop: how many microseconds it then stays down.
    pub(super) stopping: Option<u64>,
    pub(super) reasons: Reasons,
    /// Whom it asks for the members, and what that one showed when it was asked.
    pub(super) questions: BTreeMap<CallId, (usize, Option<Arc<View>>)>,
    /// Whether its node has halted, so that the process is about to end.
    pub(super) halted: bool,
    /// A crash that was put off until its next sync.
    pub(super) doomed: Option<Doom>,
    /// Whether it leads, by its own notes.
    pub(super) leads: bool,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Host {
    /// The host of a member.
    pub(super) fn member(runtime: &Handle, host: usize, clock: Clock) -> Self {
        Self::named(runtime, &format!("n{host}"), clock)
    }

    /// The host of all clients, which is never struck by anything.
    pub(super) fn of_clients(runtime: &Handle) -> Self {
        Self::named(runtime, "clients", Clock::new(0, 0))
    }

    /// The host of the discovery service, where that is a cluster of its own.
    pub(super) fn of_service(runtime: &Handle, clock: Clock) -> Self {
        Self::named(runtime, DISCOVERY, clock)
    }

    /// The last view that its process has published.
    pub(super) fn view(&self) -> Option<&Arc<View>> {
        self.running.as_ref()?.view.as_ref()
    }

    fn named(runtime: &Handle, name: &str, clock: Clock) -> Self {
        Self {
            id: runtime.create_node().name(name).build().id(),
            boot: 0,
            running: None,
            clock,
            files: FileSystem::default(),
            full: false,
        }
    }
}

impl Running {
    pub(super) const fn new(node: Arc<Mutex<Node>>, stopper: Stopper, reasons: Reasons) -> Self {
        Self {
            node,
            stopper,
            view: None,
            paused: false,
            stopping: None,
            reasons,
            questions: BTreeMap::new(),
            halted: false,
            doomed: None,
            leads: false,
        }
    }
}

impl Running {
    /// The node, which nobody holds for long.
    pub(super) fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The process that runs on a host now, if one does.
    pub(super) fn current(&self, host: usize) -> Option<Process> {
        let here = self.hosts.get(host)?;
        here.running.as_ref().map(|_| Process { host, boot: here.boot })
    }

    /// A process, if it still runs.
    pub(super) fn running(&mut self, process: Process) -> Option<&mut Running> {
        let host = self.hosts.get_mut(process.host)?;
        if host.boot == process.boot { host.running.as_mut() } else { None }
    }
}
