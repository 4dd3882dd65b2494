//! Which refusals were said already.
//!
//! A peer whose certificate has expired dials ten times a second; the log says so once a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quorate_core::time::Instant;
use quorate_core::tls::Failure;

/// How long a complaint is not repeated.
const QUIET: Duration = Duration::from_secs(60);
/// Complaints that are remembered; beyond them nothing is said until the oldest are forgotten.
const REMEMBERED: usize = 256;

/// What was said, and when.
#[derive(Debug, Default)]
pub(super) struct Complaints(Mutex<BTreeMap<(String, String), Instant>>);

impl Complaints {
    /// Whether this is worth saying: the same was not said about that host, whatever its port.
    pub(super) fn is_news(&self, now: Instant, origin: &str, failure: &Failure) -> bool {
        let host = origin.rsplit_once(':').map_or(origin, |(host, _)| host);
        let complaint = (host.to_owned(), failure.to_string());
        // No code panics while it holds the lock, so a poisoned one is as good as any.
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| now.since(*at) < QUIET);
        if said.contains_key(&complaint) || said.len() >= REMEMBERED {
            return false;
        }
        said.insert(complaint, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_not_said_again_for_a_while() {
        let complaints = Complaints::default();
        let start = Instant::from_nanos(0);
        assert!(complaints.is_news(start, "[::1]:1", &Failure::NotTls));
        assert!(!complaints.is_news(start, "[::1]:2", &Failure::NotTls));
        assert!(complaints.is_news(start, "[::1]:2", &Failure::PlainRequest));
        assert!(complaints.is_news(start, "10.0.0.1:1", &Failure::NotTls));
        assert!(complaints.is_news(start + QUIET, "[::1]:3", &Failure::NotTls));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let complaints = Complaints::default();
        let start = Instant::from_nanos(0);
        let fresh =
            |host: usize, at| complaints.is_news(at, &format!("{host}:1"), &Failure::NotTls);
        assert!((0..REMEMBERED).all(|host| fresh(host, start)));
        assert!(!fresh(REMEMBERED, start));
        assert!(fresh(REMEMBERED, start + QUIET));
    }
}
