//! Time as an argument.
//!
//! The core owns no clock: whoever drives it says what time it is with every input. Two clocks
//! are told apart, because they may be trusted with different things: the monotonic one runs every
//! timer, the wall clock only stamps expiry times into the log.

pub mod rfc3339;

use core::ops::Add;

pub use core::time::Duration;

/// A point on the driver's monotonic clock, in nanoseconds since an origin of its choice that does
/// not change while the process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The instant `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// The driver's wall clock, in nanoseconds since the Unix epoch. It may jump; nothing but time to
/// live and request IDs is derived from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(i64);

impl Wall {
    /// The wall time `nanos` nanoseconds after the Unix epoch.
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }
}

/// What time it is, on both clocks, at the moment an input is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The clock of the timers.
    pub mono: Instant,
    /// The clock of expiry times.
    pub wall: Wall,
}
