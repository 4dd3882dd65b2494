//! What a certificate says about its holder.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::url::Url;

/// The names in a certificate that was shown and verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of the subject, if it has one. It is no name of a host (RFC 6125, 6.4.4).
    pub common_name: Option<String>,
    /// DNS names of the subject; the first label may be `*`.
    pub dns_names: Vec<String>,
    /// Addresses of the subject.
    pub addresses: Vec<IpAddr>,
}

impl Certificate {
    /// Whether its holder may be the host of `url` (RFC 6125, 6.4): an address has to be listed, a
    /// name has to be listed or to match a wildcard, which stands for exactly one label.
    pub fn is_valid_for(&self, url: &Url) -> bool {
        if let Some(ip) = url.ip() {
            let ip = ip.to_canonical();
            return self.addresses.iter().any(|listed| listed.to_canonical() == ip);
        }
        let host = url.canonical_host();
        let host = host.strip_suffix('.').unwrap_or(&host);
        !host.is_empty() && self.dns_names.iter().any(|name| matches(name, host))
    }

    /// All names, for messages.
    pub fn names(&self) -> String {
        let mut names: Vec<String> = self.dns_names.clone();
        names.extend(self.addresses.iter().map(alloc::string::ToString::to_string));
        match (names.is_empty(), &self.common_name) {
            (false, _) => names.join(", "),
            (true, Some(common)) => alloc::format!("the common name {common:?} alone"),
            (true, None) => "nobody".into(),
        }
    }
}

fn matches(name: &str, host: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    match (name.split_once('.'), host.split_once('.')) {
        (Some(("*", domain)), Some((label, rest))) => {
            !label.is_empty() && domain.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(names: &[&str], addresses: &[&str], url: &str) -> bool {
        let certificate = Certificate {
            common_name: Some("infra9.example.com".into()),
            dns_names: names.iter().map(|name| (*name).into()).collect(),
            addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
        };
        certificate.is_valid_for(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_name_has_to_be_listed() {
        assert!(valid(&["a.example.com"], &[], "https://A.example.com:2380"));
        assert!(!valid(&["a.example.com"], &[], "https://b.example.com:2380"));
        assert!(!valid(&[], &[], "https://infra9.example.com:2380"), "a common name is none");
        assert!(!valid(&[], &["10.0.0.1"], "https://a.example.com:2380"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(valid(&["*.example.com"], &[], "https://a.example.com:2380"));
        assert!(!valid(&["*.example.com"], &[], "https://a.b.example.com:2380"));
        assert!(!valid(&["*.example.com"], &[], "https://example.com:2380"));
        assert!(!valid(&["a*.example.com"], &[], "https://ab.example.com:2380"));
    }

    #[test]
    fn an_address_has_to_be_listed_as_an_address() {
        assert!(valid(&[], &["10.0.0.1"], "https://10.0.0.1:2380"));
        assert!(!valid(&["10.0.0.1"], &[], "https://10.0.0.1:2380"));
        assert!(valid(&[], &["::1"], "https://[0:0::1]:2380"));
        assert!(!valid(&[], &["::1"], "https://[::2]:2380"));
        assert!(!valid(&["*"], &["::1"], "https://:2380"), "nobody is everywhere");
    }
}
