//! Client requests on their way through the log.
//!
//! A request gets an ID that is unique in the cluster, travels in an entry, and is answered when
//! that entry is applied here. Until a leader is known it waits; nothing is proposed twice, since
//! the first proposal may have been taken although nothing was heard of it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::input::ClientId;
use crate::id::MemberId;
use crate::time::{Duration, Instant, Wall};

/// Requests that may wait at the same time; more are refused.
const MAX_WAITING: usize = 16_384;

/// Bytes of requests that may wait for a leader; more are refused.
const MAX_UNPROPOSED_BYTES: usize = 64 << 20;

/// The client requests of one member.
#[derive(Debug)]
pub(super) struct Clients {
    next_id: u64,
    waiting: BTreeMap<u64, Waiting>,
    by_client: BTreeMap<ClientId, u64>,
    deadlines: BTreeSet<(Instant, u64)>,
    unproposed: VecDeque<(u64, Bytes)>,
    unproposed_bytes: usize,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// Who waits.
    pub(super) client: ClientId,
    /// Since when.
    pub(super) since: Instant,
    /// Whether what the entry yields does not matter, only that it came through the log.
    pub(super) confirms: bool,
    until: Instant,
}

impl Clients {
    /// No requests yet. The IDs begin with 16 bits of the member's ID, then 40 bits of the time
    /// of the start in milliseconds, as etcd's do, so that no two members and no two starts of
    /// one use the same.
    pub(super) fn new(member: MemberId, wall: Wall) -> Self {
        let millis = wall.unix_nanos().unsigned_abs() / 1_000_000;
        let millis = if planted!(ReuseRequestIds) { 0 } else { millis };
        let next_id = member.0 << 48 | (millis & 0xff_ffff_ffff) << 8;
        Self {
            next_id,
            waiting: BTreeMap::new(),
            by_client: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            unproposed: VecDeque::new(),
            unproposed_bytes: 0,
        }
    }

    /// An ID that no other request in the cluster has.
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Whether another request can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING && self.unproposed_bytes < MAX_UNPROPOSED_BYTES
    }

    /// A request came in, under an ID from [`Clients::fresh_id`]; `data` is its entry.
    pub(super) fn add(
        &mut self,
        id: u64,
        client: ClientId,
        data: Bytes,
        now: Instant,
        timeout: Duration,
    ) {
        let (until, confirms) = (now + timeout, false);
        self.waiting.insert(id, Waiting { client, since: now, confirms, until });
        self.by_client.insert(client, id);
        self.deadlines.insert((until, id));
        self.unproposed_bytes += data.len();
        self.unproposed.push_back((id, data));
    }

    /// Of a request that was added it only matters that it comes through the log.
    pub(super) fn confirms(&mut self, id: u64) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.confirms = true;
        }
    }

    /// The next request that was not proposed.
    pub(super) fn first_unproposed(&self) -> Option<Bytes> {
        self.unproposed.front().map(|(_, data)| data.clone())
    }

    /// That request is proposed, or will never be; its ID.
    pub(super) fn drop_first_unproposed(&mut self) -> Option<u64> {
        let (id, data) = self.unproposed.pop_front()?;
        self.unproposed_bytes -= data.len();
        Some(id)
    }

    /// The request was answered; who waited for it, if anybody here.
    pub(super) fn take(&mut self, id: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.by_client.remove(&waiting.client);
        self.deadlines.remove(&(waiting.until, id));
        Some(waiting)
    }

    /// Nobody waits any more. What was proposed goes on.
    pub(super) fn gone(&mut self, client: ClientId) {
        if let Some(id) = self.by_client.get(&client).copied() {
            self.take(id);
            self.forget_unproposed(id);
        }
    }

    /// The next request whose time has run out.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<Waiting> {
        let (_, id) = *self.deadlines.first().filter(|(until, _)| *until <= now)?;
        self.forget_unproposed(id);
        self.take(id)
    }

    /// Any request; for the end.
    pub(super) fn take_any(&mut self) -> Option<Waiting> {
        let id = *self.waiting.keys().next()?;
        self.forget_unproposed(id);
        self.take(id)
    }

    fn forget_unproposed(&mut self, id: u64) {
        if let Some(at) = self.unproposed.iter().position(|(unproposed, _)| *unproposed == id)
            && let Some((_, data)) = self.unproposed.remove(at)
        {
            self.unproposed_bytes -= data.len();
        }
    }

    /// When the next request runs out of time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }
}
