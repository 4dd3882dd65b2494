//! Requests that are about keys or members, from the body to the answer.

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;
use quorate_core::api::keys;
use quorate_core::api::members::change;
use quorate_core::api::read::admit;
use quorate_core::api::{Parsed, Request, Target};
use quorate_core::http::{Head, Reply};

use super::convert::response;
use super::port::Port;
use super::watch::watch;
use crate::http::Body;
use crate::platform::{Caller, Platform};

impl<P: Platform> Port<P> {
    /// `/v2/keys`
    pub(super) async fn keys(
        &self,
        head: &Head,
        caller: &Caller,
        target: &Target,
        body: Incoming,
    ) -> Response<Body> {
        let began = self.platform.now().mono;
        let answered = self.carry_out(head, caller, target, body).await;
        let answer = answered.unwrap_or_else(response);
        let took = self.platform.now().mono.since(began).as_secs_f64();
        let metrics = &self.shared.counted.metrics;
        metrics.answered(head.method.name(), answer.status().as_u16(), took);
        answer
    }

    async fn carry_out(
        &self,
        head: &Head,
        caller: &Caller,
        target: &Target,
        body: Incoming,
    ) -> Result<Response<Body>, Reply> {
        let body = if target.reads_body {
            let limit = self.shared.options.limits.body_bytes;
            let read = self.read_up_to(body, limit).await?;
            read.ok_or_else(|| keys::body_too_long(self.cluster()))?
        } else {
            Bytes::new()
        };
        let parsed = keys::parse(head, target, &body, self.cluster())?;
        let view = self.view(admit).await?;
        if !self.may(head, caller, &view, target.access(head.method, &parsed)).await? {
            return Err(keys::refused(view.cluster_id));
        }
        match parsed {
            Parsed::Read(read) => {
                let view = self.view(admit).await?;
                Ok(response(self.whole(&read.answer(&view), view.cluster_id, false)))
            }
            Parsed::Request(Request::Keys(request)) => {
                let no_value_on_success = request.no_value_on_success;
                let answered = self.ask(Request::Keys(request)).await;
                Ok(response(self.whole(&answered, self.cluster(), no_value_on_success)))
            }
            Parsed::Request(request) => {
                self.shared.counted.metrics.watch_requests.inc();
                Ok(watch(self, request).await)
            }
        }
    }

    /// Has the membership changed.
    pub(super) async fn members(
        &self,
        head: &Head,
        caller: &Caller,
        target: &change::Target,
        body: Incoming,
    ) -> Result<Reply, Reply> {
        self.only_root(head, caller, admit).await?;
        let body = if target.reads_body() {
            self.read(body, change::BODY_LIMIT).await?
        } else {
            Bytes::new()
        };
        let request = change::parse(head, target, &body, self.cluster())?;
        let answered = self.ask(Request::Members(request.clone())).await;
        Ok(change::render(&request, &answered, self.cluster()))
    }
}
