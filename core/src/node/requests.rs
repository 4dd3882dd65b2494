//! What clients ask of a running member.

use alloc::boxed::Box;

use super::Effects;
use super::input::ClientId;
use super::output::Output;
use super::running::{Running, request_timeout};
use crate::api::{Confirmed, Failure, KeysRequest, Request as Asked, Response, Verb, WatchRequest};
use crate::member::record::MEMBERS;
use crate::store::{Begun, Watch};
use crate::time::{Duration, Now, Wall};
use crate::wire::request::{Method, Request};

/// Watchers that may wait at the same time; more are refused.
const MAX_WATCHERS: usize = 100_000;

/// How long a quorum is waited for that is to confirm something: less than the one that asks waits.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(3);

impl Running {
    /// A client asks.
    pub(super) fn take_request(&mut self, now: Now, client: ClientId, asked: Asked) {
        match asked {
            Asked::Keys(_) if self.stop.is_stopping() => {
                self.reply(client, Response::Failed(Failure::Stopping), true);
            }
            Asked::Keys(_) if !self.clients.has_room() => {
                self.reply(client, Response::Failed(Failure::TooManyRequests), true);
            }
            Asked::Keys(keys)
                if planted!(ReadWithoutQuorum) && keys.verb == Verb::Get && self.raft.leads() =>
            {
                let result = self.store.as_image().read(&keys.path, keys.recursive);
                self.reply(client, Response::Keys { result, stamp: self.stamp() }, true);
            }
            Asked::Keys(keys) => {
                let id = self.clients.fresh_id();
                let data = entry_of(id, keys, now.wall).encode();
                let timeout = request_timeout(&self.config);
                self.clients.add(id, client, data, now.mono, timeout);
            }
            Asked::Watch(watch) => self.watch(client, watch),
            Asked::Members(asked) => self.queue_change(now, client, asked),
            Asked::Progress => {
                let progress = self.progress().map(alloc::boxed::Box::new);
                self.reply(client, Response::Progress(progress), true);
            }
            Asked::Confirm => self.confirm(now, client),
        }
    }

    /// Has a quorum confirm what this member knows of the membership: once something that is
    /// proposed now has come back through the log, everything has that was committed before.
    fn confirm(&mut self, now: Now, client: ClientId) {
        if self.cluster.nonce.is_none() && self.is_mixed() {
            return self.reply(client, Response::Confirmed(Confirmed::Mixed), true);
        }
        if self.stop.is_stopping() {
            return self.reply(client, Response::Failed(Failure::Stopping), true);
        }
        if !self.clients.has_room() {
            return self.reply(client, Response::Failed(Failure::TooManyRequests), true);
        }
        let id = self.clients.fresh_id();
        let data = Request::new(id, Method::Qget, MEMBERS).encode();
        self.clients.add(id, client, data, now.mono, CONFIRM_TIMEOUT);
        self.clients.confirms(id);
    }

    /// Begins a watch.
    fn watch(&mut self, client: ClientId, asked: WatchRequest) {
        if self.hub.len() >= MAX_WATCHERS {
            self.reply(client, Response::Failed(Failure::TooManyRequests), true);
            return;
        }
        let WatchRequest { path, recursive, stream, since } = asked;
        let watch = Watch { path, recursive, stream, since };
        let stamp = self.stamp();
        match self.hub.register(client, &watch, self.store.as_image().history()) {
            Ok(begun) => {
                self.reply(client, Response::Watching { stamp }, false);
                if let Begun::Found(event) = begun {
                    self.reply(client, Response::Event((*event).clone()), !stream);
                }
            }
            Err(error) => self.reply(client, Response::WatchRefused(error), true),
        }
    }

    /// A client is gone.
    pub(super) fn forget_client(&mut self, client: ClientId) {
        self.hub.cancel(client);
        self.clients.gone(client);
        self.changes.gone(client);
    }

    /// Answers everybody: nothing will happen any more.
    pub(super) fn dismiss_clients(&mut self, fx: &mut Effects<'_>) {
        while let Some(waiting) = self.clients.take_any() {
            self.reply(waiting.client, Response::Failed(Failure::Stopping), true);
        }
        while let Some(client) = self.changes.take_any() {
            self.reply(client, Response::Failed(Failure::Stopping), true);
        }
        let replies = &mut self.replies;
        self.hub.clear(|id| {
            let response = Box::new(Response::WatchEnded);
            replies.push(Output::Reply { id, response, last: true });
        });
        fx.out.append(&mut self.replies);
    }
}

/// The log's form of a request: what is relative to now becomes absolute.
fn entry_of(id: u64, keys: KeysRequest, wall: Wall) -> Request {
    let method = match keys.verb {
        Verb::Get => Method::Qget,
        Verb::Put => Method::Put,
        Verb::Post => Method::Post,
        Verb::Delete => Method::Delete,
    };
    Request {
        value: keys.value,
        dir: keys.dir,
        prev_value: keys.prev_value.unwrap_or_default(),
        prev_index: keys.prev_index,
        prev_exist: keys.prev_exist,
        expiration: keys.ttl_s.map_or(0, |ttl| expiration(wall, ttl)),
        recursive: keys.recursive,
        sorted: keys.sorted,
        quorum: keys.quorum,
        refresh: keys.refresh,
        ..Request::new(id, method, keys.path)
    }
}

/// Now and `ttl` seconds, in Unix nanoseconds. A sum that does not fit wraps around, as in etcd,
/// where such a key is gone at once or permanent.
fn expiration(wall: Wall, ttl_s: u64) -> i64 {
    wall.unix_nanos().wrapping_add(ttl_s.cast_signed().wrapping_mul(1_000_000_000))
}
