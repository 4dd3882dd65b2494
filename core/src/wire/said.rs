//! What members of Quorate say to each other beside etcd's headers.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::member::boots::{Boots, Known};
use crate::member::identity::{Incarnation, Nonce, Said};
use crate::wire::version::Version;

/// The header that names the data directory of the sender. Who says it is Quorate.
pub const INCARNATION: &str = "X-Quorate-Incarnation";
/// The header that names the cluster of the sender, once all its members are Quorate.
pub const NONCE: &str = "X-Quorate-Nonce";
/// The header with the last starts of the data directory of the sender.
pub const BOOTS: &str = "X-Quorate-Boots";
/// The header with what the sender remembers of the one that it speaks to.
pub const EVIDENCE: &str = "X-Quorate-Evidence";

impl Said {
    /// Reads it from headers, by their names in lower case.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            incarnation: header("x-quorate-incarnation").and_then(Incarnation::parse),
            nonce: header("x-quorate-nonce").and_then(Nonce::parse),
            server: header("x-server-version").and_then(Version::parse),
            boots: header("x-quorate-boots").and_then(Boots::parse),
            evidence: header("x-quorate-evidence").and_then(Known::parse),
        }
    }

    /// The headers that say it, but for the version: who sends headers has that already.
    pub fn headers(self) -> Vec<(&'static str, String)> {
        let incarnation = self.incarnation.map(|said| (INCARNATION, said.to_string()));
        let nonce = self.nonce.map(|said| (NONCE, said.to_string()));
        let boots = self.boots.map(|said| (BOOTS, said.to_string()));
        let evidence = self.evidence.map(|said| (EVIDENCE, said.text()));
        incarnation.into_iter().chain(nonce).chain(boots).chain(evidence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let said = Said {
            incarnation: Some(Incarnation::new(&[1; 32])),
            nonce: Some(Nonce::new(&[2; 32])),
            server: None,
            boots: Some(Boots::first(&[3; 32]).next(&[4; 32])),
            evidence: Known::parse("00000000000000000000000000000001:2:0000000000000003:4:5"),
        };
        for said in [said, Said { nonce: None, evidence: None, ..said }, Said::default()] {
            let headers = said.headers();
            let header = |name: &str| {
                let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.as_str())
            };
            assert_eq!(Said::read(header), said);
        }
    }
}
