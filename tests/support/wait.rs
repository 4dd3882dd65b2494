//! Waiting for what has to happen at some time. No test says how soon.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. Only a test that fails waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "waited {PATIENCE:?} in vain for: {what}");
        sleep(PAUSE);
    }
}

/// Asks until it is so.
///
/// # Panics
/// If it is not within [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut ask: impl FnMut() -> bool) {
    wait_for(what, || ask().then_some(()));
}
