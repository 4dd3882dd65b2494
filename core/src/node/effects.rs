//! What one input leads to, while it is being handled.

use alloc::vec::Vec;

use super::input::CallId;
use super::output::Output;
use crate::disk::Script;
use crate::note::Note;

/// Where the parts of a node put what is to be done.
pub(crate) struct Effects<'a> {
    /// Disk operations; they go out behind everything else that the input leads to.
    pub(crate) script: &'a mut Script,
    /// Everything else.
    pub(crate) out: &'a mut Vec<Output>,
    calls: &'a mut u64,
}

impl<'a> Effects<'a> {
    pub(crate) const fn new(
        script: &'a mut Script,
        calls: &'a mut u64,
        out: &'a mut Vec<Output>,
    ) -> Self {
        Self { script, out, calls }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.out.push(Output::Note(note));
    }

    /// A name for a call that was never used before.
    pub(crate) const fn call(&mut self) -> CallId {
        *self.calls += 1;
        CallId(*self.calls)
    }
}
