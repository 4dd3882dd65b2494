//! What the system says of the process, under the names that every program has for Prometheus.

use prometheus::{Counter, Gauge, IntGauge};

use super::metrics::Maker;
use crate::platform::Vitals;

pub(super) struct Process {
    cpu: Counter,
    open: IntGauge,
    max: IntGauge,
    resident: IntGauge,
    virtual_: IntGauge,
    virtual_max: IntGauge,
    /// etcd's own names for `open` and `max`.
    used: IntGauge,
    limit: IntGauge,
    started: Gauge,
}

impl Process {
    pub(super) fn new(make: &Maker<'_>) -> Self {
        Self {
            cpu: make.add(Counter::new(
                "process_cpu_seconds_total",
                "Time of processors that was used, in seconds.",
            )),
            open: make.gauge("process_open_fds", "Descriptors that are open."),
            max: make.gauge("process_max_fds", "Descriptors that may be open."),
            resident: make.gauge("process_resident_memory_bytes", "Bytes of memory in use."),
            virtual_: make.gauge("process_virtual_memory_bytes", "Bytes of addresses in use."),
            virtual_max: make.gauge(
                "process_virtual_memory_max_bytes",
                "Bytes of addresses that may be in use.",
            ),
            used: make.gauge("os_fd_used", "Descriptors that are open."),
            limit: make.gauge("os_fd_limit", "Descriptors that may be open."),
            started: make.add(Gauge::new(
                "process_start_time_seconds",
                "When the process was started, in seconds since 1970.",
            )),
        }
    }

    pub(super) fn take(&self, vitals: Vitals) {
        self.cpu.reset();
        self.cpu.inc_by(vitals.cpu_seconds);
        self.open.set(vitals.descriptors.cast_signed());
        self.max.set(vitals.descriptors_max.cast_signed());
        self.resident.set(vitals.resident_bytes.cast_signed());
        self.virtual_.set(vitals.virtual_bytes.cast_signed());
        self.virtual_max.set(vitals.virtual_bytes_max.cast_signed());
        self.used.set(vitals.descriptors.cast_signed());
        self.limit.set(vitals.descriptors_max.cast_signed());
        self.started.set(vitals.started_seconds);
    }
}
