//! What a discovery service measures, for Prometheus.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use quorate_core::discovery::service::{Ask, Of};
use quorate_core::http::Reply;

use crate::client::METRICS_TYPE;

/// The metrics of one service.
pub(super) struct Counts {
    registry: Registry,
    requests: IntCounterVec,
    /// Polls that are open.
    pub(super) polls: IntGauge,
}

/// What a request is counted as.
pub(super) const fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Answer(_) => "refused",
        Ask::New { .. } => "new",
        Ask::Health => "health",
        Ask::Metrics => "metrics",
        Ask::Token { what: Of::Read(_), .. } => "read",
        Ask::Token { what: Of::Wait(_), .. } => "wait",
        Ask::Token { what: Of::Register(_), .. } => "register",
        Ask::Token { what: Of::Page, .. } => "page",
    }
}

impl Counts {
    /// # Panics
    /// If a name is no name: both are written here.
    pub(super) fn new() -> Self {
        let opts = Opts::new(
            "quorate_discovery_requests_total",
            "Requests to the discovery service, by what they asked for and the status they got.",
        );
        let requests = IntCounterVec::new(opts, &["asked", "code"]).expect("the name is one");
        let polls = IntGauge::new(
            "quorate_discovery_polls",
            "Members that wait for others through the discovery service.",
        );
        let polls = polls.expect("the name is one");
        let registry = Registry::new();
        registry.register(Box::new(requests.clone())).expect("the name is used once");
        registry.register(Box::new(polls.clone())).expect("the name is used once");
        Self { registry, requests, polls }
    }

    pub(super) fn answered(&self, asked: &str, status: u16) {
        self.requests.with_label_values(&[asked, &status.to_string()]).inc();
    }

    /// All of it, behind what else is measured.
    pub(super) fn reply(&self, before: &str) -> Reply {
        let mut text = before.to_owned();
        // Writing to memory does not fail.
        let _ = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text);
        let headers = vec![("Content-Type", METRICS_TYPE.to_owned())];
        Reply { status: 200, headers, body: text.into() }
    }
}
