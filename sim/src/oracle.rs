//! Oracles: what must hold in every run, each in a file that has its name from the theory.
//!
//! They look at the world from above: at every note, every message and the logs of all members at
//! once. The first violation ends the run.

pub mod bootstrap;
pub mod configurations;
pub mod durability;
pub mod election_safety;
pub mod event_history;
mod exchanged;
mod incarnations;
pub mod index_history;
pub mod leader_completeness;
pub mod ledger;
pub mod linearizability;
pub mod log_matching;
pub mod membership;
pub mod monotonic;
mod old_copies;
pub mod plain_reads;
pub mod state_equality;
mod token;
pub mod ttl;
mod violation;
pub mod watch;

#[cfg(test)]
mod double;

use std::collections::BTreeSet;

use quorate_core::api::{KeysRequest, Stamp, WatchRequest};
use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::{CallId, Exit};
use quorate_core::note::Note;
use quorate_core::raft::Message;
use quorate_core::store;
use quorate_core::view::View;

pub use violation::{Kind, Violation};

use crate::machine::{Machine, Shown};

/// The oracles of one run that watch the members.
#[derive(Debug)]
pub struct Oracles {
    ledger: ledger::Ledger,
    election: election_safety::ElectionSafety,
    completeness: leader_completeness::LeaderCompleteness,
    matching: log_matching::LogMatching,
    state: state_equality::StateEquality,
    durability: durability::Durability,
    monotonic: monotonic::MonotonicReads,
    indexes: index_history::IndexHistory,
    events: event_history::EventHistory,
    watches: watch::Watches,
    ttl: ttl::Ttl,
    bootstrap: bootstrap::Bootstrap,
    membership: membership::Membership,
    copies: old_copies::OldCopies,
    exchanged: exchanged::Exchanged,
    incarnations: incarnations::Incarnations,
    /// Whether a member has broken a promise of which it could not know any more.
    untold: bool,
    /// The true time, in nanoseconds since the start of the run.
    time: u64,
}

impl Oracles {
    /// Oracles for a cluster of so many members.
    pub fn new(members: usize) -> Self {
        Self {
            ledger: ledger::Ledger::new(members),
            election: election_safety::ElectionSafety::default(),
            completeness: leader_completeness::LeaderCompleteness::default(),
            matching: log_matching::LogMatching::default(),
            state: state_equality::StateEquality::new(members),
            durability: durability::Durability::new(members),
            monotonic: monotonic::MonotonicReads::new(members),
            indexes: index_history::IndexHistory::default(),
            events: event_history::EventHistory::new(members),
            watches: watch::Watches::default(),
            ttl: ttl::Ttl::new(members),
            bootstrap: bootstrap::Bootstrap::new(members),
            membership: membership::Membership::new(members),
            copies: old_copies::OldCopies::new(members),
            exchanged: exchanged::Exchanged::new(members),
            incarnations: incarnations::Incarnations::new(members),
            untold: false,
            time: 0,
        }
    }

    /// So much true time has passed since the start of the run, in nanoseconds.
    pub const fn time_is(&mut self, time: u64) {
        self.time = time;
    }

    /// From now on a member's wall clock, in Unix nanoseconds, is so far ahead of the true time.
    pub fn clock_is_ahead(&mut self, node: usize, ahead: i64) {
        self.ttl.clock_is_ahead(node, self.time, ahead);
    }

    /// A member said what happened to it.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn noted<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        note: &Note,
    ) -> Result<(), Violation> {
        self.completeness.noted(node, note);
        self.copies.noted(node, machine, note)?;
        match note {
            Note::BecameLeader { term, .. } => {
                self.ttl.leads(node, *term, self.time);
                let kept = self.durability.led(node, *term, machine);
                self.unless_untold(node, kept)?;
                self.election.leads(node, *term)?;
                if !machine.has_log() {
                    return Ok(());
                }
                self.completeness.elected(node, *term, machine, &self.ledger)?;
            }
            // What is said in the moment of halting can be compared with nothing any more.
            Note::Committed { .. } | Note::Applied { .. } | Note::SnapshotInstalled { .. }
                if !machine.has_log() => {}
            Note::Committed { last } => {
                self.completeness.committed(node, *last)?;
                self.durability.committed(node, *last, machine);
                self.ledger.committed(node, *last, machine)?;
            }
            Note::Applied { last, store_index } => {
                self.bootstrap.applied(node);
                let from = self.ledger.applied_index(node);
                self.ledger.applied(node, *last, machine)?;
                self.state.applied(node, last.index, *store_index, machine)?;
                membership::Membership::applied(node, machine, self.ledger.configurations())?;
                if let Some(history) = machine.history() {
                    let expired = self.events.applied(node, *store_index, history)?;
                    if let Some(first) = expired {
                        let (entries, events) = ((from, last.index), (first, *store_index));
                        self.ttl.expired(node, self.time, entries, events, machine)?;
                    }
                }
            }
            Note::SnapshotInstalled { last } => {
                self.bootstrap.applied(node);
                self.ledger.installed(node, *last)?;
                self.state.installed(node, last.index, machine)?;
                membership::Membership::applied(node, machine, self.ledger.configurations())?;
            }
            Note::BootDecided { member, cluster, restart } => {
                self.durability.boot_decided(node, *member, *restart, machine)?;
                self.membership.lives(node, *member);
                self.exchanged.decided(node, *member);
                self.bootstrap.decided(node, (*member, *cluster), *restart)?;
            }
            Note::BroughtBack => self.durability.brought_back(node),
            Note::Formed => self.bootstrap.formed(node, machine)?,
            Note::Joined => self.bootstrap.joined(node)?,
            _ => {}
        }
        Ok(())
    }

    /// The same, of a member that goes through the discovery service with which these have
    /// registered first, as many as its cluster is to have; nobody, as long as some are missing.
    /// `own` is the member that belongs here.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn noted_by_token<M: Machine>(
        node: usize,
        machine: &M,
        note: &Note,
        own: impl FnOnce() -> MemberId,
        first: impl FnOnce() -> BTreeSet<MemberId>,
    ) -> Result<(), Violation> {
        match note {
            Note::Formed => token::formed(node, &bootstrap::listed(machine).collect(), &first()),
            Note::DiscoveryFull => token::full(node, own(), &first()),
            _ => Ok(()),
        }
    }

    /// A member sent a message.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn sent<M: Machine>(
        &mut self,
        node: usize,
        machine: &M,
        message: &Message,
    ) -> Result<(), Violation> {
        self.election.sent(node, message)?;
        self.matching.sent(node, machine, message)?;
        if !machine.has_log() {
            return Ok(());
        }
        self.membership.sent(node, machine, message, self.ledger.configurations())?;
        self.copies.sent(node, machine, message)?;
        let kept = self.durability.sent(node, machine, message, &self.ledger);
        self.unless_untold(node, kept)
    }

    /// A promise may be broken by a member whose directory was replaced by an older copy, if nobody
    /// has told it. What follows from that is nobody's fault.
    fn unless_untold(&mut self, node: usize, kept: Result<(), Violation>) -> Result<(), Violation> {
        if kept.is_err() && self.copies.is_unaware(node) {
            self.untold = true;
            return Ok(());
        }
        kept
    }

    /// Whether a member has broken a promise of which it could not know any more: what goes wrong in
    /// the cluster from then on may come of that.
    pub const fn is_untold(&self) -> bool {
        self.untold
    }

    /// A member starts.
    pub fn started(&mut self, node: usize) {
        self.ledger.started(node);
        self.completeness.started(node);
        self.state.started(node);
        self.bootstrap.started(node);
        self.membership.started(node);
        self.copies.started(node);
        self.exchanged.started(node);
    }

    /// A message is about to be handled by a member that shows `view`, and what its sender has said
    /// with it. Of one that is not known yet the message waits.
    pub fn delivered(&mut self, node: usize, view: Option<&View>, message: &Message, said: Said) {
        if is_impostor(view, message.from, said) {
            return;
        }
        let view_of_it = view.filter(|view| view.peers.contains_key(&message.from));
        self.met(node, view_of_it, message.from, said);
        self.membership.delivered(node, message, said);
    }

    /// What another member says of itself, and of the one that it speaks to, is about to reach that
    /// one, which shows `view`. It listens to nobody who was removed.
    pub fn met(&mut self, node: usize, view: Option<&View>, from: MemberId, said: Said) {
        if is_impostor(view, from, said) {
            return;
        }
        if let Some(view) = view.filter(|view| !view.cluster.removed.contains(&from)) {
            self.copies.told(node, view.said, from, said);
        }
    }

    /// A member has handled an input, whatever it was; to be told after its notes and messages.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn handled<M: Machine>(&mut self, node: usize, machine: &M) -> Result<(), Violation> {
        self.copies.handled(node, machine);
        let kept = self.durability.handled(node, machine);
        self.unless_untold(node, kept)?;
        self.membership.handled(node, machine, self.ledger.configurations())
    }

    /// A member publishes what its readers are to see.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn published(&mut self, node: usize, view: &View) -> Result<(), Violation> {
        self.exchanged.shown(node, view)?;
        self.incarnations.shown(node, &view.peers, self.ledger.configurations())
    }

    /// A member asks another one for its version.
    pub fn asks_version(&mut self, node: usize) {
        self.bootstrap.asks_version(node);
    }

    /// A member asks another one for its members.
    pub fn asks_members(&mut self, node: usize, call: CallId) {
        self.bootstrap.asks(node, call, self.ledger.last_index());
    }

    /// A member answers another one's question for its members, from this view; the answer may be
    /// lost on its way.
    pub fn said_members(&mut self, to: usize, call: CallId, view: &View) {
        self.bootstrap.said(to, call, view);
    }

    /// A call of a member to another server has come back, or failed if not `came`.
    pub fn call_ended(&mut self, node: usize, call: CallId, came: bool) {
        self.bootstrap.answered(node, call, came);
    }

    /// A member ends by itself.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn halted(&mut self, node: usize, exit: &Exit) -> Result<(), Violation> {
        self.membership.halted(node, exit, self.ledger.configurations())?;
        self.bootstrap.halted(node, exit)
    }

    /// The directory of a member holds other data than before, or none.
    pub fn data_replaced(&mut self, node: usize) {
        self.bootstrap.replaced(node);
        self.incarnations.replaced(node);
    }

    /// The directory of a member is replaced by an older copy of itself.
    pub fn restored(&mut self, node: usize) {
        self.copies.replaced(node);
        self.durability.replaced(node);
    }

    /// A host has no member any more, and no data of one.
    pub fn vacated(&mut self, node: usize) {
        self.ledger.vacated(node);
        self.state.started(node);
        self.durability.vacated(node);
        self.monotonic.vacated(node);
        self.events.vacated(node);
        self.bootstrap.vacated(node);
        self.membership.vacated(node);
        self.copies.vacated(node);
        self.exchanged.vacated(node);
        self.incarnations.replaced(node);
    }

    /// The directories of two members are exchanged, and with them what they have promised.
    pub fn swapped(&mut self, a: usize, b: usize) {
        self.ledger.swapped(a, b);
        self.durability.swapped(a, b);
        self.monotonic.swapped(a, b);
        self.events.swapped(a, b);
        self.bootstrap.swapped(a, b);
        self.copies.swapped(a, b);
        self.exchanged.swapped(a, b);
        self.incarnations.swapped(a, b);
    }

    /// A process is going to start on a host which takes itself for the member of another one.
    pub fn twin(&mut self, node: usize) {
        self.bootstrap.twin(node);
    }

    /// All data of a member is lost.
    pub fn wiped(&mut self, node: usize) {
        self.durability.wiped(node);
    }

    /// A member ends, in whatever way.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn ended<M: Machine>(&mut self, node: usize, machine: &M) -> Result<(), Violation> {
        self.matching.log(node, machine)?;
        self.durability.ended(node, &self.ledger);
        Ok(())
    }

    /// A member answered a plain read.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn shown(
        &mut self,
        node: usize,
        request: &KeysRequest,
        shown: &Shown,
    ) -> Result<(), Violation> {
        self.monotonic.shown(node, &shown.stamp)?;
        plain_reads::read(node, &request.path, shown, &self.events)
    }

    /// The highest store index that a member showed or acknowledged.
    pub fn last_shown(&self, node: usize) -> u64 {
        self.monotonic.last(node)
    }

    /// A member answered a plain read of someone who asked when `before` was the
    /// [last store index](Self::last_shown) that it had shown.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn shown_after(
        &mut self,
        node: usize,
        before: u64,
        request: &KeysRequest,
        shown: &Shown,
    ) -> Result<(), Violation> {
        self.monotonic.shown_after(node, before, &shown.stamp)?;
        plain_reads::read(node, &request.path, shown, &self.events)
    }

    /// A member answered a write or quorum read.
    pub fn acknowledged(&mut self, node: usize, stamp: &Stamp) {
        self.monotonic.acknowledged(node, stamp);
    }

    /// A client got the answer to a read or write; `quorum` says whether it came through the log.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn answered(
        &mut self,
        client: usize,
        quorum: bool,
        stamp: &Stamp,
    ) -> Result<(), Violation> {
        self.monotonic.answered(client, quorum, stamp)
    }

    /// A member answered a write that asked for a time to live; the client had asked at the true
    /// time `called`.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn stamped(
        &self,
        node: usize,
        ttl_s: u64,
        called: u64,
        event: &store::Event,
    ) -> Result<(), Violation> {
        self.ttl.stamped(node, ttl_s, (called, self.time), event)
    }

    /// A client asks to watch.
    pub fn watch_asked(&mut self, client: usize, request: &WatchRequest) {
        self.watches.asked(client, request);
    }

    /// A client's watch has begun, at a member with this store index.
    pub fn watch_began(&mut self, client: usize, at: u64) {
        self.watches.began(client, at);
    }

    /// A client's watch is told an event.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn watch_told(&mut self, client: usize, event: &store::Event) -> Result<(), Violation> {
        self.watches.told(client, event, &self.events)
    }

    /// A client's watch is refused with an error of the store.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn watch_refused(&mut self, client: usize, error: &store::Error) -> Result<(), Violation> {
        self.watches.refused(client, error)
    }

    /// A client's watch is over, for whatever reason.
    pub fn watch_over(&mut self, client: usize) {
        self.watches.over(client);
    }

    /// The index of an event that the client's watch should have been told by a member that has
    /// come to the store index `reached`, if there is one.
    pub fn watch_due(&self, client: usize, reached: u64) -> Option<u64> {
        self.watches.due(client, reached, &self.events)
    }

    /// A client saw an event.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn saw(&mut self, event: &store::Event) -> Result<(), Violation> {
        self.indexes.saw(event)
    }

    /// Compares the logs and states of members that should be equal by now.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn settled<M: Machine>(&mut self, node: usize, machine: &M) -> Result<(), Violation> {
        self.matching.log(node, machine)?;
        self.state.settled(node, self.ledger.applied_index(node), machine)
    }

    /// The members' entries known to be committed.
    pub const fn ledger(&self) -> &ledger::Ledger {
        &self.ledger
    }

    /// The highest index that a member ever applied, in whichever process.
    pub fn came_to(&self, node: usize) -> u64 {
        self.ledger.reached(node)
    }

    /// The last index that a member applied since its start.
    pub fn applied_index(&self, node: usize) -> u64 {
        self.ledger.applied_index(node)
    }
}

/// Whether one that shows `view` knows a peer by another directory than that of the one who speaks in
/// its name, and so refuses what that one says.
fn is_impostor(view: Option<&View>, from: MemberId, said: Said) -> bool {
    let known = view.and_then(|view| view.peers.get(&from)).map(|known| known.incarnation);
    known.is_some() && known != said.incarnation
}
