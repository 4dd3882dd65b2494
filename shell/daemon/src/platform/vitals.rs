//! What Linux says of this process.

use procfs::process::{LimitValue, Process};
use quorate_shell::Vitals;

/// Nothing where `/proc` is absent.
pub(super) fn vitals() -> Option<Vitals> {
    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let ticks = procfs::ticks_per_second() as f64;
    let limits = process.limits().ok()?;
    let booted = procfs::boot_time_secs().ok()? as f64;
    let limit = |value| match value {
        LimitValue::Unlimited => u64::MAX >> 1,
        LimitValue::Value(limit) => limit,
    };
    Some(Vitals {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        descriptors: process.fd_count().ok()? as u64,
        descriptors_max: limit(limits.max_open_files.soft_limit),
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        virtual_bytes_max: limit(limits.max_address_space.soft_limit),
        started_seconds: booted + stat.starttime as f64 / ticks,
    })
}
