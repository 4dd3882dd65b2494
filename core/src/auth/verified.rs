//! Passwords that were verified, so that not every request costs a hash.
//!
//! An entry counts as long as the very hash is stored by which the password was verified: any change
//! of the password, and the end of the user, drops it. What is kept of a password is a digest under
//! a key that nobody else has.

use alloc::collections::BTreeMap;
use alloc::string::String;

use sha2::{Digest as _, Sha256};

/// Users whose passwords are remembered; when there are more, all begin anew.
const USERS: usize = 1024;

/// The passwords that were verified.
#[derive(Clone, Debug)]
pub struct Verified {
    key: [u8; 32],
    known: BTreeMap<String, Known>,
}

#[derive(Clone, Debug)]
struct Known {
    digest: [u8; 32],
    hash: String,
}

impl Verified {
    /// Nothing was verified yet. `key` are random bytes of the platform's entropy.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, known: BTreeMap::new() }
    }

    /// Whether this password was verified by this hash.
    pub fn knows(&self, user: &str, password: &str, hash: &str) -> bool {
        let known = self.known.get(user);
        known.is_some_and(|known| known.hash == hash && known.digest == self.digest(password))
    }

    /// The password was verified by the hash.
    pub fn remember(&mut self, user: String, password: &str, hash: String) {
        if self.known.len() >= USERS && !self.known.contains_key(&user) {
            self.known.clear();
        }
        let digest = self.digest(password);
        self.known.insert(user, Known { digest, hash });
    }

    fn digest(&self, password: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.key).chain_update(password).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash() {
        let mut verified = Verified::new([1; 32]);
        assert!(!verified.knows("a", "pw", "h1"));
        verified.remember("a".to_string(), "pw", "h1".to_string());
        assert!(verified.knows("a", "pw", "h1"));
        for (user, password, hash) in [("b", "pw", "h1"), ("a", "px", "h1"), ("a", "pw", "h2")] {
            assert!(!verified.knows(user, password, hash), "{user} {password} {hash}");
        }
        verified.remember("a".to_string(), "new", "h2".to_string());
        assert!(!verified.knows("a", "pw", "h1"));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut verified = Verified::new([1; 32]);
        for number in 0..5_000 {
            verified.remember(number.to_string(), "pw", "h".to_string());
            assert!(verified.known.len() <= USERS);
            assert!(verified.knows(&number.to_string(), "pw", "h"));
        }
    }
}
