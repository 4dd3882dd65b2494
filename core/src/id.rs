//! The identities of members and clusters.
//!
//! Both are 64-bit numbers, printed in lower-case hexadecimal without leading zeros, as every
//! release of etcd prints them. They are not drawn but derived, so that members that were given
//! the same list agree on them without having talked to each other.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use sha1::{Digest as _, Sha1};

use crate::url::Url;

/// Identifies a member within its cluster. Zero is never a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// Identifies a cluster; fixed by its initial members for as long as it lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u64);

impl MemberId {
    /// The ID of an initial member: SHA-1 over its peer URLs, sorted as text and put together
    /// without separator, followed by the token of the cluster. The name takes no part.
    pub fn derive(urls: &[Url], token: &str) -> Self {
        Self(hash_urls(urls, token.as_bytes()))
    }

    /// The ID of a member that is added to a running cluster: no token, but the decimal Unix time
    /// of the addition in seconds.
    pub fn derive_added(urls: &[Url], unix_seconds: i64) -> Self {
        Self(hash_urls(urls, unix_seconds.to_string().as_bytes()))
    }

    /// Reads the text form: up to 64 bits in hexadecimal digits of either case, with any number of
    /// leading zeros, and nothing else.
    pub fn parse_hex(text: &str) -> Option<Self> {
        parse_hex(text).map(Self)
    }
}

impl ClusterId {
    /// The ID of the cluster whose initial members these are, in any order.
    pub fn derive(members: impl IntoIterator<Item = MemberId>) -> Self {
        let mut ids: Vec<MemberId> = members.into_iter().collect();
        ids.sort_unstable();
        let mut hash = Sha1::new();
        for id in ids {
            hash.update(id.0.to_be_bytes());
        }
        Self(first_eight_bytes(hash))
    }

    /// Reads the text form, as [`MemberId::parse_hex`] does.
    pub fn parse_hex(text: &str) -> Option<Self> {
        parse_hex(text).map(Self)
    }
}

fn hash_urls(urls: &[Url], suffix: &[u8]) -> u64 {
    let mut texts: Vec<&str> = urls.iter().map(Url::as_str).collect();
    texts.sort_unstable();
    let mut hash = Sha1::new();
    for text in texts {
        hash.update(text.as_bytes());
    }
    hash.update(suffix);
    first_eight_bytes(hash)
}

fn first_eight_bytes(hash: Sha1) -> u64 {
    hash.finalize().iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte))
}

fn parse_hex(text: &str) -> Option<u64> {
    // from_str_radix would let a sign pass.
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_as_etcd_reads_it() {
        assert_eq!(MemberId::parse_hex("8a0a11c6194fc77"), Some(MemberId(0x08a0_a11c_6194_fc77)));
        assert_eq!(MemberId::parse_hex("00000000000000000AbC"), Some(MemberId(0xabc)));
        assert_eq!(ClusterId::parse_hex("ffffffffffffffff"), Some(ClusterId(u64::MAX)));
        for bad in ["", "+1", "-1", "0x1", "g", " 1", "1_0", "10000000000000000", "é"] {
            assert_eq!(MemberId::parse_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn order_does_not_matter_but_every_url_and_the_suffix_do() {
        let url = |text| Url::parse(text).unwrap();
        let (a, b) = (url("http://a:1"), url("http://b:1"));
        let id = MemberId::derive(&[a.clone(), b.clone()], "1");
        assert_eq!(MemberId::derive(&[b.clone(), a.clone()], "1"), id);
        assert_eq!(MemberId::derive_added(&[b.clone(), a.clone()], 1), id);
        for other in [
            MemberId::derive(&[a.clone(), b.clone()], ""),
            MemberId::derive(core::slice::from_ref(&a), "1"),
            MemberId::derive(&[a, b.clone(), b], "1"),
        ] {
            assert_ne!(other, id);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_read_again(id in proptest::num::u64::ANY) {
            let text = MemberId(id).to_string();
            proptest::prop_assert_eq!(MemberId::parse_hex(&text), Some(MemberId(id)));
            proptest::prop_assert!(id == 0 || !text.starts_with('0'));
        }
    }
}
