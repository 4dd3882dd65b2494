//! Counters of what was asked of the store, as `/v2/stats/store` shows them.

use core::sync::atomic::{AtomicU64, Ordering};

/// How often each operation was carried out, and how often refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// `getsSuccess`
    pub gets: Tally,
    /// `setsSuccess`
    pub sets: Tally,
    /// `deleteSuccess`
    pub deletes: Tally,
    /// `updateSuccess`
    pub updates: Tally,
    /// `createSuccess`; creation in order included.
    pub creates: Tally,
    /// `compareAndSwapSuccess`
    pub swaps: Tally,
    /// `compareAndDeleteSuccess`
    pub compared_deletes: Tally,
    /// `expireCount`: nodes that were removed because their time had come.
    pub expired: u64,
}

/// How often one operation went well and how often not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Carried out.
    pub success: u64,
    /// Refused.
    pub fail: u64,
}

impl Stats {
    /// The counters under etcd's names, in etcd's order. `watchers`, the last of
    /// `/v2/stats/store`, is not among them: it is known to the watch hub alone.
    pub fn named(&self) -> [(&'static str, u64); 15] {
        [
            ("getsSuccess", self.gets.success),
            ("getsFail", self.gets.fail),
            ("setsSuccess", self.sets.success),
            ("setsFail", self.sets.fail),
            ("deleteSuccess", self.deletes.success),
            ("deleteFail", self.deletes.fail),
            ("updateSuccess", self.updates.success),
            ("updateFail", self.updates.fail),
            ("createSuccess", self.creates.success),
            ("createFail", self.creates.fail),
            ("compareAndSwapSuccess", self.swaps.success),
            ("compareAndSwapFail", self.swaps.fail),
            ("compareAndDeleteSuccess", self.compared_deletes.success),
            ("compareAndDeleteFail", self.compared_deletes.fail),
            ("expireCount", self.expired),
        ]
    }

    /// The counter of that name.
    pub(crate) fn by_name(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "getsSuccess" => &mut self.gets.success,
            "getsFail" => &mut self.gets.fail,
            "setsSuccess" => &mut self.sets.success,
            "setsFail" => &mut self.sets.fail,
            "deleteSuccess" => &mut self.deletes.success,
            "deleteFail" => &mut self.deletes.fail,
            "updateSuccess" => &mut self.updates.success,
            "updateFail" => &mut self.updates.fail,
            "createSuccess" => &mut self.creates.success,
            "createFail" => &mut self.creates.fail,
            "compareAndSwapSuccess" => &mut self.swaps.success,
            "compareAndSwapFail" => &mut self.swaps.fail,
            "compareAndDeleteSuccess" => &mut self.compared_deletes.success,
            "compareAndDeleteFail" => &mut self.compared_deletes.fail,
            "expireCount" => &mut self.expired,
            _ => return None,
        })
    }
}

impl Tally {
    pub(crate) fn count<T, E>(&mut self, result: &Result<T, E>) {
        let counter = if result.is_ok() { &mut self.success } else { &mut self.fail };
        *counter = counter.saturating_add(1);
    }
}

/// Reads that did not go through the log. They are no part of the replicated state; all images
/// that stem from one store count into the same place, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    success: AtomicU64,
    fail: AtomicU64,
}

impl Reads {
    pub(crate) fn count<T, E>(&self, result: &Result<T, E>) {
        let counter = if result.is_ok() { &self.success } else { &self.fail };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            success: self.success.load(Ordering::Relaxed),
            fail: self.fail.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_counter() {
        let mut stats = Stats::default();
        for (at, (name, _)) in Stats::default().named().into_iter().enumerate() {
            *stats.by_name(name).expect("a known name") = at as u64 + 1;
        }
        for (at, (name, count)) in stats.named().into_iter().enumerate() {
            assert_eq!(count, at as u64 + 1, "{name}");
        }
        assert!(stats.by_name("watchers").is_none());
    }
}
