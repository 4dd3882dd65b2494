//! The certificates by which the hosts know each other, where members speak TLS.
//!
//! No cryptography is needed to say whom a certificate names and whether a check lets it pass. What
//! goes wrong goes wrong at single hosts, for a while, and concerns connections that are made
//! meanwhile.

use std::collections::BTreeMap;

use quorate_core::tls::{Certificate, Failure};
use quorate_core::url::{Scheme, Url};
use serde::{Deserialize, Serialize};

use crate::members;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It has expired.
    Expired,
    /// It is signed by an authority that nobody believes.
    Unknown,
    /// It is the one of this host, and its key too.
    Of {
        /// The host.
        host: usize,
    },
}

/// The certificates of all hosts.
#[derive(Debug, Default)]
pub struct Certificates {
    troubles: BTreeMap<usize, Trouble>,
}

impl Certificates {
    /// The certificate of a host has this trouble from now on, or none.
    pub fn trouble(&mut self, host: usize, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => self.troubles.insert(host, trouble),
            None => self.troubles.remove(&host),
        };
    }

    /// The handshake of a connection from one host to another, as the latter sees it: what the
    /// former has shown.
    ///
    /// # Errors
    /// The check that failed, at whichever end.
    pub fn caller(&self, from: usize, to: usize) -> Result<Certificate, Failure> {
        self.verify(to, &members::host_name(to)).map_err(Failure::Alert)?;
        self.shown_by(from).map_err(Failure::Theirs)
    }

    /// Whether a new connection between two hosts comes about: each has to show that it is itself.
    ///
    /// # Errors
    /// The check that fails, in words.
    pub fn meet(&self, from: usize, to: usize) -> Result<(), String> {
        let is_itself = |host| self.verify(host, &members::host_name(host));
        is_itself(to).and_then(|()| is_itself(from))
    }

    /// What a host shows, as whoever looks at it takes it.
    fn shown_by(&self, host: usize) -> Result<Certificate, String> {
        match self.troubles.get(&host) {
            None => Ok(of(host)),
            Some(Trouble::Of { host }) => Ok(of(*host)),
            Some(Trouble::Expired) => Err("it has expired".to_owned()),
            Some(Trouble::Unknown) => Err("it is not signed by an authority".to_owned()),
        }
    }

    /// Whether a host, which was asked for by a name or an address, may be connected to.
    ///
    /// # Errors
    /// The check that its certificate does not pass, in words.
    pub fn verify(&self, host: usize, asked: &str) -> Result<(), String> {
        let certificate = self.shown_by(host)?;
        let url = Url::parse(&format!("{}://{asked}:1", Scheme::Https.as_str()));
        let valid = url.is_ok_and(|url| certificate.is_valid_for(&url));
        if valid { Ok(()) } else { Err(format!("it is of {}", certificate.names())) }
    }
}

fn of(host: usize) -> Certificate {
    let (name, address) = (members::host_name(host), members::host_address(host));
    Certificate { common_name: None, dns_names: vec![name], addresses: vec![address] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_and_its_address() {
        let certificates = Certificates::default();
        for asked in ["n1", "10.0.0.1"] {
            assert_eq!(certificates.verify(1, asked), Ok(()));
            assert!(certificates.verify(2, asked).is_err());
        }
    }

    #[test]
    fn trouble_is_one_hosts_and_ends() {
        let mut certificates = Certificates::default();
        for trouble in [Trouble::Expired, Trouble::Unknown, Trouble::Of { host: 2 }] {
            certificates.trouble(1, Some(trouble));
            assert!(certificates.verify(1, "n1").is_err(), "{trouble:?}");
            assert_eq!(certificates.verify(2, "n2"), Ok(()));
            assert!(certificates.meet(1, 2).is_err() && certificates.meet(2, 1).is_err());
            assert_eq!(certificates.meet(0, 2), Ok(()));
        }
        assert!(certificates.caller(1, 2).expect("it is a good one").names().contains("n2"));
        assert!(matches!(certificates.caller(2, 1), Err(Failure::Alert(_))));
        certificates.trouble(1, None);
        assert_eq!(certificates.verify(1, "n1"), Ok(()));
    }
}
