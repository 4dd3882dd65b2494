//! What a member does without being asked: it publishes itself, and as the leader it removes what
//! has expired and keeps the version of the cluster.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use bytes::Bytes;
use serde::Deserialize;

use super::input::CallId;
use super::output::Output;
use super::running::{Running, request_timeout};
use super::{Effects, Timer};
use crate::http::{Answer, Call};
use crate::id::MemberId;
use crate::member::json::Attributes;
use crate::member::record::{VERSION, attributes_path};
use crate::raft::Standing;
use crate::time::{Duration, Instant, Now};
use crate::tls::Role;
use crate::wire::request::{Method, Request};
use crate::wire::version::{Personality, Version};

/// How often the leader removes what has expired.
const EXPIRE: Duration = Duration::from_millis(500);

/// How often the leader asks the others for their version.
const POLL: Duration = Duration::from_secs(4);

/// How often it does while no version was decided.
const POLL_UNDECIDED: Duration = Duration::from_millis(500);

/// How long it waits for all of them before it decides for the lowest version.
const UNDECIDED: Duration = Duration::from_secs(4);

/// How long a member may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(1);

/// What a member has to do, and when.
#[derive(Debug)]
pub(super) struct Duties {
    /// The request that published this member, and the term in which it was proposed.
    published: Option<(u64, u64)>,
    publish_due: Option<Instant>,
    expire_due: Instant,
    poll_due: Instant,
    /// Since when this member leads without a version of the cluster.
    undecided_since: Option<Instant>,
    poll: Poll,
}

/// A round of asking the others for their version.
#[derive(Debug, Default)]
struct Poll {
    calls: BTreeMap<CallId, MemberId>,
    lowest: Option<Version>,
    failed: bool,
}

impl Duties {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            published: None,
            publish_due: Some(now),
            expire_due: now,
            poll_due: now,
            undecided_since: None,
            poll: Poll::default(),
        }
    }

    /// What was published may be part of what has just replaced the state, and will then not come
    /// back.
    pub(super) fn publish_again(&mut self, now: Instant) {
        if self.publish_due.is_some() {
            self.publish_due = Some(now);
        }
    }

    /// This member has to be published by a request that is newer than those of before.
    pub(super) const fn publish_anew(&mut self, now: Instant) {
        self.published = None;
        self.publish_due = Some(now);
    }

    /// A request that published this member was applied. Says whether it was one of this start.
    pub(super) fn published(&mut self, id: u64) -> bool {
        let own = self.published.is_some_and(|(published, _)| published == id);
        if own {
            self.publish_due = None;
        }
        own
    }
}

impl Running {
    /// Does what is due.
    pub(super) fn do_duties(&mut self, now: Now, fx: &mut Effects<'_>) {
        self.publish_attributes(now.mono);
        if planted!(ExpireByOwnClock) && !self.raft.leads() {
            self.store.expire(now.wall.unix_nanos());
        }
        if self.raft.leads() && self.raft.term() == self.applied_term {
            self.expire_keys(now);
            self.keep_version(now.mono, fx);
            self.propose_switch();
            self.promote_learner();
        } else {
            self.duties.undecided_since = None;
        }
    }

    /// When something is due next, and why.
    pub(super) fn duties_deadline(&self) -> Option<(Instant, Timer)> {
        let leads = self.raft.leads() && self.raft.term() == self.applied_term;
        let expire = leads && self.store.as_image().has_ttl();
        let publish = self.duties.publish_due.filter(|_| self.may_publish());
        let candidates = [
            publish.map(|at| (at, Timer::Publish)),
            expire.then_some((self.duties.expire_due, Timer::Expire)),
            leads.then_some((self.duties.poll_due, Timer::Version)),
        ];
        candidates.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Says through the log what this member is called and where its clients find it. Once that
    /// comes back, it has seen all that was committed before its start.
    fn publish_attributes(&mut self, now: Instant) {
        let Some(due) = self.duties.publish_due else { return };
        let term = self.raft.term();
        let lost = self.duties.published.is_some_and(|(_, proposed)| proposed != term);
        if !self.may_publish() || now < due && !lost {
            return;
        }
        self.refuse_exchanged();
        if self.exit.is_some() {
            return;
        }
        let attributes = Attributes {
            name: self.config.name.clone(),
            client_urls: self.config.advertise_client_urls.iter().map(|u| format!("{u}")).collect(),
        };
        let id = self.clients.fresh_id();
        let path = attributes_path(self.owner.member);
        let value = Bytes::from(attributes.encode());
        let request = Request { value, ..Request::new(id, Method::Put, path) };
        if self.propose_own(request.encode()) {
            self.duties.published = Some((id, term));
            self.duties.publish_due = Some(now + self.publish_patience());
        } else {
            self.duties.publish_due = Some(now + self.config.heartbeat_interval);
        }
    }

    /// Whether there is a leader to publish through, and this member has made durable that it is in
    /// the cluster: what it publishes tells the others that it has data.
    fn may_publish(&self) -> bool {
        self.raft.leader().is_some()
            && self.may_speak()
            && self.cluster.members.contains_key(&self.owner.member)
    }

    /// How long it waits for what it has published to come back. Much depends on that for one that
    /// is to be brought back, and others may not listen to it at first.
    fn publish_patience(&self) -> Duration {
        match self.raft.standing() {
            Standing::Behind => self.config.election_timeout * 2,
            Standing::Sound | Standing::Unsure => request_timeout(&self.config),
        }
    }

    /// Members never expire anything by their own clock: the leader's is written into the log.
    fn expire_keys(&mut self, now: Now) {
        if now.mono < self.duties.expire_due || !self.store.as_image().has_ttl() {
            return;
        }
        self.duties.expire_due = now.mono + EXPIRE;
        let id = self.clients.fresh_id();
        let early = if planted!(ExpireAhead) { EXPIRE } else { Duration::ZERO };
        let time = now.wall.unix_nanos().saturating_add(early.as_nanos() as i64);
        self.propose_own(Request { time, ..Request::new(id, Method::Sync, "") }.encode());
    }

    fn keep_version(&mut self, now: Instant, fx: &mut Effects<'_>) {
        if self.cluster.version.is_none() && self.duties.undecided_since.is_none() {
            self.duties.undecided_since = Some(now);
            self.duties.poll_due = now;
        }
        if now < self.duties.poll_due {
            return;
        }
        let undecided = self.cluster.version.is_none();
        self.duties.poll_due = now + if undecided { POLL_UNDECIDED } else { POLL };
        let own = Personality::among(self.release()).server;
        self.duties.poll = Poll { lowest: Some(own), ..Poll::default() };
        for member in self.cluster.iter().filter(|member| member.id != self.owner.member) {
            let Some(url) = member.peer_urls.first() else { continue };
            let call = fx.call();
            let request = Call::get(format!("{url}/version"), Role::Peer, VERSION_TIMEOUT);
            self.duties.poll.calls.insert(call, member.id);
            fx.out.push(Output::Http { call, request });
        }
        self.decide_version(now);
    }

    /// A member has said its version, or not.
    pub(super) fn take_version(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
    ) {
        if self.duties.poll.calls.remove(&call).is_none() {
            return;
        }
        let answer = result.ok().filter(|answer| answer.status == 200);
        match answer.and_then(|answer| said_version(&answer.body)) {
            Some(version) => {
                let lowest = self.duties.poll.lowest.map_or(version, |lowest| lowest.min(version));
                self.duties.poll.lowest = Some(lowest);
            }
            None => self.duties.poll.failed = true,
        }
        self.decide_version(now);
    }

    /// The lowest version that any member has, once all have said theirs. Never lowered.
    fn decide_version(&mut self, now: Instant) {
        let Poll { calls, lowest, failed } = &self.duties.poll;
        if !calls.is_empty() || !self.raft.leads() {
            return;
        }
        let waited = self.duties.undecided_since.is_some_and(|since| now.since(since) >= UNDECIDED);
        let wanted = match (lowest, failed) {
            (Some(lowest), false) => lowest.without_patch(),
            (_, true) if waited => Personality::among(self.release()).min_cluster,
            _ => return,
        };
        let present = self.cluster.version.as_deref().and_then(Version::parse);
        if present.is_some_and(|present| present >= wanted) {
            return;
        }
        let id = self.clients.fresh_id();
        let value = Bytes::from(format!("{wanted}"));
        self.propose_own(Request { value, ..Request::new(id, Method::Put, VERSION) }.encode());
    }
}

/// The server's version in the body of `GET /version`.
fn said_version(body: &[u8]) -> Option<Version> {
    #[derive(Deserialize)]
    struct Body {
        etcdserver: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Version::parse(&body.etcdserver)
}
