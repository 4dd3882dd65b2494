//! Changes of the membership that clients ask this member for.
//!
//! One is under way at a time, and the next is proposed once that one is applied. What a leader
//! takes it keeps in a queue of its own, but with its office it loses that, and a message to it may
//! be lost: so an addition or a removal is proposed again, which can do no harm, since it can be
//! carried out only once. An update is not: it would undo a later one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Effects;
use super::input::ClientId;
use super::running::{Running, request_timeout};
use crate::api::{Failure, MembersFailure, MembersRequest, Response};
use crate::id::MemberId;
use crate::member::Member;
use crate::member::change::Refused;
use crate::member::json::Context;
use crate::raft::{Change, Entry, EntryKind, Proposed};
use crate::time::{Duration, Instant, Now};
use crate::url::Url;
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

/// Changes that may wait; more are refused.
const MAX_WAITING: usize = 64;

/// How long an addition waits, behind an election, for the members to find out that all of them are
/// Quorate: that takes a message from each, and an entry. Afterwards etcd's rule holds.
const SWITCH: Duration = Duration::from_secs(2);

/// The changes that clients of this member wait for, in the order in which they are carried out.
#[derive(Debug, Default)]
pub(super) struct Changes {
    queue: VecDeque<Queued>,
    look_at: Option<Instant>,
}

#[derive(Debug)]
struct Queued {
    client: ClientId,
    change: ConfChange,
    /// The member that is added.
    added: Option<Member>,
    since: Instant,
    until: Instant,
    /// The term in which it was proposed last, and when it is to be proposed again.
    proposed: Option<(u64, Instant)>,
}

impl Queued {
    /// Until when an addition waits for the members to find out that all of them are Quorate.
    /// `led_since` is when the leader was first heard of.
    fn switch_by(&self, led_since: Instant) -> Instant {
        self.since.max(led_since) + SWITCH
    }

    /// The member that is added gets no vote at first.
    fn become_learner(&mut self) {
        if let Some(member) = &mut self.added {
            member.learner = true;
            let context = Context { member: member.clone(), promote: false };
            self.change.kind = ConfChangeKind::AddLearner;
            self.change.context = context.encode().into();
        }
    }
}

impl Changes {
    /// The first, if it is to be proposed now.
    fn due(&mut self, now: Instant, term: u64) -> Option<&mut Queued> {
        let first = self.queue.front_mut()?;
        let due = match first.proposed {
            None => true,
            Some((before, again)) => {
                first.change.kind != ConfChangeKind::UpdateNode && (before != term || again <= now)
            }
        };
        due.then_some(first)
    }

    fn take_expired(&mut self, now: Instant) -> Option<Queued> {
        let at = self.queue.iter().position(|queued| queued.until <= now)?;
        self.queue.remove(at)
    }

    /// When the next one has to be looked at again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queue.iter().map(|queued| queued.until).chain(self.look_at).min()
    }

    /// When the first may become due, if that is not now. `led_since` is when the leader was first
    /// heard of.
    fn next_look(&self, now: Instant, led_since: Instant) -> Option<Instant> {
        let first = self.queue.front()?;
        let at = match (first.proposed, first.change.kind) {
            (Some(_), ConfChangeKind::UpdateNode) => return None,
            (Some((_, again)), _) => again,
            (None, ConfChangeKind::AddNode) => first.switch_by(led_since),
            (None, _) => return None,
        };
        (at > now).then_some(at)
    }

    /// Nobody waits any more. What was proposed may still be carried out.
    pub(super) fn gone(&mut self, client: ClientId) {
        self.queue.retain(|queued| queued.client != client);
    }

    /// Any client that waits; for the end.
    pub(super) fn take_any(&mut self) -> Option<ClientId> {
        self.queue.pop_front().map(|queued| queued.client)
    }
}

impl Running {
    /// A client asks for a change.
    pub(super) fn queue_change(&mut self, now: Now, client: ClientId, asked: MembersRequest) {
        if self.stop.is_stopping() {
            return self.reply(client, Response::Failed(Failure::Stopping), true);
        }
        if self.changes.queue.len() >= MAX_WAITING {
            return self.reply(client, Response::Failed(Failure::TooManyRequests), true);
        }
        let (change, added) = self.change_of(now, asked);
        let until = now.mono + request_timeout(&self.config);
        let queued = Queued { client, change, added, since: now.mono, until, proposed: None };
        self.changes.queue.push_back(queued);
    }

    /// The change that goes into the log, and the member that it adds.
    fn change_of(&mut self, now: Now, asked: MembersRequest) -> (ConfChange, Option<Member>) {
        let id = self.clients.fresh_id();
        let of = |kind, member: Option<&Member>, node| {
            let context = member
                .map(|member| Context { member: member.clone(), promote: false }.encode())
                .unwrap_or_default();
            ConfChange { id, kind, node, context: context.into() }
        };
        match asked {
            MembersRequest::Add { peer_urls } => {
                let node = self.fresh_member(now, &peer_urls);
                let member = unnamed(node, peer_urls);
                (of(ConfChangeKind::AddNode, Some(&member), node), Some(member))
            }
            MembersRequest::Update { id: node, peer_urls } => {
                let member = unnamed(node, peer_urls);
                (of(ConfChangeKind::UpdateNode, Some(&member), node), None)
            }
            MembersRequest::Remove { id: node } => {
                (of(ConfChangeKind::RemoveNode, None, node), None)
            }
        }
    }

    /// The ID of a member that is added at this second. It is never used again, also where one is
    /// removed and added within a second.
    fn fresh_member(&self, now: Now, urls: &[Url]) -> MemberId {
        let mut seconds = now.wall.unix_nanos().div_euclid(1_000_000_000);
        loop {
            let id = MemberId::derive_added(urls, seconds);
            if !self.cluster.removed.contains(&id) {
                return id;
            }
            seconds += 1;
        }
    }

    /// Proposes the first change, if it is time to.
    pub(super) fn propose_change(&mut self, now: Instant, fx: &mut Effects<'_>) {
        self.expire_changes(now);
        self.propose_due_change(now, fx);
        self.changes.look_at = self.changes.next_look(now, self.leader_since);
    }

    fn propose_due_change(&mut self, now: Instant, fx: &mut Effects<'_>) {
        // One that lags after its start may not know yet that all members are Quorate.
        if !self.ready {
            return;
        }
        let term = self.raft.term();
        let (all_quorate, mixed) = (self.cluster.nonce.is_some(), self.is_mixed());
        let led_since = self.leader_since;
        while let Some(first) = self.changes.due(now, term) {
            if first.change.kind == ConfChangeKind::AddNode {
                if all_quorate {
                    first.become_learner();
                } else if !mixed && now < first.switch_by(led_since) {
                    return;
                }
            }
            let (again, client) = (first.proposed.is_some(), first.client);
            let change = first.change.clone();
            if !again && self.config.strict_reconfig_check && !self.cluster.keeps_quorum(&change) {
                self.changes.queue.pop_front();
                let refusal = MembersFailure::NotEnoughStarted;
                self.reply(client, Response::Members(Err(refusal)), true);
                continue;
            }
            if self.yields_before(now, &change) {
                return;
            }
            let data = change.encode();
            let room = self.find_room_for(1, data.len(), fx);
            if !room && self.wal.full().is_none() {
                return;
            }
            let proposed =
                if room { self.raft.propose(EntryKind::ConfChange, data) } else { Proposed::Full };
            match proposed {
                Proposed::NoLeader => return,
                Proposed::Full => {
                    self.changes.queue.pop_front();
                    let failure = if room { Failure::TooManyRequests } else { Failure::NoSpace };
                    self.reply(client, Response::Failed(failure), true);
                }
                Proposed::Appended | Proposed::Forwarded => {
                    let again = now + self.patience(proposed);
                    if let Some(first) = self.changes.queue.front_mut() {
                        first.proposed = Some((term, again));
                    }
                    return;
                }
            }
        }
    }

    /// Whether this member leads, is to be removed by the change, and hands over first: once the
    /// others have applied that it is removed, they hear nothing from it any more, and would find
    /// out by themselves that their leader is gone. Whoever asked proposes again to the next one.
    fn yields_before(&mut self, now: Instant, change: &ConfChange) -> bool {
        if planted!(CountAtAppend) && self.raft.leads() && change.kind == ConfChangeKind::RemoveNode
        {
            self.raft.change_conf(Change::Remove(change.node));
        }
        change.kind == ConfChangeKind::RemoveNode
            && change.node == self.owner.member
            && self.cluster.nonce.is_some()
            && self.raft.leads()
            && self.raft.transfer(now)
    }

    /// The same for proposals of others.
    pub(super) fn yields_before_any(&mut self, now: Instant, entries: &[Entry]) -> bool {
        let changes = entries.iter().filter(|entry| entry.kind == EntryKind::ConfChange);
        let changes: Vec<ConfChange> =
            changes.filter_map(|entry| ConfChange::decode(entry.data.clone()).ok()).collect();
        changes.iter().any(|change| self.yields_before(now, change))
    }

    /// How long a proposal is waited for before it counts as lost. What this member itself has
    /// taken as the leader is lost with its term only.
    fn patience(&self, proposed: Proposed) -> Duration {
        match proposed {
            Proposed::Appended => request_timeout(&self.config),
            _ => self.config.election_timeout * 2,
        }
    }

    fn expire_changes(&mut self, now: Instant) {
        while let Some(expired) = self.changes.take_expired(now) {
            let failure = self.why_late(expired.since);
            self.reply(expired.client, Response::Failed(failure), true);
        }
    }

    /// A change was applied: whoever waits for it here is answered.
    pub(super) fn answer_change(&mut self, id: u64, result: Result<(), &Refused>) {
        let queue = &mut self.changes.queue;
        let Some(at) = queue.iter().position(|queued| queued.change.id == id) else { return };
        let Some(Queued { client, added, .. }) = queue.remove(at) else { return };
        // What became of it may be a learner, though a voter was asked for.
        let known = &self.cluster.members;
        let carried_out = |()| added.map(|asked| known.get(&asked.id).cloned().unwrap_or(asked));
        let result = result.map(carried_out).map_err(MembersFailure::from);
        self.reply(client, Response::Members(result), true);
    }
}

/// A member as it is before it has published itself.
fn unnamed(id: MemberId, peer_urls: Vec<Url>) -> Member {
    let (name, client_urls) = Default::default();
    Member { id, name, peer_urls, client_urls, learner: false }
}
