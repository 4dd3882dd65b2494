//! URLs of members, as etcd reads and prints them.
//!
//! The text of a URL is hashed into identities, so it has to come out byte for byte as etcd's
//! (Go's) parser would print it: blanks around it are dropped, the scheme becomes lower case, and
//! everything else stays as written: the case of the host, the spelling of an IPv6 address, the
//! digits of the port, user information and a query. Whether two URLs mean the same place is
//! another question, which [`Url::canonical`] answers.

mod parse;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

pub use parse::UrlError;

/// `http` or `https`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A URL of the form `scheme://host:port`.
///
/// User information and a query are no part of an address, but etcd takes them, keeps them in the
/// text and hashes them, so they are kept here too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Url {
    text: String,
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Url {
    /// Reads one URL.
    ///
    /// # Errors
    /// In the words of etcd. Two things that etcd lets pass are refused, since nothing could ever
    /// connect there: a port that is empty or above 65535, and brackets around something that is
    /// no IPv6 address.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse::parse(text)
    }

    /// Reads the value of a flag: URLs separated by commas. They come out sorted by text, as etcd
    /// keeps them.
    ///
    /// # Errors
    /// The first that is wrong. An empty piece is wrong too.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, UrlError> {
        let mut urls = text.split(',').map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        urls.sort_unstable();
        Ok(urls)
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host without brackets, as written. Empty in `http://:2380`, which listens everywhere.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The text that is hashed into identities.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address, where the host is one and not a name. An IPv6 zone is left out.
    pub fn ip(&self) -> Option<IpAddr> {
        let (address, _) = split_zone(&self.host);
        address.parse().ok()
    }

    /// A form in which two URLs of the same place are equal: the host in lower case, an IPv6
    /// address as RFC 5952 writes it, the port without leading zeros. For comparisons and messages
    /// only: identities hash [`Url::as_str`].
    pub fn canonical(&self) -> String {
        let (userinfo, tail) = self.surroundings();
        let host = self.canonical_host();
        let host = if host.contains(':') { Cow::from(format!("[{host}]")) } else { host.into() };
        format!("{}://{userinfo}{host}:{}{tail}", self.scheme.as_str(), self.port)
    }

    /// The host alone, in its canonical form and without brackets.
    pub fn canonical_host(&self) -> String {
        let (address, zone) = split_zone(&self.host);
        match (address.parse::<Ipv6Addr>(), zone) {
            (Ok(ip), None) => format!("{ip}"),
            (Ok(ip), Some(zone)) => format!("{ip}%{zone}"),
            (Err(_), _) => self.host.to_ascii_lowercase(),
        }
    }

    /// Whether the host says "every address of this machine" (`0.0.0.0`, `::`, or nothing): good
    /// to listen on, but nothing that others could connect to.
    pub fn is_unspecified(&self) -> bool {
        self.host.is_empty() || self.ip().is_some_and(|ip| ip.to_canonical().is_unspecified())
    }

    /// Whether only this machine itself can connect to it.
    pub fn is_loopback(&self) -> bool {
        let address = self.ip().map(|ip| ip.to_canonical().is_loopback());
        address.unwrap_or_else(|| self.canonical_host() == "localhost")
    }

    /// What stands before the host (user information with its `@`) and behind the port (query and
    /// fragment with their marks); mostly nothing.
    pub(crate) fn surroundings(&self) -> (&str, &str) {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let start = authority.rfind('@').map_or(0, |at| at + 1);
        (&authority[..start], tail)
    }
}

fn split_zone(host: &str) -> (&str, Option<&str>) {
    match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (host, None),
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
