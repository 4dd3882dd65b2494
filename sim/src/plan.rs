//! The plan of a run: every fault of its safety phase, and who is healthy after it, laid out before
//! the run begins.
//!
//! A world carries a plan out and draws no fault by itself; only the fate of single messages and
//! disk operations is drawn while it runs. So a plan can be printed, drawn as a picture, kept in a
//! file, and made smaller entry by entry until only what matters is left. For that, a plan stays
//! valid whatever is taken out of it: an entry that finds nothing to do (the host is down already,
//! or there is no such host) does nothing.

mod draw;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::disk::rot::Rot;
use crate::outside::{certificates, discovery, dns::Trouble};

/// All faults of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// How the liveness phase begins.
    pub calm: Calm,
    /// The faults, by time.
    pub faults: Vec<Planned>,
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Microseconds after the start of the run.
    pub at_us: u64,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
}

/// One fault, with all that was drawn for it. Hosts are numbers from 0; times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The hosts of one side and all others cannot reach each other.
    Partition {
        /// One of the two sides.
        side: Vec<usize>,
        /// Until it heals.
        length_us: u64,
    },
    /// Single directions of links are cut.
    OneWay {
        /// From whom, to whom.
        directions: Vec<(usize, usize)>,
        /// Until they heal.
        length_us: u64,
    },
    /// A host and all others cannot reach each other.
    Isolate {
        /// The host.
        host: usize,
        /// Until it heals.
        length_us: u64,
    },
    /// A process ends without being asked.
    Crash {
        /// The host.
        host: usize,
        /// What ends it.
        by: Crash,
        /// When exactly.
        moment: Moment,
        /// Until it starts again.
        down_us: u64,
    },
    /// All processes end at once.
    CrashAll {
        /// What ends them.
        by: Crash,
        /// Until they start again, for each host.
        down_us: Vec<u64>,
    },
    /// A process is asked to stop.
    Stop {
        /// The host.
        host: usize,
        /// From its end until it starts again.
        down_us: u64,
    },
    /// A process gets no time.
    Pause {
        /// The host.
        host: usize,
        /// Until it goes on.
        length_us: u64,
    },
    /// A wall clock jumps.
    Jump {
        /// The host.
        host: usize,
        /// How far, in milliseconds.
        by_ms: i64,
    },
    /// Members are asked for changes of the membership, all at once and each another one if there
    /// are several. They are no fault, but like one they come when they come.
    Change {
        /// The changes.
        changes: Vec<Change>,
    },
    /// A disk has no space left.
    Full {
        /// The host.
        host: usize,
        /// Until it has.
        length_us: u64,
    },
    /// A disk damages what it holds, for good. At most a minority of the hosts is hit.
    Rot {
        /// The host.
        host: usize,
        /// What and where.
        rot: Rot,
    },
    /// A disk reads something else than what it holds, once.
    Misread {
        /// The host.
        host: usize,
        /// What and where.
        rot: Rot,
    },
    /// A host is started with a wrong list of members, until somebody puts it right.
    WrongList {
        /// The host.
        host: usize,
        /// What is wrong.
        list: WrongList,
        /// Until the process starts with it.
        down_us: u64,
        /// Until it is put right.
        length_us: u64,
    },
    /// The resolver of a host gives wrong answers, or none.
    Names {
        /// The host.
        host: usize,
        /// What is wrong.
        trouble: Trouble,
        /// Until nothing is.
        length_us: u64,
    },
    /// The certificate of a host is not a good one. Means nothing where nobody speaks TLS.
    Certificate {
        /// The host.
        host: usize,
        /// What is wrong.
        trouble: certificates::Trouble,
        /// Until nothing is.
        length_us: u64,
    },
    /// The discovery service does not do what it should.
    Service {
        /// What is wrong.
        trouble: discovery::Trouble,
        /// Until nothing is.
        length_us: u64,
    },
    /// A member that has formed its cluster, as all others have, loses all its data while it is down. At most a minority
    /// of the hosts is hit.
    Wipe {
        /// The host.
        host: usize,
        /// Until it starts again.
        down_us: u64,
    },
    /// The directories of two members are exchanged while both are down, until somebody puts them
    /// back.
    Swap {
        /// Their hosts.
        hosts: (usize, usize),
        /// Until they start.
        down_us: u64,
        /// From then until it is put right.
        length_us: u64,
    },
    /// On a host that has no member a process is started that takes itself for the member of
    /// another host: with its name, its list and an empty directory.
    Twin {
        /// The host that has no member.
        host: usize,
        /// The host of the member.
        of: usize,
        /// Until it is ended.
        length_us: u64,
    },
    /// A copy of the data of a host is put aside, if its member takes part.
    Copy {
        /// The host.
        host: usize,
    },
    /// A host is started from the copy of its data that was put aside, if there is one and the others
    /// are a quorum without it.
    Restore {
        /// The host.
        host: usize,
        /// Until it starts.
        down_us: u64,
    },
}

/// How a list of members is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongList {
    /// It goes with another token.
    Token,
    /// It lacks this member.
    Lacks(usize),
    /// It has another URL for this member.
    Url(usize),
}

/// A change of the membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The member is removed, if it can be spared: a quorum of the others has to stay and to
    /// keep its data.
    Remove {
        /// Its host.
        host: usize,
    },
    /// The host gets a member if it has none, or one that was removed: it is added, and started
    /// with an empty directory.
    Add {
        /// The host.
        host: usize,
        /// Where it is said to be.
        at: At,
        /// Whether it is started so that it finds out by itself that there is a cluster.
        auto: bool,
    },
    /// The member's peer URL becomes another one that leads to the same host.
    Move {
        /// Its host.
        host: usize,
        /// Whether it has the host's name, and not its address.
        by_name: bool,
    },
}

/// Where a member that is added is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Where it is.
    Home,
    /// Where another one is.
    Elsewhere,
    /// Where nobody is.
    Nowhere,
}

/// What ends a process that is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crash {
    /// The process alone: what it wrote stays.
    Kill,
    /// The power of its machine: what it did not sync may be gone.
    Power,
}

/// When a crash comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// At once.
    Now,
    /// In the middle of the next sync, when there is something to lose.
    NextSync,
    /// In the middle of the next sync that it makes as a leader.
    NextLeaderSync,
    /// Just after the next time that it voted or was elected, when there is something to forget.
    NextElection,
}

/// Who is healthy in the liveness phase, and what becomes of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calm {
    /// Hosts in the order in which they are chosen.
    pub order: Vec<usize>,
    /// How many are healthy, if that is a quorum.
    pub healthy: usize,
    /// Hosts that are down if they are not chosen; those that are in neither list run on, cut off
    /// from everybody.
    pub down: Vec<usize>,
}

impl Fault {
    /// The host that it strikes, if it is one alone.
    pub const fn host(&self) -> Option<usize> {
        match self {
            Self::Partition { .. }
            | Self::OneWay { .. }
            | Self::CrashAll { .. }
            | Self::Swap { .. }
            | Self::Service { .. }
            | Self::Change { .. } => None,
            Self::Isolate { host, .. }
            | Self::Crash { host, .. }
            | Self::Stop { host, .. }
            | Self::Pause { host, .. }
            | Self::Jump { host, .. }
            | Self::Full { host, .. }
            | Self::Rot { host, .. }
            | Self::Misread { host, .. }
            | Self::WrongList { host, .. }
            | Self::Names { host, .. }
            | Self::Certificate { host, .. }
            | Self::Wipe { host, .. }
            | Self::Twin { host, .. }
            | Self::Copy { host }
            | Self::Restore { host, .. } => Some(*host),
        }
    }

    /// The directions of links that it cuts among so many hosts.
    pub fn directions(&self, hosts: usize) -> Vec<(usize, usize)> {
        let all = (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b))).filter(|(a, b)| a != b);
        match self {
            Self::Partition { side, .. } => {
                all.filter(|(a, b)| side.contains(a) != side.contains(b)).collect()
            }
            Self::OneWay { directions, .. } => all.filter(|d| directions.contains(d)).collect(),
            Self::Isolate { host, .. } => all.filter(|(a, b)| a == host || b == host).collect(),
            _ => Vec::new(),
        }
    }
}

impl Calm {
    /// The hosts that stay healthy among so many, by number: at least a quorum, and none of those
    /// that are lost.
    pub fn quorum(&self, hosts: usize, lost: impl Fn(usize) -> bool) -> Vec<usize> {
        self.quorum_of(&(0..hosts).collect::<Vec<usize>>(), lost)
    }

    /// The hosts that stay healthy among these members.
    pub fn quorum_of(&self, members: &[usize], lost: impl Fn(usize) -> bool) -> Vec<usize> {
        let missing = members.iter().filter(|host| !self.order.contains(host));
        let order = self.order.iter().filter(|host| members.contains(host)).chain(missing);
        let mut order: Vec<usize> = order.copied().filter(|host| !lost(*host)).collect();
        order.truncate(self.healthy.max(members.len() / 2 + 1));
        order.sort_unstable();
        order
    }
}
