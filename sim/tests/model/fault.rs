//! What can be broken on purpose, to see that each invariant can fail. Nothing of it is in the core:
//! it is what surrounds the core that lies.

/// One lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Messages leave before what they wait for is durable.
    NoGates,
    /// A crash takes the vote, and leaves the term.
    ForgetsVote,
    /// A crash takes the last durable entry.
    LosesTail,
    /// A crash changes the data of the last durable entry.
    ChangesTail,
    /// The disk says that a write is durable before it is.
    LyingDisk,
    /// What a member knows of itself counts for another member as well.
    CountsTwice,
    /// The removal of a member takes another one along, at the leader only.
    RemovesTwo,
    /// A message reaches a member that it is not for.
    Misdelivers,
}
