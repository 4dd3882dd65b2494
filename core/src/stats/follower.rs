//! How a follower answers its leader.

use crate::time::{Instant, Now};

/// What the leader counts of one follower.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// Appends that were answered.
    pub success: u64,
    /// Appends that were lost.
    pub fail: u64,
    /// How long answers took.
    pub latency: Latency,
    /// Since when it answers and nothing on its way to it was lost; absent where that is not so.
    pub well_since: Option<Now>,
    /// When the oldest append without an answer was sent.
    asked: Option<Instant>,
}

/// How long answers took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// The last answer.
    pub current: u64,
    /// The quickest one; nothing before the first answer.
    pub minimum: Option<u64>,
    /// The slowest one.
    pub maximum: u64,
    count: u64,
    sum: u128,
    squares: u128,
}

impl Follower {
    /// An append is sent. Of several that wait for their answers the first is measured.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked.get_or_insert(now);
    }

    pub(super) fn answered(&mut self, now: Instant) {
        self.success += 1;
        if let Some(asked) = self.asked.take() {
            let nanos = u64::try_from(now.since(asked).as_nanos()).unwrap_or(u64::MAX);
            self.latency.add(nanos);
        }
    }

    /// It was heard from.
    pub(super) fn heard(&mut self, now: Now) {
        self.well_since.get_or_insert(now);
    }

    pub(super) fn lost(&mut self) {
        self.well_since = None;
        self.fail += 1;
        self.asked = None;
    }
}

impl Latency {
    fn add(&mut self, nanos: u64) {
        self.current = nanos;
        self.minimum = Some(self.minimum.map_or(nanos, |minimum| minimum.min(nanos)));
        self.maximum = self.maximum.max(nanos);
        self.count += 1;
        self.sum += u128::from(nanos);
        self.squares = self.squares.saturating_add(u128::from(nanos).pow(2));
    }

    /// The mean.
    pub fn average(&self) -> u64 {
        let mean = self.sum / u128::from(self.count.max(1));
        u64::try_from(mean).unwrap_or(u64::MAX)
    }

    /// The standard deviation.
    pub fn deviation(&self) -> u64 {
        let mean_of_squares = self.squares / u128::from(self.count.max(1));
        let variance = mean_of_squares.saturating_sub(u128::from(self.average()).pow(2));
        u64::try_from(variance.isqrt()).unwrap_or(u64::MAX)
    }
}
