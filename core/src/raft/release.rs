//! What depends on the release of etcd whose members vote and follow beside this one.
//!
//! Raft has grown between 2.3 and 3.4. A member of 2.3 that is sent a message of later releases
//! takes its term for news and forgets whom it follows; and it counts on others to do as it does.

/// A release of etcd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Release {
    /// 2.3: whoever campaigns does so at once, everybody takes part, nobody hands over.
    V2_3,
    /// 3.4, and where all members are Quorate.
    #[default]
    V3_4,
}

impl Release {
    /// Whether members are asked if they would vote before they are asked to.
    pub(super) const fn has_pre_votes(self) -> bool {
        matches!(self, Self::V3_4)
    }

    /// Whether a member that hears its leader ignores who wants to replace it, and tells whoever
    /// is behind of its term. In 2.3 one that was cut off comes back with a term of its own, and
    /// only an election brings the others to it: to ignore it would shut it out for ever.
    pub(super) const fn has_leases(self) -> bool {
        matches!(self, Self::V3_4)
    }

    /// Whether members know how to take leadership over.
    pub(super) const fn hands_over(self) -> bool {
        matches!(self, Self::V3_4)
    }
}
