//! The clocks of one host: one that drifts, and one that is wrong and jumps.

use quorate_core::time::{Instant, Now, Wall};

use crate::chance::Chance;
use crate::options::Options;

/// A billion nanoseconds: the rate of a clock that does not drift.
const SECOND: u64 = 1_000_000_000;

/// 2020-01-01, the true time at the start of every run, in nanoseconds since the Unix epoch.
const START: i64 = 1_577_836_800_000_000_000;

/// The clocks of one host. True times are nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What the monotonic clock says at the true time `since`.
    origin: u64,
    since: u64,
    /// Nanoseconds of this clock in a true second.
    rate: u64,
    /// Wall clock minus true time.
    skew: i64,
}

impl Clock {
    /// `drift` is in millionths, `skew` in nanoseconds.
    pub(crate) const fn new(drift: i64, skew: i64) -> Self {
        let rate = SECOND.saturating_add_signed(drift * 1000);
        Self { origin: 0, since: 0, rate, skew }
    }

    /// The clocks of a host of a run with these options.
    pub(crate) fn draw(options: &Options, chance: &mut Chance) -> Self {
        let drift = chance.below(2 * options.drift_ppm + 1) as i64 - options.drift_ppm as i64;
        let skew = chance.below(2 * options.skew_ms + 1) as i64 - options.skew_ms as i64;
        Self::new(drift, skew * 1_000_000)
    }

    /// A new process measures from another origin.
    pub(crate) const fn restart(&mut self, time: u64, origin: u64) {
        self.origin = origin;
        self.since = time;
    }

    pub(crate) const fn jump(&mut self, by: i64) {
        self.skew += by;
    }

    const fn mono(&self, time: u64) -> u64 {
        self.origin + scale(time - self.since, self.rate, SECOND)
    }

    pub(crate) const fn now(&self, time: u64) -> Now {
        Now {
            mono: Instant::from_nanos(self.mono(time)),
            wall: Wall::from_unix_nanos(START + time as i64 + self.skew),
        }
    }

    /// How far the wall clock, in Unix nanoseconds, is ahead of the true time.
    pub(crate) const fn ahead(&self) -> i64 {
        START + self.skew
    }

    /// The first true time at which the monotonic clock says `instant` or later.
    pub(crate) fn time_of(&self, instant: Instant) -> u64 {
        let local = instant.as_nanos().saturating_sub(self.origin);
        let elapsed = scale(local, SECOND, self.rate);
        let mut time = self.since.saturating_add(elapsed.min(u64::MAX / 2));
        while self.mono(time) < instant.as_nanos() {
            time += 1;
        }
        time
    }
}

/// `number * by / of`, where `by` and `of` are about a billion. Clocks are read at every event, and
/// a division of 128 bits takes long.
const fn scale(number: u64, by: u64, of: u64) -> u64 {
    (number / of).saturating_mul(by).saturating_add(number % of * by / of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_reached_exactly() {
        for drift in [-20_000, -1, 0, 7, 20_000] {
            let mut clock = Clock::new(drift, 0);
            clock.restart(1_234_567, 99_000_000_000);
            for after in [0, 1, 999, 1_000_000_007] {
                let instant = Instant::from_nanos(99_000_000_000 + after);
                let time = clock.time_of(instant);
                assert!(clock.now(time).mono >= instant);
                assert!(time == 1_234_567 || clock.now(time - 1).mono < instant);
            }
        }
    }

    #[test]
    fn only_the_wall_clock_jumps() {
        let mut clock = Clock::new(0, 0);
        let before = clock.now(5);
        clock.jump(-1_000_000);
        assert_eq!(clock.now(5).mono, before.mono);
        assert_eq!(clock.now(5).wall.unix_nanos(), before.wall.unix_nanos() - 1_000_000);
    }
}
