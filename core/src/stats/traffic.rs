//! How many messages go by, and how fast.

use alloc::collections::VecDeque;

use crate::time::{Duration, Instant};

/// The messages from which rates are computed: etcd's number.
const WINDOW: usize = 200;
/// Rates are 0 when nothing went by for so long.
const FRESH: Duration = Duration::from_secs(1);

/// The messages of one kind.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// How many there were.
    pub count: u64,
    last: VecDeque<(Instant, u64)>,
}

impl Traffic {
    /// One more message, of `bytes` bytes.
    pub(super) fn count(&mut self, now: Instant, bytes: u64) {
        self.count += 1;
        if self.last.len() == WINDOW {
            self.last.pop_front();
        }
        self.last.push_back((now, bytes));
    }

    /// Messages and bytes a second, lately.
    pub fn rates(&self, now: Instant) -> (f64, f64) {
        let (Some((first, _)), Some((last, _))) = (self.last.front(), self.last.back()) else {
            return (0.0, 0.0);
        };
        let seconds = last.since(*first).as_secs_f64();
        if now.since(*last) > FRESH || seconds == 0.0 {
            return (0.0, 0.0);
        }
        let bytes: u64 = self.last.iter().map(|(_, bytes)| bytes).sum();
        (self.last.len() as f64 / seconds, bytes as f64 / seconds)
    }
}
