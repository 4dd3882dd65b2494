//! A broken promise, in a form that every oracle and every world can report.

use std::fmt;

/// What kind of promise was broken; the runner's exit code tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something happened that never may.
    Safety,
    /// Something did not happen that must.
    Liveness,
    /// A member panicked or ended in a way that nothing explains.
    Crash,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which kind of promise.
    pub kind: Kind,
    /// The oracle that noticed.
    pub oracle: &'static str,
    /// The member at which it was noticed.
    pub node: Option<usize>,
    /// The log index, or store index, in question.
    pub index: Option<u64>,
    /// What is wrong.
    pub detail: String,
}

impl Violation {
    /// A broken promise of safety.
    pub fn safety(oracle: &'static str, node: usize, detail: String) -> Self {
        Self { kind: Kind::Safety, oracle, node: Some(node), index: None, detail }
    }

    /// A broken promise of safety of the cluster as a whole.
    pub const fn anywhere(oracle: &'static str, detail: String) -> Self {
        Self { kind: Kind::Safety, oracle, node: None, index: None, detail }
    }

    /// The same with the index in question.
    #[must_use]
    pub const fn at(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.oracle)?;
        if let Some(node) = self.node {
            write!(f, " at node {node}")?;
        }
        if let Some(index) = self.index {
            write!(f, ", index {index}")?;
        }
        write!(f, ": {}", self.detail)
    }
}
