//! Why a node wants to be woken.

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Effects were collected and wait to go out.
    Flush,
    /// No leader was heard from for the election timeout, or voters are to be asked again.
    Election,
    /// The leader's next heartbeat.
    Heartbeat,
    /// The leader checks whether a quorum is still there.
    CheckQuorum,
    /// The leader proposes the removal of what has expired.
    Expire,
    /// Asking the other members again before forming.
    Ask,
    /// A proxy asks for the members again, or tries one again that has failed.
    Refresh,
    /// Publishing this member's attributes again.
    Publish,
    /// A client request runs out of time.
    Request,
    /// Asking the other members for their version.
    Version,
    /// Writing down what is remembered of the peers.
    Remember,
    /// Looking whether a full disk has space again.
    DiskRetry,
    /// A hand-over, or the end of this member, has waited long enough.
    Stop,
}
