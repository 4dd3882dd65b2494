//! What a process is to the world.

/// A process: its host, and the how many-eth one it is there. What was meant for one process does
/// not reach the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) host: usize,
    pub(super) boot: u32,
}
