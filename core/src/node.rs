//! One member of a cluster as a pure state machine: events in, actions out.

pub mod input;
pub mod output;

use alloc::vec::Vec;

pub use input::{CallId, ClientId, Computed, Input, LinkEvent};
pub use output::{Exit, Output, Peer, Task};

use crate::config::Config;
use crate::time::{Instant, Now};

/// One member.
#[derive(Debug)]
pub struct Node {}

impl Node {
    /// A node that has not begun: the first [`Input::Wake`] starts it. `seed` feeds its timers'
    /// jitter and nothing that must be secret.
    pub fn new(_config: Config, _seed: [u8; 32], _now: Now) -> Self {
        todo!()
    }

    /// Takes one input and pushes what is to be done about it, in order.
    pub fn handle(&mut self, _now: Now, _input: Input, _out: &mut Vec<Output>) {
        todo!()
    }

    /// When [`Input::Wake`] is due at the latest, and why.
    pub fn deadline(&self) -> Option<(Instant, Timer)> {
        todo!()
    }
}

/// Why a node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Effects were collected and wait to go out.
    Flush,
    /// No leader was heard from for the election timeout.
    Election,
    /// The leader's next heartbeat.
    Heartbeat,
    /// The leader checks whether a quorum is still there.
    CheckQuorum,
    /// The leader proposes the removal of what has expired.
    Expire,
    /// Asking the other members again before forming.
    Ask,
    /// Publishing this member's attributes again.
    Publish,
    /// A client request runs out of time.
    Request,
    /// Asking the other members for their version.
    Version,
    /// Looking whether a full disk has space again.
    DiskRetry,
    /// Graceful stop: hand-over has taken too long.
    Stop,
}
