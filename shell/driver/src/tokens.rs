//! A discovery service for everybody.
//!
//! What a request asks for, and what is refused, is decided by
//! [`quorate_core::discovery::service`]; here it is counted and carried out, by whoever keeps the
//! tokens: the store of this process's own member, or a cluster of others.

mod cluster;
mod counts;
mod front;
mod own;

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quorate_core::api::read::Read;
use quorate_core::api::{KeysRequest, WatchRequest};
use quorate_core::discovery::service::{self, Ask, Limits, Of, Rules, Sweep};
use quorate_core::http::{Answer, Reply};

use crate::platform::{Caller, Platform};
use counts::Counts;

pub use front::Front;

/// The bounds of how often a poll looks whether its token is alive: a twentieth of its time to
/// live within them.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(600);
/// Before a poll that broke off is begun again.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps tokens. What it answers is what the v2 API answers, or the reason why it does not.
pub(crate) trait Keeper: Clone + Send + Sync + 'static {
    /// Reads a key.
    fn read(&self, read: &Read) -> impl Future<Output = Answer> + Send;

    /// Writes or deletes a key.
    fn write(&self, request: KeysRequest) -> impl Future<Output = Answer> + Send;

    /// Waits for an event, at most for `patience`.
    fn wait(&self, wait: &WatchRequest, patience: Duration) -> impl Future<Output = Waited> + Send;

    /// Whether it is well.
    fn health(&self) -> impl Future<Output = Reply> + Send;

    /// What it measures of itself, for Prometheus.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

/// What came of waiting.
#[derive(Debug)]
pub(crate) enum Waited {
    /// This.
    Answered(Answer),
    /// Nothing, up to this index at the least.
    Quiet(u64),
    /// It is not known what there was.
    Broken,
}

/// What the requests to one service share.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Shared>);

struct Shared {
    rules: Arc<Rules>,
    limits: Mutex<Limits>,
    counts: Counts,
}

/// A poll that counts for its address.
struct Counted<'a> {
    shared: &'a Shared,
    address: Option<IpAddr>,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.shared.limits().polled(self.address);
        self.shared.counts.polls.dec();
    }
}

impl Shared {
    /// The counters are right at every moment, whoever has panicked.
    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_poll(&self, address: Option<IpAddr>) -> Option<Counted<'_>> {
        let counted = self.limits().poll(address);
        counted.then(|| {
            self.counts.polls.inc();
            Counted { shared: self, address }
        })
    }
}

impl Desk {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self(Arc::new(Shared { rules, limits: Mutex::default(), counts: Counts::new() }))
    }

    /// Answers what was asked.
    pub(crate) async fn answer<P: Platform, K: Keeper>(
        &self,
        platform: &P,
        keeper: &K,
        ask: Ask,
        caller: &Caller,
    ) -> Reply {
        let what = counts::name(&ask);
        let (Ok(reply) | Err(reply)) = self.carry_out(platform, keeper, ask, caller).await;
        self.0.counts.answered(what, reply.status);
        reply
    }

    async fn carry_out<P: Platform, K: Keeper>(
        &self,
        platform: &P,
        keeper: &K,
        ask: Ask,
        caller: &Caller,
    ) -> Result<Reply, Reply> {
        match ask {
            Ask::Answer(reply) => Ok(reply),
            Ask::Health => Ok(keeper.health().await),
            Ask::Metrics => Ok(self.0.counts.reply(&keeper.metrics().await)),
            Ask::New { size } => self.make(platform, keeper, caller, size).await,
            Ask::Token { token, what } => {
                self.of_token(platform, keeper, caller, &token, what).await
            }
        }
    }

    async fn make<P: Platform, K: Keeper>(
        &self,
        platform: &P,
        keeper: &K,
        caller: &Caller,
        size: u64,
    ) -> Result<Reply, Reply> {
        let now = platform.now().mono;
        if !self.0.limits().token(caller.address, now) {
            return Err(service::too_many());
        }
        let token = service::token(&platform.entropy());
        for write in service::make(&token, size, &self.0.rules) {
            done(keeper.write(write).await)?;
        }
        Ok(service::made(&token, &self.0.rules))
    }

    async fn of_token<P: Platform, K: Keeper>(
        &self,
        platform: &P,
        keeper: &K,
        caller: &Caller,
        token: &str,
        what: Of,
    ) -> Result<Reply, Reply> {
        let active = done(keeper.read(&service::activity(token)).await)?;
        match what {
            Of::Page => {
                let [size, members] = service::listing(token);
                let size = done(keeper.read(&size).await)?;
                let members = done(keeper.read(&members).await)?;
                Ok(service::page(token, &self.0.rules, &[size, members]))
            }
            Of::Read(read) => Ok(service::pass_back(keeper.read(&read).await)),
            Of::Register(request) => {
                done(keeper.write(service::touch(token, &self.0.rules)).await)?;
                Ok(service::pass_back(keeper.write(request).await))
            }
            Of::Wait(wait) => {
                let _counted = self.0.begin_poll(caller.address).ok_or_else(service::too_many)?;
                self.poll(platform, keeper, token, wait, index(&active)).await
            }
        }
    }

    /// Waits for a registration, as long as the token is alive. The head comes with the event, so
    /// that the end can still be told as an error.
    async fn poll<P: Platform, K: Keeper>(
        &self,
        platform: &P,
        keeper: &K,
        token: &str,
        mut wait: WatchRequest,
        now: u64,
    ) -> Result<Reply, Reply> {
        if wait.since == 0 {
            wait.since = now + 1;
        }
        loop {
            match keeper.wait(&wait, self.interval()).await {
                Waited::Answered(event) => return Ok(service::pass_back(event)),
                Waited::Quiet(until) => wait.since = wait.since.max(until + 1),
                Waited::Broken => platform.sleep(PAUSE).await,
            }
            let active = keeper.read(&service::activity(token)).await;
            if active.status == 404 {
                return Err(service::gone(index(&active)));
            }
            done(active)?;
        }
    }

    fn interval(&self) -> Duration {
        (self.0.rules.token_ttl / 20).clamp(SHORTEST, LONGEST)
    }

    /// Removes the tokens with which nobody registers any more, for as long as it is polled.
    pub(crate) async fn sweep<P: Platform, K: Keeper>(self, platform: P, keeper: K) {
        let mut sweep = Sweep::default();
        loop {
            // Between two sweeps every poll has looked whether its token is alive.
            platform.sleep(self.interval() * 2).await;
            let [registry, activity] = Sweep::reads();
            let listings = [keeper.read(&registry).await, keeper.read(&activity).await];
            for removal in sweep.sweep(&listings) {
                let _ = keeper.write(removal).await;
            }
        }
    }
}

/// A success; anything else is the answer to who asks.
fn done(answer: Answer) -> Result<Answer, Reply> {
    if matches!(answer.status, 200 | 201) { Ok(answer) } else { Err(service::pass_back(answer)) }
}

/// The store's index at the time of an answer.
fn index(answer: &Answer) -> u64 {
    answer.header("x-etcd-index").and_then(|text| text.parse().ok()).unwrap_or_default()
}
