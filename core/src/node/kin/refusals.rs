//! Which refusals of peers are worth a line.
//!
//! Whoever is refused comes again, and whoever can reach the peer port can make up causes. So each
//! peer and cause is said once, and of new ones no more than a few a minute.

use alloc::collections::BTreeSet;
use alloc::string::String;

use crate::id::MemberId;
use crate::time::{Duration, Instant};

/// Refusals that are remembered.
const MAX: usize = 64;

/// Refusals that are said in one [`WINDOW`].
const MAX_IN_WINDOW: usize = 16;

const WINDOW: Duration = Duration::from_secs(60);

/// The refusals that were said.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    said: BTreeSet<(MemberId, String)>,
    /// When the window began, and how many were said in it.
    window: (Instant, usize),
}

impl Refusals {
    /// Whether a refusal is to be said now. One that is not, because of too many others, may be
    /// later.
    pub(super) fn says(&mut self, now: Instant, from: MemberId, cause: &str) -> bool {
        let refusal = (from, String::from(cause));
        if self.said.contains(&refusal) {
            return false;
        }
        if now.since(self.window.0) >= WINDOW {
            self.window = (now, 0);
        }
        if self.window.1 >= MAX_IN_WINDOW {
            return false;
        }
        self.window.1 += 1;
        if self.said.len() >= MAX {
            self.said.clear();
        }
        self.said.insert(refusal);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_once_and_few_at_a_time() {
        let mut refusals = Refusals::default();
        let mut says = |seconds: u64, from, cause: &str| {
            refusals.says(Instant::from_nanos(seconds * 1_000_000_000), MemberId(from), cause)
        };
        assert!(says(0, 1, "a"));
        assert!(!says(0, 1, "a"));
        assert!(says(0, 1, "b") && says(0, 2, "a"));
        assert!(!says(1, 1, "a"), "whatever was said in between");
        for from in 3..100 {
            assert_eq!(says(2, from, "a"), from < 3 + 13, "{from}");
        }
        assert!(says(61, 99, "a"), "it was not said, and now there is room");
        assert!(!says(61, 2, "a"));
    }
}
