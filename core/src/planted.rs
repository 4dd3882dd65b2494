//! Planted bugs: classical faults of systems like this one, so that the simulator can prove that it
//! would find them.
//!
//! A site says what would go wrong there, next to what is right: `if planted!(IgnorePrevIndex) { … }`. The
//! macro is the constant `false`, except in the package `quorate-core-planted` under `sim/`, which
//! compiles these very sources with the feature `planted`. This package does not have that feature,
//! so no command can build a daemon with it.

#[cfg(feature = "planted")]
mod bugs;

#[cfg(feature = "planted")]
pub use bugs::{Bug, choose, is};

/// Whether one of these planted bugs is switched on.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($($bug:ident)|+) => {
        $($crate::planted::is($crate::planted::Bug::$bug))||+
    };
}

/// Whether one of these planted bugs is switched on: never in this build.
#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($($bug:ident)|+) => {
        false
    };
}
