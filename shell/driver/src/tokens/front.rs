//! A discovery service that keeps nothing itself: a port in front of a cluster of others.

use std::sync::Arc;

use hyper::Response;
use hyper::body::Incoming;
use quorate_core::discovery::service::{self, Backend, Rules};
use quorate_core::node::{Exit, Input};
use quorate_core::tls::Role;
use quorate_core::url::Url;
use tokio::sync::mpsc;

use super::Desk;
use super::cluster::Cluster;
use crate::client::convert::{add_headers, head, response};
use crate::client::{door, let_in, read};
use crate::http::{self, Body, Doors, Service};
use crate::life::Life;
use crate::platform::{Caller, Platform};
use crate::run::{Options, Stopper, bind, wind_down};

/// A discovery service without a member and without a data directory.
pub struct Front<P: Platform> {
    platform: P,
    listen: Vec<Url>,
    options: Options,
    rules: Arc<Rules>,
    backend: Backend,
    stop: mpsc::UnboundedSender<Input>,
    stopped: mpsc::UnboundedReceiver<Input>,
}

impl<P: Platform> Front<P> {
    /// A service at `listen` that has not begun.
    pub fn new(
        platform: P,
        listen: Vec<Url>,
        options: Options,
        rules: Rules,
        backend: Backend,
    ) -> Self {
        let (stop, stopped) = mpsc::unbounded_channel();
        Self { platform, listen, options, rules: Arc::new(rules), backend, stop, stopped }
    }

    /// Asks this service to stop; may be kept and used from anywhere.
    pub fn stopper(&self) -> Stopper {
        Stopper::new(self.stop.clone())
    }

    /// Serves until it is asked to stop, or cannot listen.
    pub async fn run(mut self) -> Exit {
        let (life, mut ender) = Life::new();
        let listeners = match bind(&self.platform, &self.listen, Role::Client).await {
            Ok(listeners) => listeners,
            Err(error) => return Exit::Refused(error.into()),
        };
        let desk = Desk::new(self.rules);
        let keeper = Cluster::new(self.platform.clone(), life.clone(), Arc::new(self.backend));
        life.spawn(&self.platform, desk.clone().sweep(self.platform.clone(), keeper.clone()));
        let doors = Doors::new(door(&self.options.limits));
        let (platform, options) = (self.platform.clone(), self.options);
        let counter = Counter { platform, options, desk, keeper };
        for listener in listeners {
            let (platform, life) = (self.platform.clone(), life.clone());
            let serve =
                http::listen(platform, life.clone(), listener, doors.clone(), counter.clone());
            life.spawn(&self.platform, serve);
        }
        drop(life);
        drop(counter);
        let _ = self.stopped.recv().await;
        wind_down(&self.platform, &mut ender).await;
        Exit::Stopped { lines: Vec::new() }
    }
}

/// Where requests come in.
#[derive(Clone)]
struct Counter<P: Platform> {
    platform: P,
    options: Options,
    desk: Desk,
    keeper: Cluster<P>,
}

impl<P: Platform> Service for Counter<P> {
    async fn answer(&self, request: hyper::Request<Incoming>, caller: &Caller) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let head = head(&parts);
        let readable = match let_in(&self.options, &parts, &head, caller) {
            Ok(readable) => readable,
            Err(refusal) => return response(refusal),
        };
        let reply = match read(&self.platform, &self.options, body, service::BODY_LIMIT).await {
            Ok(body) => {
                let ask = service::read(&head, &body);
                self.desk.answer(&self.platform, &self.keeper, ask, caller).await
            }
            Err(refusal) => refusal,
        };
        let mut answer = response(reply);
        add_headers(&mut answer, readable.headers());
        answer
    }
}
