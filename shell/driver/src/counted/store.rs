//! The counters of the store under the names that etcd has for Prometheus.

use prometheus::{IntCounter, IntCounterVec};
use quorate_core::store::{Stats, Tally};

use super::metrics::Maker;

pub(super) struct StoreCounts {
    reads: IntCounterVec,
    reads_failed: IntCounterVec,
    writes: IntCounterVec,
    writes_failed: IntCounterVec,
    expires: IntCounter,
}

impl StoreCounts {
    pub(super) fn new(make: &Maker<'_>) -> Self {
        let counters = |name: &str, help: &str| {
            make.counters(&format!("etcd_debugging_store_{name}_total"), help, &["action"])
        };
        Self {
            reads: counters("reads", "Reads, those through the log and those of this member."),
            reads_failed: counters("reads_failed", "Reads of what is not there."),
            writes: counters("writes", "Writes that were carried out."),
            writes_failed: counters("writes_failed", "Writes that were refused by the store."),
            expires: make.counter("etcd_debugging_store_expires_total", "Keys that expired."),
        }
    }

    pub(super) fn take(&self, stats: &Stats) {
        let set = |counters: &IntCounterVec, action: &str, count: u64| {
            let counter = counters.with_label_values(&[action]);
            counter.reset();
            counter.inc_by(count);
        };
        set(&self.reads, "get", stats.gets.success);
        set(&self.reads_failed, "get", stats.gets.fail);
        let Stats { sets, deletes, updates, creates, swaps, compared_deletes, .. } = stats;
        for (action, Tally { success, fail }) in [
            ("set", sets),
            ("delete", deletes),
            ("update", updates),
            ("create", creates),
            ("compareAndSwap", swaps),
            ("compareAndDelete", compared_deletes),
        ] {
            set(&self.writes, action, *success);
            set(&self.writes_failed, action, *fail);
        }
        self.expires.reset();
        self.expires.inc_by(stats.expired);
    }
}
