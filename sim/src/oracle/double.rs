//! A member that is nothing but what oracles look at: set up by tests, which break it.

use std::collections::BTreeSet;

use quorate_core::api::{KeysRequest, Response};
use quorate_core::http::{Answer, Call};
use quorate_core::id::MemberId;
use quorate_core::node::Timer;
use quorate_core::raft::{Entry, EntryKind, LogId};
use quorate_core::store::{Command, History, Store};
use quorate_core::time::{Instant, Now};
use quorate_core::view::View;
use quorate_core::{Config, Input, Output};

use crate::machine::{Machine, Served, Shown, Standing};

/// The member. Its log begins at index 1.
#[derive(Debug, Default)]
pub(super) struct Double {
    pub(super) entries: Vec<Entry>,
    pub(super) store: Store,
    pub(super) standing: Standing,
    pub(super) voters: Option<BTreeSet<MemberId>>,
}

impl Double {
    /// Appends an entry.
    pub(super) fn push(&mut self, term: u64, kind: EntryKind, data: impl Into<bytes::Bytes>) {
        let index = self.entries.len() as u64 + 1;
        self.entries.push(Entry { term, index, kind, data: data.into() });
    }

    /// Changes the store.
    pub(super) fn apply(&mut self, command: &Command) {
        let applied = self.store.apply(command);
        assert!(applied.result.is_none_or(|result| result.is_ok()), "{command:?} is refused");
    }
}

impl Machine for Double {
    fn new(_: Config, _: [u8; 32], _: Now) -> Self {
        Self::default()
    }

    fn handle(&mut self, _: Now, _: Input, _: &mut Vec<Output>) {}

    fn deadline(&self) -> Option<(Instant, Timer)> {
        None
    }

    fn read(&self, _: Option<&View>, _: &KeysRequest) -> Option<Shown> {
        None
    }

    fn serve(_: &View, _: &Call) -> Option<Served> {
        None
    }

    fn confirmed(_: &View, _: &Response) -> Answer {
        unreachable!("it serves nothing that needs to be confirmed")
    }

    fn base(&self) -> LogId {
        LogId::default()
    }

    fn last(&self) -> LogId {
        self.entries.last().map(Entry::id).unwrap_or_default()
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get((index as usize).checked_sub(1)?)
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.standing)
    }

    fn voters(&self) -> Option<&BTreeSet<MemberId>> {
        self.voters.as_ref()
    }

    fn history(&self) -> Option<&History> {
        Some(self.store.as_image().history())
    }

    fn store_digest(&self) -> u64 {
        self.store.as_image().digest()
    }
}
