//! How much one address may ask for.

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use crate::time::{Duration, Instant};

/// Tokens that one address may have made within [`WINDOW`].
const TOKENS: u32 = 100;
/// Polls that one address may have open.
const POLLS: u32 = 200;
const WINDOW: Duration = Duration::from_secs(3600);
/// Addresses that are remembered; when there are more, those with the oldest windows are forgotten.
const ADDRESSES: usize = 100_000;

/// What each address has asked for.
#[derive(Debug, Default)]
pub struct Limits {
    tokens: BTreeMap<IpAddr, (Instant, u32)>,
    polls: BTreeMap<IpAddr, u32>,
}

impl Limits {
    /// Counts a token. False if the address has had enough.
    pub fn token(&mut self, address: Option<IpAddr>, now: Instant) -> bool {
        let Some(address) = address else { return true };
        if self.tokens.len() >= ADDRESSES {
            self.tokens.retain(|_, (since, _)| now.since(*since) < WINDOW);
        }
        if self.tokens.len() >= ADDRESSES && !self.tokens.contains_key(&address) {
            return false;
        }
        let (since, made) = self.tokens.entry(address).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *made) = (now, 0);
        }
        *made += 1;
        *made <= TOKENS
    }

    /// Counts a poll that begins. False if the address has enough of them; then it does not count.
    pub fn poll(&mut self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return true };
        let open = self.polls.entry(address).or_default();
        let room = *open < POLLS;
        *open += u32::from(room);
        room
    }

    /// A poll has ended.
    pub fn polled(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        if let Some(open) = self.polls.get_mut(&address) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.polls.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_bounded_and_others_are_not_harmed() {
        let mut limits = Limits::default();
        let (one, other) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        let now = Instant::default();
        assert!((0..TOKENS).all(|_| limits.token(one, now)));
        assert!(!limits.token(one, now));
        assert!(limits.token(other, now));
        assert!(limits.token(one, now + WINDOW), "an hour later");
        assert!((0..POLLS).all(|_| limits.poll(one)));
        assert!(!limits.poll(one) && limits.poll(other));
        limits.polled(one);
        assert!(limits.poll(one) && !limits.poll(one));
    }
}
