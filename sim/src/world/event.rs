//! What can be planned.

use std::task::Waker;

use quorate_core::api::MembersRequest;

use super::process::Process;
use super::tcp::Due;
use crate::place::{Doom, Later};

/// Something that is going to happen.
#[derive(Debug)]
pub(super) enum Event {
    /// Somebody has slept long enough.
    Wake(Waker),
    /// Something of a connection is due.
    Tcp(Due),
    /// Something that the plan has caused.
    Later(Later),
    /// A member is asked for a change of the membership.
    Ask { host: usize, number: usize, request: MembersRequest },
    /// A process ends in the middle of a sync.
    Doom(Process, Doom),
    /// A machine has power again.
    Power(usize),
    /// A host starts the process that is to come.
    Start(Process),
    /// A process goes on after a pause.
    Resume(Process),
    /// Whoever asked for a graceful stop has lost patience.
    StopDeadline(Process),
    /// The faults end.
    Calm,
    /// Look whether the healthy quorum has settled.
    Look,
}

impl Event {
    /// What tells events of one moment apart in the digest of a run.
    pub(super) const fn number(&self) -> u64 {
        match self {
            Self::Wake(_) => 1,
            Self::Tcp(Due::Syn(_)) => 2,
            Self::Tcp(Due::Dialled(_)) => 3,
            Self::Tcp(Due::Segment(_)) => 4,
            Self::Tcp(Due::Window(_)) => 5,
            Self::Tcp(Due::Reset(_)) => 6,
            Self::Later(later) => {
                let (kind, whom) = later.numbers();
                7 + (kind << 32) + ((whom as u64) << 8)
            }
            Self::Doom(process, ..) => 9 + ((process.host as u64) << 8),
            Self::Power(host) => 10 + ((*host as u64) << 8),
            Self::Start(process) => 11 + ((process.host as u64) << 8),
            Self::Resume(process) => 12 + ((process.host as u64) << 8),
            Self::StopDeadline(process) => 13 + ((process.host as u64) << 8),
            Self::Ask { host, .. } => 17 + ((*host as u64) << 8),
            Self::Calm => 15,
            Self::Look => 16,
        }
    }
}
