//! What tells members and clusters apart beyond the IDs, which are derived from lists and tokens
//! and so can be made twice.
//!
//! etcd knows nothing of it. A member says it in headers, which etcd ignores, and never in the v2
//! store, where it would be counted.

use core::fmt;

use sha1::{Digest as _, Sha1};

use super::boots::{Boots, Known};
use crate::wire::version::Version;

/// A random number that a data directory carries for as long as it lives, so that one that was
/// wiped can be told from the one that peers knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation([u8; 16]);

/// A random number that a cluster has agreed on through its log, so that two clusters of the same
/// list and token can be told apart. There is one as soon as all members are Quorate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

/// What a member says of itself to its peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its data directory.
    pub incarnation: Option<Incarnation>,
    /// Its cluster, once it knows what was agreed on.
    pub nonce: Option<Nonce>,
    /// The version of its server, which is the one thing that etcd says too. It is heard here, and
    /// said with the other versions of the sender.
    pub server: Option<Version>,
    /// The starts of its data directory, once it takes part.
    pub boots: Option<Boots>,
    /// By what it knows the one that it speaks to.
    pub evidence: Option<Known>,
}

/// Who a data directory is, as it is kept in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn when the directory was made.
    pub incarnation: Incarnation,
    /// Its starts.
    pub boots: Boots,
    /// Whether it is known to have lost some of what it promised, and was not brought back yet.
    pub behind: bool,
}

impl Incarnation {
    /// The incarnation made of random bytes from the platform's entropy.
    pub fn new(entropy: &[u8; 32]) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&entropy[..16]);
        Self(bytes)
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads the text form: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }
}

impl Nonce {
    /// The nonce made of random bytes from the platform's entropy.
    pub fn new(entropy: &[u8; 32]) -> Self {
        // Other bytes than those of the incarnation, whatever else they are used for.
        let mut hash = Sha1::new();
        hash.update(entropy);
        hash.update(b"nonce");
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self(bytes)
    }

    /// Reads the text form: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }
}

fn parse(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

fn write(bytes: [u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:032x}", u128::from_be_bytes(bytes))
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, f)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        let entropy = [0x0f; 32];
        let (incarnation, nonce) = (Incarnation::new(&entropy), Nonce::new(&entropy));
        assert_eq!(Incarnation::parse(&incarnation.to_string()), Some(incarnation));
        assert_eq!(Nonce::parse(&nonce.to_string()), Some(nonce));
        assert_ne!(incarnation.to_string(), nonce.to_string());
        for bad in
            ["", "0f", "+0000000000000000000000000000000", "0g0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"]
        {
            assert_eq!(Nonce::parse(bad), None, "{bad}");
        }
    }
}
