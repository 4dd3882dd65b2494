//! The first log of a new member, on its way to the disk.

use alloc::vec::Vec;

use super::Booted;
use super::agreed::Agreed;
use super::identity::Identity;
use super::join::Joined;
use super::refusals;
use crate::config::Config;
use crate::disk::{Done, Script, Ticket};
use crate::error::Refusal;
use crate::member::Member;
use crate::raft::{Entry, Log, LogId};
use crate::snap::Shelf;
use crate::wal::{self, HardState, Owner, Wal};

/// A log that holds the first entries of its cluster, and is being made durable.
#[derive(Debug)]
pub(super) struct FirstLog {
    wal: Wal,
    ticket: Ticket,
    owner: Owner,
    members: Vec<Member>,
    identity: Identity,
    hard: HardState,
    log: Log,
    campaign: bool,
    joined: bool,
}

impl FirstLog {
    /// Begins to write it. `may_campaign` says whether nothing speaks against a campaign before
    /// any timer runs out; it is for the member with the lowest ID.
    pub(super) fn begin(
        config: &Config,
        agreed: &Agreed,
        identity: Identity,
        may_campaign: bool,
        script: &mut Script,
    ) -> Self {
        let owner = agreed.owner();
        let entries = agreed.bootstrap_entries();
        let hard = HardState { term: 1, vote: None, commit: entries.len() as u64 };
        let campaign = may_campaign && agreed.lowest() == Some(owner.member);
        let first = Self::write(config, owner, identity, (hard, entries), script);
        Self { members: agreed.members(), campaign, ..first }
    }

    /// Begins to write the log of a member that joins: it is empty, and what belongs into it comes
    /// from the leader.
    pub(super) fn joining(
        config: &Config,
        joined: Joined,
        identity: Identity,
        script: &mut Script,
    ) -> Self {
        let nothing = (HardState::default(), Vec::new());
        let first = Self::write(config, joined.owner, identity, nothing, script);
        Self { members: joined.members, joined: true, ..first }
    }

    fn write(
        config: &Config,
        owner: Owner,
        identity: Identity,
        (hard, entries): (HardState, Vec<Entry>),
        script: &mut Script,
    ) -> Self {
        let mut wal = Wal::create(
            owner,
            config.wal_entropy(),
            config.wal_segment_bytes,
            HardState::default(),
            LogId::default(),
            script,
        );
        let batch = wal::Batch { hard_state: Some(hard), entries: &entries, mark: None };
        let ticket = wal.append(&batch, script);
        let log = Log::new(LogId::default(), entries);
        let (members, campaign, joined) = (Vec::new(), false, false);
        Self { wal, ticket, owner, members, identity, hard, log, campaign, joined }
    }

    pub(super) const fn owner(&self) -> Owner {
        self.owner
    }

    /// The members that it begins with.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether there is a cluster that this member joins.
    pub(super) const fn joined(&self) -> bool {
        self.joined
    }

    /// A disk operation has ended. Gives whether the log is durable.
    ///
    /// # Errors
    /// The disk failed, or is full.
    pub(super) fn disk(
        &mut self,
        config: &Config,
        done: &Done,
        script: &mut Script,
    ) -> Result<bool, Refusal> {
        let fault = match self.wal.handle(done, script) {
            wal::Event::Durable(ticket) if ticket == self.ticket => return Ok(true),
            wal::Event::Fault(error) => Some(error),
            _ => self.wal.full().cloned(),
        };
        fault.map_or(Ok(false), |error| Err(refusals::disk(&config.data_dir, &error)))
    }

    /// The member that begins with this log.
    pub(super) fn booted(self, script: &mut Script) -> Booted {
        let Self { wal, owner, members, identity, hard, log, campaign, joined, .. } = self;
        let shelf = Shelf::new(&[], &[], script);
        let told = if joined { members } else { Vec::new() };
        let (fresh, snapshot) = (true, None);
        Booted { owner, identity, fresh, wal, shelf, hard, log, snapshot, campaign, told }
    }
}
