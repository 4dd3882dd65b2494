//! What dashboards read: the names of etcd where it has one, and `quorate_` where it has none.

use std::sync::Mutex;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, exponential_buckets,
};
use quorate_core::id::MemberId;
use quorate_core::note::Note;
use quorate_core::view::View;

use super::followed::Kind;
use super::process::Process;
use super::store::StoreCounts;
use super::{Seen, lock};

/// All metrics of one node.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests on their way through the log.
    pub(crate) pending: IntGauge,
    failed: IntCounter,
    http_received: IntCounterVec,
    http_failed: IntCounterVec,
    http_duration: HistogramVec,
    pub(crate) watch_requests: IntCounter,
    healthy: IntCounter,
    unhealthy: IntCounter,
    fsync: Histogram,
    snapshot_fsync: Histogram,
    written: IntGauge,
    peer_sent: IntCounterVec,
    peer_received: IntCounterVec,
    peer_failed: IntCounterVec,
    peer_round_trip: HistogramVec,
    elections: IntCounter,
    snapshots: IntCounterVec,
    disk_full: IntGauge,
    refused_peers: IntCounter,
    refused_peer_requests: IntCounter,
    /// What is copied from elsewhere when it is asked for, by one at a time.
    copied: Mutex<Copied>,
}

struct Copied {
    has_leader: IntGauge,
    is_leader: IntGauge,
    is_learner: IntGauge,
    leader_changes: IntCounter,
    committed: IntGauge,
    applied: IntGauge,
    id: IntGaugeVec,
    server_version: IntGaugeVec,
    cluster_version: IntGaugeVec,
    watchers: IntGauge,
    store: StoreCounts,
    process: Process,
}

/// Makes metrics and has them shown.
pub(super) struct Maker<'a>(pub(super) &'a Registry);

impl Maker<'_> {
    /// # Panics
    /// If a name is no name or is used twice: both are written in this crate.
    pub(super) fn add<M: Collector + Clone + 'static>(&self, made: prometheus::Result<M>) -> M {
        let metric = made.expect("the name is one");
        self.0.register(Box::new(metric.clone())).expect("the name is used once");
        metric
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::new(name, help))
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::new(name, help))
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// Buckets that double, from `first` seconds on: etcd's.
    fn options(name: &str, help: &str, first: f64, count: usize) -> HistogramOpts {
        let buckets = exponential_buckets(first, 2.0, count).expect("they grow");
        HistogramOpts::new(name, help).buckets(buckets)
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let make = Maker(&registry);
        let fsync = Maker::options(
            "etcd_disk_wal_fsync_duration_seconds",
            "How long data on its way to the disk took to become durable.",
            0.001,
            14,
        );
        let snapshot_fsync = Maker::options(
            "etcd_snap_fsync_duration_seconds",
            "How long a snapshot on its way to the disk took to become durable.",
            0.001,
            14,
        );
        let round_trip = Maker::options(
            "etcd_network_peer_round_trip_time_seconds",
            "How long a heartbeat and its answer took.",
            0.0001,
            15,
        );
        let duration = Maker::options(
            "etcd_http_successful_duration_seconds",
            "How long requests for keys took that were carried out.",
            0.0005,
            13,
        );
        Self {
            pending: make
                .gauge("etcd_server_proposals_pending", "Requests on their way through the log."),
            failed: make.counter(
                "etcd_server_proposals_failed_total",
                "Requests that found no way through the log.",
            ),
            http_received: make.counters(
                "etcd_http_received_total",
                "Requests for keys that were understood.",
                &["method"],
            ),
            http_failed: make.counters(
                "etcd_http_failed_total",
                "Requests for keys that were refused.",
                &["method", "code"],
            ),
            http_duration: make.add(HistogramVec::new(duration, &["method"])),
            watch_requests: make
                .counter("etcd_debugging_store_watch_requests_total", "Watches that began."),
            healthy: make.counter(
                "etcd_server_health_success",
                "Times that this member was asked for its health and had it.",
            ),
            unhealthy: make.counter(
                "etcd_server_health_failures",
                "Times that this member was asked for its health and did not have it.",
            ),
            fsync: make.add(Histogram::with_opts(fsync)),
            snapshot_fsync: make.add(Histogram::with_opts(snapshot_fsync)),
            written: make
                .gauge("etcd_disk_wal_write_bytes_total", "Bytes that were written to the log."),
            peer_sent: make.counters(
                "etcd_network_peer_sent_bytes_total",
                "Bytes that were sent to a peer.",
                &["To"],
            ),
            peer_received: make.counters(
                "etcd_network_peer_received_bytes_total",
                "Bytes that came from a peer.",
                &["From"],
            ),
            peer_failed: make.counters(
                "etcd_network_peer_sent_failures_total",
                "Times that something on its way to a peer was lost.",
                &["To"],
            ),
            peer_round_trip: make.add(HistogramVec::new(round_trip, &["To"])),
            elections: make.counter(
                "quorate_elections_total",
                "Elections in which this member asked for votes.",
            ),
            snapshots: make.counters(
                "quorate_snapshots_total",
                "Snapshots that were saved, failed, or took the place of this member's state.",
                &["outcome"],
            ),
            disk_full: make.gauge("quorate_disk_full", "Whether the disk is full."),
            refused_peers: make.counter(
                "quorate_peers_refused_total",
                "Causes for which peers were refused, each counted once as it is logged.",
            ),
            refused_peer_requests: make.counter(
                "quorate_peer_requests_refused_total",
                "Requests of peers that were refused by their heads.",
            ),
            copied: Mutex::new(Copied::new(&make)),
            registry,
        }
    }

    pub(super) fn note(&self, note: &Note) {
        match note {
            Note::Campaigned { pre: false, .. } => self.elections.inc(),
            Note::SnapshotSaved { .. } => self.snapshot("saved"),
            Note::SnapshotFailed { .. } => self.snapshot("failed"),
            Note::SnapshotInstalled { .. } => self.snapshot("installed"),
            Note::DiskFull { .. } => self.disk_full.set(1),
            Note::DiskRecovered => self.disk_full.set(0),
            Note::PeerRefused { .. } => self.refused_peers.inc(),
            _ => {}
        }
    }

    fn snapshot(&self, outcome: &str) {
        self.snapshots.with_label_values(&[outcome]).inc();
    }

    pub(super) fn synced(&self, kind: Kind, seconds: f64) {
        match kind {
            Kind::Log => self.fsync.observe(seconds),
            Kind::Snapshot => self.snapshot_fsync.observe(seconds),
        }
    }

    /// Bytes are on their way to the log.
    pub(super) fn written(&self, bytes: usize) {
        self.written.add(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A request of a peer was refused by its head.
    pub(crate) fn peer_request_refused(&self) {
        self.refused_peer_requests.inc();
    }

    /// Somebody asked for the health of this member.
    pub(crate) fn health(&self, status: u16) {
        if status < 400 { self.healthy.inc() } else { self.unhealthy.inc() }
    }

    pub(super) fn round_trip(&self, peer: MemberId, seconds: f64) {
        self.peer_round_trip.with_label_values(&[&peer.to_string()]).observe(seconds);
    }

    pub(super) fn lost(&self, peer: MemberId) {
        self.peer_failed.with_label_values(&[&peer.to_string()]).inc();
    }

    pub(crate) fn peer_sent(&self, peer: MemberId, bytes: usize) {
        self.peer_sent.with_label_values(&[&peer.to_string()]).inc_by(bytes as u64);
    }

    pub(crate) fn peer_received(&self, peer: MemberId, bytes: usize) {
        self.peer_received.with_label_values(&[&peer.to_string()]).inc_by(bytes as u64);
    }

    /// A request found no way through the log.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }

    /// A request for keys was answered.
    pub(crate) fn answered(&self, method: &str, status: u16, seconds: f64) {
        self.http_received.with_label_values(&[method]).inc();
        if status < 400 {
            self.http_duration.with_label_values(&[method]).observe(seconds);
        } else {
            self.http_failed.with_label_values(&[method, &status.to_string()]).inc();
        }
    }

    pub(super) fn text(&self, seen: &Seen<'_>, leader_changes: u64) -> String {
        let copied = lock(&self.copied);
        copied.take(seen, leader_changes);
        let gathered = self.registry.gather();
        drop(copied);
        // Text of names and numbers is always valid.
        TextEncoder::new().encode_to_string(&gathered).unwrap_or_default()
    }
}

impl Copied {
    fn new(make: &Maker<'_>) -> Self {
        Self {
            has_leader: make.gauge("etcd_server_has_leader", "Whether a leader is known."),
            is_leader: make.gauge("etcd_server_is_leader", "Whether this member leads."),
            is_learner: make
                .gauge("etcd_server_is_learner", "Whether this member has no vote yet."),
            leader_changes: make.counter(
                "etcd_server_leader_changes_seen_total",
                "How often the leader has changed.",
            ),
            committed: make.gauge(
                "etcd_server_proposals_committed_total",
                "The last entry that is known to be committed.",
            ),
            applied: make.gauge("etcd_server_proposals_applied_total", "The last applied entry."),
            id: make.gauges("etcd_server_id", "The ID of this member.", &["server_id"]),
            server_version: make.gauges(
                "etcd_server_version",
                "The release of etcd that this member stands for.",
                &["server_version"],
            ),
            cluster_version: make.gauges(
                "etcd_cluster_version",
                "The version that the cluster has agreed on.",
                &["cluster_version"],
            ),
            watchers: make.gauge("etcd_debugging_store_watchers", "Watches that are open."),
            store: StoreCounts::new(make),
            process: Process::new(make),
        }
    }

    fn take(&self, seen: &Seen<'_>, leader_changes: u64) {
        let View { member, leader, cluster, stamp, applied, personality, store, .. } = seen.view;
        let leads = leader.is_some() && leader == member;
        let record = member.and_then(|id| cluster.members.get(&id));
        self.has_leader.set(leader.is_some().into());
        self.is_leader.set(leads.into());
        self.is_learner.set(record.is_some_and(|member| member.learner).into());
        self.leader_changes.reset();
        self.leader_changes.inc_by(leader_changes);
        self.committed.set(stamp.raft_index.cast_signed());
        self.applied.set(applied.cast_signed());
        if let Some(member) = member {
            self.id.with_label_values(&[&member.to_string()]).set(1);
        }
        self.server_version.with_label_values(&[&personality.server.to_string()]).set(1);
        if let Some(version) = &cluster.version {
            self.cluster_version.reset();
            self.cluster_version.with_label_values(&[version]).set(1);
        }
        self.watchers.set(seen.watchers.cast_signed());
        self.store.take(&store.stats());
        if let Some(vitals) = seen.vitals {
            self.process.take(vitals);
        }
    }
}
