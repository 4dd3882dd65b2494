//! Answering the requests of clients.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use quorate_core::api;
use quorate_core::api::front::Resource;
use quorate_core::api::gate::Readable;
use quorate_core::api::limits;
use quorate_core::api::{Context, Failure, Rendered, Request, Route, render, route};
use quorate_core::discovery::service;
use quorate_core::http::{Head, Reply};
use quorate_core::id::ClusterId;
use quorate_core::view::View;
use tokio::sync::Semaphore;

use super::auth::Passwords;
use super::backup::AT_A_TIME;
use super::convert::{add_headers, head, response};
use crate::ask::Asker;
use crate::http::{Body, Door, Service, Whole, read_body};
use crate::life::Life;
use crate::platform::{Caller, Platform};
use crate::proxy::Forwarder;
use crate::run::{Options, Shared};
use crate::tokens::Desk;

/// Answers clients.
#[derive(Clone)]
pub(crate) struct Port<P: Platform> {
    pub(crate) platform: P,
    pub(super) shared: Shared,
    pub(crate) asker: Asker,
    pub(crate) watchers: Arc<Semaphore>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) backups: Arc<Semaphore>,
    desk: Option<Desk>,
    forwarder: Forwarder<P>,
}

impl<P: Platform> Service for Port<P> {
    async fn answer(&self, request: hyper::Request<Incoming>, caller: &Caller) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let head = head(&parts);
        let readable = match let_in(&self.shared.options, &parts, &head, caller) {
            Ok(readable) => readable,
            Err(refusal) => return response(refusal),
        };
        let mut answer = match (&self.desk, self.shared.published.routes()) {
            (Some(desk), _) => self.tokens(desk, &head, caller, body).await,
            (None, Some(routes)) => {
                self.forwarder.forward(&routes, &head, caller, parts, body).await
            }
            (None, None) => self.route(&head, caller, body).await,
        };
        add_headers(&mut answer, readable.headers());
        answer
    }
}

impl<P: Platform> Port<P> {
    pub(crate) fn new(platform: P, life: Life, shared: Shared) -> Self {
        let asker = shared.asker.clone();
        let watchers =
            Arc::new(Semaphore::new(shared.options.limits.watchers.min(Semaphore::MAX_PERMITS)));
        let passwords = Arc::new(Passwords::new(platform.entropy()));
        let backups = Arc::new(Semaphore::new(AT_A_TIME));
        let mailbox = shared.mailbox.clone();
        let forwarder = Forwarder { platform: platform.clone(), life, mailbox };
        let desk = shared.options.tokens.clone().map(Desk::new);
        Self { platform, shared, asker, watchers, passwords, backups, desk, forwarder }
    }

    /// The discovery service that stands in place of the client API, if one does.
    pub(crate) const fn desk(&self) -> Option<&Desk> {
        self.desk.as_ref()
    }

    async fn tokens(
        &self,
        desk: &Desk,
        head: &Head,
        caller: &Caller,
        body: Incoming,
    ) -> Response<Body> {
        response(match self.read(body, service::BODY_LIMIT).await {
            Ok(body) => desk.answer(&self.platform, self, service::read(head, &body), caller).await,
            Err(refusal) => refusal,
        })
    }

    async fn route(&self, head: &Head, caller: &Caller, body: Incoming) -> Response<Body> {
        let answered = match route(head) {
            Route::Keys(target) => return self.keys(head, caller, &target, body).await,
            Route::Backup => {
                return self.backup(head, caller).await.unwrap_or_else(response);
            }
            Route::Members(target) => self.members(head, caller, &target, body).await,
            Route::Auth(target) => self.auth(head, caller, &target, body).await,
            Route::Resource(resource) => {
                let reply = self.view(|_| true).await.map(|view| resource.reply(&view));
                if let (Resource::Health, Ok(reply)) = (resource, &reply) {
                    self.shared.counted.metrics.health(reply.status);
                }
                reply
            }
            Route::Stats(resource) => self.stats(resource).await,
            Route::Progress => self.progress().await,
            Route::Metrics => self.metrics().await,
            Route::Variables => self.variables().await,
            Route::LogLevel => self.log_level(head, caller, body).await,
            Route::Reply(reply) => Ok(reply),
        };
        let (Ok(reply) | Err(reply)) = answered;
        response(reply)
    }

    /// Has the node carry out a request.
    pub(crate) async fn ask(&self, request: Request) -> api::Response {
        let metrics = &self.shared.counted.metrics;
        metrics.pending.inc();
        let answered = self.asker.once(request).await;
        metrics.pending.dec();
        if matches!(answered, api::Response::Failed(_)) {
            metrics.failed();
        }
        answered
    }

    /// The limits of the port.
    pub(crate) fn door(&self) -> Door {
        super::door(&self.shared.options.limits)
    }

    /// How many watches are open.
    pub(super) fn open_watches(&self) -> u64 {
        let all = self.shared.options.limits.watchers.min(Semaphore::MAX_PERMITS);
        all.saturating_sub(self.watchers.available_permits()) as u64
    }

    /// Reads a body of at most `limit` bytes.
    pub(super) async fn read(&self, body: Incoming, limit: usize) -> Result<Bytes, Reply> {
        read(&self.platform, &self.shared.options, body, limit).await
    }

    /// Reads a body; nothing if it has more than `limit` bytes.
    pub(super) async fn read_up_to(
        &self,
        body: Incoming,
        limit: usize,
    ) -> Result<Option<Bytes>, Reply> {
        read_up_to(&self.platform, &self.shared.options, body, limit).await
    }

    /// The first view of which `holds` is true, if it comes in time.
    pub(crate) async fn view(&self, holds: fn(&View) -> bool) -> Result<Arc<View>, Reply> {
        let published = &self.shared.published;
        if let Some(view) = published.view().filter(|view| holds(view)) {
            return Ok(view);
        }
        tokio::select! {
            biased;
            view = published.once(holds) => Ok(view),
            () = self.platform.sleep(self.shared.options.request_timeout) => {
                let late = api::Response::Failed(Failure::TimedOut);
                Err(self.whole(&late, self.cluster(), false))
            }
        }
    }

    /// The cluster, once it is known.
    pub(crate) fn cluster(&self) -> Option<ClusterId> {
        self.shared.published.view().and_then(|view| view.cluster_id)
    }

    pub(crate) fn render(
        &self,
        response: &api::Response,
        cluster: Option<ClusterId>,
        no_value_on_success: bool,
    ) -> Rendered {
        let now = self.platform.now().wall;
        render(response, Context { cluster, now, no_value_on_success })
    }

    /// An answer in one piece.
    pub(crate) fn whole(
        &self,
        response: &api::Response,
        cluster: Option<ClusterId>,
        no_value_on_success: bool,
    ) -> Reply {
        match self.render(response, cluster, no_value_on_success) {
            Rendered::Whole(reply) | Rendered::Head(reply) => reply,
            // Parts of a watch, which the node gives to nothing but a watch.
            Rendered::Part(_) | Rendered::End => {
                Reply { status: 500, headers: Vec::new(), body: Bytes::new() }
            }
        }
    }
}

/// Whether a request is let in, by its head; what its answer needs for a browser to read it.
///
/// # Errors
/// The answer to one that is not.
pub(crate) fn let_in(
    options: &Options,
    parts: &Parts,
    head: &Head,
    caller: &Caller,
) -> Result<Readable, Reply> {
    let readable = options.gate.admit(head, caller.secure)?;
    let url = parts.uri.path_and_query().map_or(0, |url| url.as_str().len());
    let limit = options.limits.url_bytes;
    if url > limit { Err(limits::url_too_long(limit)) } else { Ok(readable) }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// The answer to one that is longer, or late.
pub(crate) async fn read<P: Platform>(
    platform: &P,
    options: &Options,
    body: Incoming,
    limit: usize,
) -> Result<Bytes, Reply> {
    let read = read_up_to(platform, options, body, limit).await?;
    read.ok_or_else(|| limits::body_too_long(limit))
}

async fn read_up_to<P: Platform>(
    platform: &P,
    options: &Options,
    body: Incoming,
    limit: usize,
) -> Result<Option<Bytes>, Reply> {
    let read = tokio::select! {
        biased;
        read = read_body(body, limit) => read,
        () = platform.sleep(options.limits.body_timeout) => return Err(limits::body_is_late()),
    };
    match read {
        Whole::Bytes(bytes) => Ok(Some(bytes)),
        Whole::TooLong(_) => Ok(None),
        // The client is gone, and nobody sees this answer.
        Whole::Broken(_) => Err(limits::body_is_late()),
    }
}
