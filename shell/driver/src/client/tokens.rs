//! A discovery service for everybody, in place of the client API.
//!
//! What a request asks for, and what is refused, is decided by
//! [`quorate_core::discovery::service`]; here it is read, counted and carried out.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Response;
use hyper::body::Incoming;
use quorate_core::api::front::Resource;
use quorate_core::api::read::admit;
use quorate_core::api::{self, KeysRequest, Rendered, Request, WatchRequest};
use quorate_core::discovery::service::{self, Ask, Limits, Of, Rules, Sweep};
use quorate_core::http::{Head, Reply};

use super::WATCH_QUEUE;
use super::convert::response;
use super::port::Port;
use crate::http::Body;
use crate::platform::{Caller, Platform};

/// The bounds of how often a poll looks whether its token is alive: a twentieth of its time to
/// live within them.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(600);

fn interval(rules: &Rules) -> Duration {
    (rules.token_ttl / 20).clamp(SHORTEST, LONGEST)
}

/// A poll that counts for its address.
struct Counted {
    limits: Arc<Mutex<Limits>>,
    address: Option<IpAddr>,
}

impl Counted {
    fn begin(limits: &Arc<Mutex<Limits>>, address: Option<IpAddr>) -> Option<Self> {
        let counted = lock(limits).poll(address);
        counted.then(|| Self { limits: Arc::clone(limits), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        lock(&self.limits).polled(self.address);
    }
}

/// The counters are right at every moment, whoever has panicked.
fn lock(limits: &Mutex<Limits>) -> MutexGuard<'_, Limits> {
    limits.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Platform> Port<P> {
    /// Answers a request to the service.
    pub(super) async fn tokens(
        &self,
        rules: &Rules,
        head: &Head,
        caller: &Caller,
        body: Incoming,
    ) -> Response<Body> {
        let (Ok(reply) | Err(reply)) = self.serve(rules, head, caller, body).await;
        response(reply)
    }

    async fn serve(
        &self,
        rules: &Rules,
        head: &Head,
        caller: &Caller,
        body: Incoming,
    ) -> Result<Reply, Reply> {
        let body = self.read(body, service::BODY_LIMIT).await?;
        match service::read(head, &body) {
            Ask::Answer(reply) => Ok(reply),
            Ask::Health => {
                let view = self.view(|_| true).await?;
                Ok(Resource::Health.reply(&view))
            }
            Ask::Metrics => self.metrics().await,
            Ask::New { size } => self.new_token(rules, caller, size).await,
            Ask::Token { token, what } => self.of_token(rules, caller, &token, what).await,
        }
    }

    async fn new_token(&self, rules: &Rules, caller: &Caller, size: u64) -> Result<Reply, Reply> {
        let now = self.platform.now().mono;
        if !lock(&self.limits).token(caller.address, now) {
            return Err(service::too_many());
        }
        let token = service::token(&self.platform.entropy());
        for write in service::make(&token, size, rules) {
            self.write(write).await?;
        }
        Ok(service::made(&token, rules))
    }

    async fn of_token(
        &self,
        rules: &Rules,
        caller: &Caller,
        token: &str,
        what: Of,
    ) -> Result<Reply, Reply> {
        let view = self.view(admit).await?;
        service::is_active(token, &view).map_err(|gone| self.told(&gone))?;
        match what {
            Of::Page => Ok(service::page(token, rules, &view)),
            Of::Read(read) => Ok(self.told(&read.answer(&view))),
            Of::Wait(wait) => self.poll(rules, token, caller, wait).await,
            Of::Register(request) => {
                self.write(service::touch(token, rules)).await?;
                Ok(self.told(&self.ask(Request::Keys(request)).await))
            }
        }
    }

    fn told(&self, answer: &api::Response) -> Reply {
        self.whole(answer, self.cluster(), false)
    }

    /// Writes something of the service's own.
    async fn write(&self, request: KeysRequest) -> Result<(), Reply> {
        match self.ask(Request::Keys(request)).await {
            api::Response::Keys { result: Ok(_), .. } => Ok(()),
            failed => Err(self.told(&failed)),
        }
    }

    /// Waits for a registration, as long as the token is alive. The head comes with the event, so
    /// that the end can still be told as an error.
    async fn poll(
        &self,
        rules: &Rules,
        token: &str,
        caller: &Caller,
        wait: WatchRequest,
    ) -> Result<Reply, Reply> {
        let _counted =
            Counted::begin(&self.limits, caller.address).ok_or_else(service::too_many)?;
        let _room = self.watchers.try_acquire().map_err(|_| service::too_many())?;
        let mut events = self.asker.parts(Request::Watch(wait), WATCH_QUEUE).await;
        let first = poll_fn(|cx| events.poll_next(cx)).await;
        let first = first.unwrap_or(api::Response::Failed(api::Failure::Stopping));
        let Rendered::Head(mut reply) = self.render(&first, self.cluster(), false) else {
            return Err(self.told(&first));
        };
        loop {
            let event = tokio::select! {
                biased;
                event = poll_fn(|cx| events.poll_next(cx)) => event,
                () = self.platform.sleep(interval(rules)) => {
                    let view = self.view(admit).await?;
                    if service::is_active(token, &view).is_ok() {
                        continue;
                    }
                    let gone = service::gone(view.stamp.store_index);
                    return Err(self.told(&api::Response::WatchRefused(gone)));
                }
            };
            if let Some(event) = event
                && let Rendered::Part(bytes) = self.render(&event, self.cluster(), false)
            {
                reply.body = bytes;
            }
            return Ok(reply);
        }
    }
}

/// Removes the tokens that nobody asks for any more, for as long as the node lives.
pub(crate) async fn sweep<P: Platform>(port: Port<P>, rules: Arc<Rules>) {
    let mut sweep = Sweep::default();
    loop {
        // Between two sweeps every poll has looked whether its token is alive.
        port.platform.sleep(interval(&rules) * 2).await;
        let Some(view) = port.shared.published.view().filter(|view| admit(view)) else { continue };
        for removal in sweep.sweep(&view) {
            let _ = port.ask(Request::Keys(removal)).await;
        }
    }
}
