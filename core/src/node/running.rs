//! A member that takes part.
//!
//! Inputs change the state of one of the parts; [`Running::wake`] then lets everything that has
//! piled up take effect, always in the same order: what time has brought, proposals, entries to
//! apply, appends to followers, one write to the log, the messages that may leave, the view that
//! readers see, and last the answers to clients, who then find in the view what they were told.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::changes::Changes;
use super::clients::Clients;
use super::durability::Durability;
use super::duties::Duties;
use super::input::{ClientId, LinkEvent};
use super::kin::Kin;
use super::output::{Exit, Output, Peer};
use super::past::Past;
use super::snapshots::Snapshots;
use super::stop::Stop;
use super::{Effects, Timer};
use crate::api::{Failure, Response, Stamp};
use crate::auth::Auth;
use crate::boot::Booted;
use crate::config::Config;
use crate::disk::Done;
use crate::id::MemberId;
use crate::member::Cluster;
use crate::member::boots::Acked;
use crate::member::identity::Said;
use crate::note::Note;
use crate::raft::{Body, EntryKind, Message, Proposed, Raft, Settings, Start};
use crate::rng::{Rng, Stream};
use crate::store::{Store, WatchHub};
use crate::time::{Duration, Instant, Now};
use crate::view::View;
use crate::wal::{self, Owner, Wal};

/// Where a request that nobody answers is given up: 5 s and two election timeouts, as in etcd.
pub(super) fn request_timeout(config: &Config) -> Duration {
    Duration::from_secs(5) + config.election_timeout * 2
}

/// A member with a log, a state machine and peers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) config: Arc<Config>,
    pub(super) owner: Owner,
    pub(super) past: Past,
    pub(super) raft: Raft,
    pub(super) wal: Wal,
    pub(super) durability: Durability,
    pub(super) store: Store,
    pub(super) hub: WatchHub<ClientId>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) auth: Arc<Auth>,
    /// The members as they were told to one that joins.
    told: Arc<Cluster>,
    pub(super) clients: Clients,
    pub(super) changes: Changes,
    pub(super) duties: Duties,
    pub(super) kin: Kin,
    pub(super) snapshots: Snapshots,
    pub(super) stop: Stop,
    /// The term of the last applied entry.
    pub(super) applied_term: u64,
    /// Whether a peer has said that it is of an old release of etcd.
    pub(super) among_old: bool,
    /// Whether this member has applied everything that it may have shown before it was started.
    pub(super) ready: bool,
    /// When the present leader was first heard of.
    pub(super) leader_since: Instant,
    known_leader: Option<MemberId>,
    /// Answers that go out behind the next view.
    pub(super) replies: Vec<Output>,
    /// Whether readers have to be shown a new view.
    pub(super) changed: bool,
    /// What the transport was last told of, and the membership that it follows from.
    pub(super) peers: Vec<Peer>,
    pub(super) announced: Option<Arc<Cluster>>,
    pub(super) disk_retry: Option<Instant>,
    /// Entries were turned away because the disk is full.
    pub(super) lacks_space: bool,
    pub(super) exit: Option<Exit>,
}

impl Running {
    pub(super) fn new(
        config: Arc<Config>,
        seed: [u8; 32],
        booted: Booted,
        now: Now,
        fx: &mut Effects<'_>,
    ) -> Self {
        let Booted { owner, identity, fresh, wal, shelf, hard, log, snapshot, campaign, told } =
            booted;
        let settings = Settings {
            id: owner.member,
            heartbeat_interval: config.heartbeat_interval,
            election_timeout: config.election_timeout,
        };
        let last = snapshot.as_ref().map(|restored| restored.last).unwrap_or_default();
        let conf = snapshot.as_ref().map(|restored| (&restored.conf).into()).unwrap_or_default();
        let store = snapshot.map_or_else(Store::new, |s| Store::from_image(s.image));
        let began = Acked::by_log(hard.term, log.last());
        let start = Start { hard, log, conf, applied: last.index };
        let rng = Rng::new(seed, Stream::Election);
        let mut running = Self {
            raft: Raft::new(settings, start, rng, now.mono),
            durability: Durability::default(),
            cluster: Arc::new(Cluster::from_image(store.as_image())),
            told: Arc::new(told.into_iter().collect()),
            auth: Arc::new(Auth::from_image(store.as_image())),
            hub: WatchHub::new(),
            clients: Clients::new(owner.member, now.wall),
            changes: Changes::default(),
            duties: Duties::new(now.mono),
            kin: Kin::begin(fx.script),
            snapshots: Snapshots::new(shelf, last.index, config.snapshot_count),
            stop: Stop::default(),
            applied_term: last.term,
            among_old: false,
            ready: planted!(ReadTooEarly),
            leader_since: now.mono,
            known_leader: None,
            replies: Vec::new(),
            changed: true,
            peers: Vec::new(),
            announced: None,
            disk_retry: None,
            lacks_space: false,
            exit: None,
            config,
            past: Past::new(identity, began, now.mono + settings.election_timeout, fresh),
            owner,
            wal,
            store,
        };
        // The entries of a new cluster are committed from the start: who its members are has to be
        // known before the first campaign.
        running.apply_all(now, fx);
        running.refuse_exchanged();
        running.begin_standing(now.mono, fresh, fx);
        if campaign {
            running.raft.campaign(now.mono);
        }
        running
    }

    /// Lets everything that has piled up take effect.
    pub(super) fn wake(&mut self, now: Now, fx: &mut Effects<'_>) {
        self.raft.set_release(self.release());
        self.become_sure(now.mono);
        self.raft.tick(now.mono);
        self.follow_leader(now.mono);
        self.expire_requests(now.mono);
        self.do_duties(now, fx);
        self.retry_disk(now.mono, fx);
        self.yield_if_full(now.mono);
        self.propose_waiting(fx);
        self.propose_change(now.mono, fx);
        self.apply_some(now, fx);
        self.run_snapshots(fx);
        self.write_peers(now.mono, fx);
        self.write_identity(now.mono, fx);
        self.raft.flush();
        self.persist(fx);
        self.send(now.mono, fx);
        self.announce_peers(fx);
        self.publish(fx);
        fx.out.append(&mut self.replies);
        self.progress_stop(now.mono, fx);
        self.raft.check_invariants();
    }

    /// When the next wake is due, and why.
    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let mut next = self.raft.deadline();
        let others = [
            self.clients.deadline().map(|at| (at, Timer::Request)),
            self.changes.deadline().map(|at| (at, Timer::Request)),
            self.disk_retry.map(|at| (at, Timer::DiskRetry)),
            self.past.deadline().map(|at| (at, Timer::DiskRetry)),
            self.kin.deadline().map(|at| (at, Timer::Remember)),
            self.stop.deadline().map(|at| (at, Timer::Stop)),
            self.duties_deadline(),
        ];
        for other in others.into_iter().flatten() {
            if next.is_none_or(|next| other.0 < next.0) {
                next = Some(other);
            }
        }
        next
    }

    /// Whether there is more to do than one wake has done.
    pub(super) fn has_more(&self) -> bool {
        self.raft.has_to_apply()
    }

    /// A message of a peer.
    pub(super) fn take_message(
        &mut self,
        now: Instant,
        message: Message,
        said: Said,
        fx: &mut Effects<'_>,
    ) {
        self.hear_version(said);
        let Message { from, to, .. } = message;
        if to != self.owner.member {
            self.refuse_peer(now, from, alloc::format!("its message is for {to}"), fx);
        } else if from == self.owner.member {
            self.refuse_peer(now, from, "it says that it is this member".into(), fx);
        } else if self.cluster.removed.contains(&from) {
            self.refuse_peer(now, from, "it was removed from the cluster".into(), fx);
        } else if let Some(message) = self.admit(now, message, said, fx)
            && self.has_room_to_take(&message.body, fx)
        {
            self.hear_leader(now, &message, fx);
            match &message.body {
                Body::Propose { entries } if self.yields_before_any(now, entries) => {}
                _ => self.raft.step(now, message),
            }
        }
    }

    /// News of the connection to a peer.
    pub(super) fn take_link(&mut self, now: Instant, peer: MemberId, event: LinkEvent) {
        // A peer that comes back is to be told what is remembered of it by now.
        self.changed = true;
        match event {
            LinkEvent::Unreachable => self.raft.unreachable(peer),
            LinkEvent::SnapshotDelivered => self.raft.snapshot_ended(peer, true),
            LinkEvent::SnapshotFailed => self.raft.snapshot_ended(peer, false),
            LinkEvent::Connected => {}
            LinkEvent::SaysRemoved => self.stop.removed(now),
            LinkEvent::SaysReplaced => self.is_replaced(peer),
        }
    }

    /// The end of a disk operation.
    pub(super) fn take_done(&mut self, now: Instant, done: &Done, fx: &mut Effects<'_>) {
        if self.peers_file(now, done, fx) || self.identity_file(now, done, fx) {
            return;
        }
        match self.wal.handle(done, fx.script) {
            wal::Event::Durable(ticket) => {
                for batch in self.durability.ended(ticket) {
                    batch.hard.into_iter().for_each(|hard| self.raft.hard_durable(now, hard));
                    batch.written.into_iter().for_each(|written| self.raft.written(written));
                }
                self.snapshot_marked(ticket, fx);
            }
            wal::Event::RoomChanged => self.watch_room(now, fx),
            wal::Event::Fault(error) => self.fault("writing the log failed", &error),
            wal::Event::Progress => {}
            wal::Event::Unrelated => self.snapshot_written(now, done, fx),
        }
    }

    fn follow_leader(&mut self, now: Instant) {
        if self.raft.leader() != self.known_leader {
            self.known_leader = self.raft.leader();
            self.leader_since = now;
            self.changed = true;
        }
    }

    /// Proposes what waits, as long as there is somebody to propose to and room to write it.
    fn propose_waiting(&mut self, fx: &mut Effects<'_>) {
        while let Some(data) = self.clients.first_unproposed() {
            let room = self.find_room_for(1, data.len(), fx);
            if !room && self.wal.full().is_none() {
                return;
            }
            let proposed =
                if room { self.raft.propose(EntryKind::Normal, data) } else { Proposed::Full };
            match proposed {
                Proposed::Appended | Proposed::Forwarded => {
                    if planted!(ProposeTwice)
                        && let Some(again) = self.clients.first_unproposed()
                    {
                        self.raft.propose(EntryKind::Normal, again);
                    }
                    self.clients.drop_first_unproposed();
                }
                Proposed::NoLeader => return,
                Proposed::Full => self.refuse_first(room),
            }
        }
    }

    fn refuse_first(&mut self, room: bool) {
        let failure = if room { Failure::TooManyRequests } else { Failure::NoSpace };
        let id = self.clients.drop_first_unproposed();
        if let Some(waiting) = id.and_then(|id| self.clients.take(id)) {
            self.reply(waiting.client, Response::Failed(failure), true);
        }
    }

    /// Proposes something that no client waits for. Says whether it went anywhere.
    pub(super) fn propose_own(&mut self, data: Bytes) -> bool {
        let proposed = self.raft.propose(EntryKind::Normal, data);
        matches!(proposed, Proposed::Appended | Proposed::Forwarded)
    }

    fn expire_requests(&mut self, now: Instant) {
        while let Some(waiting) = self.clients.take_expired(now) {
            let failure = self.why_late(waiting.since);
            self.reply(waiting.client, Response::Failed(failure), true);
        }
    }

    /// Why a request that waits since then was not answered, as far as that is known.
    pub(super) fn why_late(&self, since: Instant) -> Failure {
        let grace = self.config.election_timeout * 2;
        match self.known_leader {
            None => Failure::TimedOutConnectionLost,
            Some(_) if since < self.leader_since + grace => Failure::TimedOutLeaderFailure,
            Some(_) => Failure::TimedOut,
        }
    }

    /// Writes what has to be durable, as one batch.
    pub(super) fn persist(&mut self, fx: &mut Effects<'_>) {
        let Some(batch) = self.raft.take_batch() else { return };
        let record =
            wal::Batch { hard_state: Some(batch.hard), entries: &batch.entries, mark: None };
        let ticket = self.wal.append(&record, fx.script);
        self.durability.began(ticket, batch.hard_changed.then_some(batch.hard), batch.written);
    }

    fn send(&mut self, now: Instant, fx: &mut Effects<'_>) {
        let may_speak = self.may_speak();
        for outgoing in self.raft.take_messages().filter(|_| may_speak) {
            self.past.promises(&outgoing.message);
            self.durability.hold(outgoing);
        }
        self.durability.release(|message| fx.out.push(Output::Send(message)));
        for note in self.raft.take_notes() {
            match note {
                Note::PeerRefused { peer: Some(peer), cause } => {
                    self.refuse_peer(now, peer, cause, fx);
                }
                other => fx.note(other),
            }
        }
    }

    /// The members as far as this one knows. Until it has read of its own addition in the log, that
    /// is what it was told when it joined.
    pub(super) fn known_cluster(&self) -> &Arc<Cluster> {
        let own = self.owner.member;
        let knows = self.cluster.members.contains_key(&own) || self.cluster.removed.contains(&own);
        if knows || self.told.members.is_empty() { &self.cluster } else { &self.told }
    }

    /// Tells the transport whom to keep connections to, if that has changed.
    fn announce_peers(&mut self, fx: &mut Effects<'_>) {
        let cluster = self.known_cluster();
        if self.announced.as_ref().is_some_and(|known| Arc::ptr_eq(known, cluster)) {
            return;
        }
        let cluster = cluster.clone();
        self.announced = Some(cluster.clone());
        let others = cluster.iter().filter(|member| member.id != self.owner.member);
        let peers: Vec<Peer> =
            others.map(|m| Peer { id: m.id, urls: m.peer_urls.clone() }).collect();
        if peers != self.peers {
            self.peers.clone_from(&peers);
            fx.out.push(Output::Peers(peers));
        }
    }

    fn publish(&mut self, fx: &mut Effects<'_>) {
        // What is remembered of peers is said once for a connection: it has to be known before.
        let known = self.kin.is_read() && self.past.introduced().is_some();
        if !known || !core::mem::take(&mut self.changed) {
            return;
        }
        fx.out.push(Output::Publish(Arc::new(View {
            member: Some(self.owner.member),
            cluster_id: Some(self.owner.cluster),
            personality: self.personality(),
            said: Said {
                incarnation: Some(self.past.incarnation()),
                nonce: self.cluster.nonce,
                server: None,
                boots: self.past.introduced(),
                evidence: None,
            },
            peers: self.kin.known().clone(),
            formed: true,
            unlisted: BTreeSet::new(),
            ready: self.ready,
            cluster: self.known_cluster().clone(),
            auth: self.auth.clone(),
            store: self.store.image(),
            stamp: self.stamp(),
            applied: self.raft.applied_index(),
            term: self.raft.term(),
            leader: self.raft.leader(),
        })));
    }

    /// The indexes to be given with an answer.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            store_index: self.store.as_image().index(),
            raft_index: self.raft.commit(),
            raft_term: self.applied_term,
        }
    }

    /// Answers a client, behind the next view.
    pub(super) fn reply(&mut self, id: ClientId, response: Response, last: bool) {
        self.replies.push(Output::Reply { id, response: Box::new(response), last });
    }
}
