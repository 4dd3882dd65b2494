//! The bugs, and the switch that turns one of them on.

use core::sync::atomic::{AtomicUsize, Ordering};

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// What is wrong, in words.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

bugs! {
    /// A third of the voters counts as a majority.
    ThirdIsMajority,
    /// Heartbeats tell a follower of commits beyond what it is known to hold.
    HeartbeatBeyondMatch,
    /// The same, and the follower believes it: etcd's panic `tocommit(N) is out of range`.
    CommitOutOfRange,
    /// Entries are acknowledged before they are durable.
    AckBeforeSync,
    /// An append that is late or repeated cuts off what came after it.
    TruncateOnOldAppend,
    /// A request is proposed once more, under the same ID (Raft thesis, 6.3).
    ProposeTwice,
    /// Request IDs begin anew at each start of a member.
    ReuseRequestIds,
    /// A leader answers quorum reads by itself (etcd 0.4, found by Jepsen in 2014).
    ReadWithoutQuorum,
    /// An entry is applied again after a restart: its snapshot claims too little.
    ApplyTwice,
    /// An entry is never applied after a restart: its snapshot claims too much (as in etcd 3.5.0 to
    /// 3.5.2, issue 13766).
    SkipApply,
    /// The entries behind a snapshot are lost at a restart.
    LoseTailBehindSnapshot,
    /// A snapshot gets its name before its content is durable.
    RenameBeforeSync,
    /// The name of a new segment of the log is not made durable.
    NameNotSynced,
    /// A sync that failed is taken for one that did not (PostgreSQL until 2018).
    IgnoreFailedSync,
    /// Followers expire keys by their own clocks.
    ExpireByOwnClock,
    /// A comparison with `prevIndex` always holds.
    IgnorePrevIndex,
    /// A key that is swapped keeps its index.
    SwapKeepsIndex,
    /// A watcher is told of events from before the index that it asked for.
    EventBeforeAsked,
}

/// 0 for none, else one more than the position of the bug in [`Bug::ALL`].
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Turns one bug on, for the whole process, or none.
pub fn choose(bug: Option<Bug>) {
    CHOSEN.store(bug.map_or(0, |bug| bug as usize + 1), Ordering::SeqCst);
}

/// Whether this is the bug that is turned on.
///
/// # Panics
/// Never. But the message keeps the names of all bugs in every program that has them, where a test
/// looks for them.
pub fn is(bug: Bug) -> bool {
    let chosen = CHOSEN.load(Ordering::Relaxed);
    assert!(chosen <= Bug::ALL.len(), "the planted bugs are {:?}", Bug::NAMES);
    chosen == bug as usize + 1
}
