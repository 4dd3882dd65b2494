//! How a running member ends.

use alloc::vec::Vec;

use super::effects::Effects;
use super::output::Exit;
use super::running::Running;
use crate::time::{Duration, Instant};

/// How long a removed member stays, so that others can still learn from it.
const REMOVED_STAY: Duration = Duration::from_secs(1);

/// What a removed member says. In etcd's words, which tools look for.
const REMOVED_LINES: [&str; 2] = [
    "the member has been permanently removed from the cluster",
    "the data-dir used by this member must be removed.",
];

/// Whether a member is ending, and when it does at the latest.
#[derive(Debug, Default)]
pub(super) enum Stop {
    /// It is not.
    #[default]
    No,
    /// It was asked to, and hands leadership over if it has it.
    Asked { until: Instant },
    /// It was removed from the cluster.
    Removed { at: Instant },
}

impl Stop {
    pub(super) const fn is_stopping(&self) -> bool {
        !matches!(self, Self::No)
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self {
            Self::No => None,
            Self::Asked { until: at } | Self::Removed { at } => Some(*at),
        }
    }

    /// The member was removed from the cluster, or is told so.
    pub(super) fn removed(&mut self, now: Instant) {
        if !matches!(self, Self::Removed { .. }) {
            *self = Self::Removed { at: now + REMOVED_STAY };
        }
    }
}

impl Running {
    /// It is asked to stop.
    pub(super) fn ask_to_stop(&mut self, now: Instant) {
        if !self.stop.is_stopping() {
            self.raft.transfer(now);
            self.stop = Stop::Asked { until: now + self.config.election_timeout };
        }
    }

    /// Ends, if it is time to.
    pub(super) fn progress_stop(&mut self, now: Instant, fx: &mut Effects<'_>) {
        let lines = match self.stop {
            Stop::No => Vec::new(),
            Stop::Asked { until } => {
                let handing_over = self.raft.leads() && self.raft.transfer(now);
                if handing_over && now < until {
                    return;
                }
                Vec::new()
            }
            Stop::Removed { at } if now < at => {
                // The others need not find out by themselves that their leader is gone.
                self.raft.transfer(now);
                return;
            }
            Stop::Removed { .. } => REMOVED_LINES.to_vec(),
        };
        if self.stop.is_stopping() && self.exit.is_none() {
            self.exit = Some(Exit::Stopped { lines });
        }
        if self.exit.is_some() {
            self.dismiss_clients(fx);
        }
    }
}
