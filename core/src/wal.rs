//! The write-ahead log.

use crate::id::{ClusterId, MemberId};

/// What a member must never forget besides its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// The current term.
    pub term: u64,
    /// Whom this member voted for in that term, if anybody.
    pub vote: Option<MemberId>,
    /// The highest index known to be committed.
    pub commit: u64,
}

/// Whose log it is; said at the head of every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The member.
    pub member: MemberId,
    /// Its cluster.
    pub cluster: ClusterId,
}
