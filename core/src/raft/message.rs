//! The messages of Raft, as the algorithm thinks of them.
//!
//! `wire` turns them into the flat protobuf message of etcd and back; what etcd tells apart by
//! combinations of fields are variants here.

use alloc::vec::Vec;

use bytes::Bytes;

use super::entry::{Entry, LogId};
use crate::id::MemberId;

/// A message from one member to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The sender.
    pub from: MemberId,
    /// The receiver.
    pub to: MemberId,
    /// The sender's term; the term asked for in a vote or pre-vote and in an answer that grants
    /// it; 0 in messages that are forwarded on behalf of a client.
    pub term: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// A follower hands entries (data and kind only) to the leader. etcd's MsgProp.
    Propose {
        /// Entries without term and index.
        entries: Vec<Entry>,
    },
    /// The leader replicates entries. MsgApp.
    Append {
        /// The entry before the first one sent.
        prev: LogId,
        /// Consecutive entries, possibly none.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: u64,
    },
    /// A follower holds everything up to `index`, durably. MsgAppResp.
    Appended {
        /// The last index that agrees with the leader's log.
        index: u64,
    },
    /// A follower that has lost some of what it promised holds everything up to `index`, durably,
    /// which does not count. MsgAppResp with the context `Behind`, which etcd does not look at.
    Held {
        /// The last index that agrees with the leader's log.
        index: u64,
    },
    /// A follower lacks the entry before those sent. MsgAppResp with `reject`.
    AppendRejected {
        /// The index refused (`prev.index` of the request).
        index: u64,
        /// Where the leader should look next: the follower's best guess of the last position at
        /// which the logs may agree. `term` is 0 where the sender gives none (etcd before 3.5).
        hint: LogId,
    },
    /// A candidate asks for a vote. MsgVote, or MsgPreVote if `pre`.
    Vote {
        /// Whether the sender only asks if it would win.
        pre: bool,
        /// The candidate's last entry.
        last: LogId,
        /// Whether the leader itself asked for this election, which overrides the check that no
        /// leader is around (context `CampaignTransfer`).
        transfer: bool,
    },
    /// The answer to a vote. MsgVoteResp, or MsgPreVoteResp if `pre`.
    VoteResponse {
        /// Whether it answers a pre-vote.
        pre: bool,
        /// Whether the vote was given.
        granted: bool,
    },
    /// The leader sends its applied state to a follower whose next entry is compacted. MsgSnap.
    Snapshot(Snapshot),
    /// The leader is alive. MsgHeartbeat.
    Heartbeat {
        /// The leader's commit index, never above what the follower is known to hold.
        commit: u64,
        /// To be echoed: identifies a round of read index.
        context: Bytes,
    },
    /// A follower heard a heartbeat. MsgHeartbeatResp.
    HeartbeatResponse {
        /// Echo of the heartbeat's context.
        context: Bytes,
    },
    /// Ask the leader to hand over to the member `from`. MsgTransferLeader.
    TransferLeader,
    /// The leader tells the member to campaign at once. MsgTimeoutNow.
    TimeoutNow,
    /// Ask the leader for an index from which a read is linearizable. MsgReadIndex.
    ReadIndex {
        /// Chosen by the asker.
        context: Bytes,
    },
    /// The answer to [`Body::ReadIndex`]. MsgReadIndexResp.
    ReadIndexResponse {
        /// The index to wait for.
        index: u64,
        /// The asker's context.
        context: Bytes,
    },
}

/// The applied state of a member at one index, on its way to another or on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The entry up to which the state was applied.
    pub last: LogId,
    /// The configuration as of that entry.
    pub conf: ConfState,
    /// The JSON dump of the v2 store, in etcd's form.
    pub data: Bytes,
}

/// Who counts in the cluster, as of some index. Both lists ascend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConfState {
    /// Members that vote and count for a quorum.
    pub voters: Vec<MemberId>,
    /// Members that only receive the log.
    pub learners: Vec<MemberId>,
}
