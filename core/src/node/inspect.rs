//! What a test may look at.

use super::{Node, Phase};
use crate::member::Cluster;
use crate::raft::Raft;
use crate::store::Image;

/// The inside of a running member, to be read by oracles. Nothing in production depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Inspection<'a> {
    /// Term, log, commit index and configuration.
    pub raft: &'a Raft,
    /// The state as of the last applied entry.
    pub store: &'a Image,
    /// The members as of the last applied entry.
    pub cluster: &'a Cluster,
    /// Whether plain reads are answered.
    pub ready: bool,
}

impl Node {
    /// The inside of the member, also once it has halted; absent while it starts,
    /// and of a proxy.
    pub fn inspect(&self) -> Option<Inspection<'_>> {
        match &self.phase {
            Phase::Running(running) | Phase::Over(Some(running)) => Some(Inspection {
                raft: &running.raft,
                store: running.store.as_image(),
                cluster: &running.cluster,
                ready: running.ready,
            }),
            Phase::Booting(..) | Phase::Proxying(_) | Phase::Over(None) => None,
        }
    }
}
