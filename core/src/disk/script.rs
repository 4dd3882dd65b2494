//! Collects disk operations and hands out the names in them.

use alloc::vec::Vec;

use super::{FileId, Op, Ticket};

/// The disk operations of one batch, in order, and the counters that name tickets and files. A
/// node has one; every part of it that writes files pushes here.
#[derive(Debug, Default)]
pub struct Script {
    ops: Vec<Op>,
    tickets: u64,
    files: u64,
}

impl Script {
    /// A ticket that was never handed out before.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// A file name that was never handed out before.
    pub fn file(&mut self) -> FileId {
        self.files += 1;
        FileId(self.files)
    }

    /// Adds an operation behind the others.
    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Adds operations behind the others, in order.
    pub fn extend(&mut self, ops: impl IntoIterator<Item = Op>) {
        self.ops.extend(ops);
    }

    /// Takes what was collected.
    pub fn drain(&mut self) -> impl Iterator<Item = Op> + '_ {
        self.ops.drain(..)
    }
}
