//! Looking into a data directory without touching it.

use alloc::vec::Vec;

use super::disk_state::{self, DiskState};
use crate::disk::{DirEntry, Found, Op, Script, Ticket};

/// The listings that a decision needs.
#[derive(Debug)]
pub(super) struct Look {
    root: (Ticket, Option<Vec<DirEntry>>),
    wal: (Ticket, Option<Vec<DirEntry>>),
}

impl Look {
    pub(super) fn begin(script: &mut Script) -> Self {
        let mut list = |path: &str| {
            let ticket = script.ticket();
            script.push(Op::List { path: path.into(), ticket });
            (ticket, None)
        };
        Self { root: list(""), wal: list(disk_state::WAL) }
    }

    /// Takes a listing; judges what they show once both are there.
    pub(super) fn take(&mut self, ticket: Ticket, found: Found) -> Option<DiskState> {
        let Found::Entries(entries) = found else { return None };
        if let Some(look) = [&mut self.root, &mut self.wal].into_iter().find(|l| l.0 == ticket) {
            look.1 = Some(entries);
        }
        let (root, wal) = (self.root.1.as_deref()?, self.wal.1.as_deref()?);
        Some(disk_state::judge(root, wal))
    }
}
