//! What a member says of itself: statistics, metrics, the state of the process, its log.

use hyper::body::Incoming;
use quorate_core::api::stats::{Resource, Sources};
use quorate_core::api::variables::{self, Process};
use quorate_core::api::{Request, log_level, progress};
use quorate_core::http::{Head, Reply};
use quorate_core::view::View;

use super::port::Port;
use crate::counted::Seen;
use crate::platform::{Caller, Platform};

/// The version of the text format of Prometheus.
pub(crate) const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl<P: Platform> Port<P> {
    /// `/v2/stats`
    pub(super) async fn stats(&self, resource: Resource) -> Result<Reply, Reply> {
        let view = self.view(|_| true).await?;
        let stats = self.shared.counted.stats();
        let (watchers, now) = (self.open_watches(), self.platform.now());
        Ok(resource.reply(Sources { view: &view, stats: &stats, watchers, now }))
    }

    /// `/quorate/members`
    pub(super) async fn progress(&self) -> Result<Reply, Reply> {
        let answered = self.ask(Request::Progress).await;
        let view = self.view(|_| true).await?;
        Ok(progress::reply(&answered, &view, &self.shared.counted.stats()))
    }

    /// `/metrics`
    pub(super) async fn metrics(&self) -> Result<Reply, Reply> {
        let view = self.view(|_| true).await?;
        let headers = vec![("Content-Type", METRICS_TYPE.to_owned())];
        Ok(Reply { status: 200, headers, body: self.measured(&view).into() })
    }

    /// What is measured, as text.
    pub(crate) fn measured(&self, view: &View) -> String {
        let (watchers, vitals) = (self.open_watches(), self.platform.vitals());
        self.shared.counted.text(&Seen { view, watchers, vitals })
    }

    /// `/debug/vars`
    pub(super) async fn variables(&self) -> Result<Reply, Reply> {
        let view = self.view(|_| true).await?;
        let vitals = self.platform.vitals().unwrap_or_default();
        let process = Process {
            command_line: &self.shared.options.command_line,
            memory: vitals.resident_bytes,
            descriptors: vitals.descriptors_max,
        };
        Ok(variables::reply(&view, process))
    }

    /// `/config/local/log`
    pub(super) async fn log_level(
        &self,
        head: &Head,
        caller: &Caller,
        body: Incoming,
    ) -> Result<Reply, Reply> {
        // As far as this member knows: it may be asked because it does not find its quorum.
        self.only_root(head, caller, |_| true).await?;
        let body = self.read(body, log_level::BODY_LIMIT).await?;
        self.platform.log_at(log_level::parse(&body)?);
        Ok(log_level::done())
    }
}
