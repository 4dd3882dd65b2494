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
    /// A cluster is formed by a majority of those listed, without a word of the others.
    FormWithMajority,
    /// A cluster is formed with members that have another list.
    IgnoreOtherList,
    /// A member of which DNS has a record and no address is left out of the list (as in etcd).
    SkipUnresolvable,
    /// A cluster is formed when all but one of its members have registered.
    FormBeforeLast,
    /// A member whose registration was not answered registers once more, under another ID.
    RegisterTwice,
    /// A member that has lost its data takes part again (as in etcd).
    AcceptWiped,
    /// A member that is behind what it has promised promises anew.
    CountBehind,
    /// A member joins by the word of one that may lag (as in etcd).
    JoinUnconfirmed,
    /// A peer counts before it is durable by which data directory it is known.
    MeetBeforeSync,
    /// A member takes part on the data directory of another one (as in etcd).
    AcceptExchanged,
    /// A member that is added votes at once (as in etcd).
    AddAsVoter,
    /// A learner is made a voter before it has caught up.
    PromoteAtOnce,
    /// A leader commits an entry of an older term by counting (Raft paper, figure 8).
    CommitOlderTerm,
    /// A third of the voters counts as a majority.
    ThirdIsMajority,
    /// A leader counts its own entries before they are durable.
    CountUnsynced,
    /// A new leader appends no empty entry (Raft thesis, 6.4).
    SkipNoOp,
    /// Heartbeats tell a follower of commits beyond what it is known to hold.
    HeartbeatBeyondMatch,
    /// The same, and the follower believes it: etcd's panic `tocommit(N) is out of range`.
    CommitOutOfRange,
    /// A vote is forgotten at a restart.
    ForgetVote,
    /// The term is forgotten at a restart.
    ForgetTerm,
    /// A vote leaves before it is durable.
    VoteBeforeSync,
    /// Voters compare only the last terms of logs, and not their lengths.
    CompareTermsOnly,
    /// A member campaigns again in a term in which it voted for itself.
    CampaignAgain,
    /// Answers to a pre-vote count as votes.
    CountPreVotes,
    /// Entries are acknowledged before they are durable.
    AckBeforeSync,
    /// An append that is late or repeated cuts off what came after it.
    TruncateOnOldAppend,
    /// An append that was lost is not repeated.
    NeverSendAgain,
    /// A second change of the configuration is taken before the first is applied.
    TwoChangesAtOnce,
    /// A member that was removed still counts.
    CountTheRemoved,
    /// A learner votes and counts like any other member.
    CountLearners,
    /// A leader counts by a removal as soon as it has taken it, the others once they have applied it.
    CountAtAppend,
    /// A follower takes a change of the configuration for something else.
    LoseEntryKind,
    /// A request is proposed once more, under the same ID (Raft thesis, 6.3).
    ProposeTwice,
    /// Request IDs begin anew at each start of a member.
    ReuseRequestIds,
    /// Two inserts in order that follow each other get the same name.
    InsertUnderOneName,
    /// A leader answers quorum reads by itself (etcd 0.4, found by Jepsen in 2014).
    ReadWithoutQuorum,
    /// A restarted member answers plain reads before it has caught up.
    ReadTooEarly,
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
    /// Segments of the log are removed when they are full, with or without a snapshot.
    ReleaseFull,
    /// A record that was torn by a loss of power is accepted.
    AcceptTornRecord,
    /// An entry that was overwritten in the log is back after a restart.
    KeepOverwritten,
    /// A sync that failed is taken for one that did not (PostgreSQL until 2018).
    IgnoreFailedSync,
    /// Followers expire keys by their own clocks.
    ExpireByOwnClock,
    /// A leader expires keys that have a little time left.
    ExpireAhead,
    /// A member asks a full disk for space without a pause.
    RetryWithoutPause,
    /// A deleted key is still there.
    DeleteKeepsKey,
    /// A refresh loses the value.
    RefreshLosesValue,
    /// A comparison with `prevIndex` always holds.
    IgnorePrevIndex,
    /// A key that is swapped keeps its index.
    SwapKeepsIndex,
    /// A snapshot loses when keys were created.
    LoseCreatedIndex,
    /// A watch that begins in the past misses the very event that it asked for.
    MissFirstEvent,
    /// A watch that begins before what is kept of the history goes on with what is kept, and nobody
    /// says so.
    SkipCleared,
    /// A watcher is told of events from before the index that it asked for.
    EventBeforeAsked,
    /// A member that installs a snapshot leaves its watchers in silence (as in etcd).
    SilentSnapshot,
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
