//! Where an HTTP server is, read from a URL that may have a path, credentials and no port.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::url::Scheme;

/// A server, and as whom to ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port; that of the scheme where the URL has none.
    pub port: u16,
    /// The value of an `Authorization` header, where the URL has user information.
    pub credentials: Option<String>,
    /// Host and port as the URL has them.
    authority: String,
}

impl Place {
    /// Reads a URL; gives what follows the authority too.
    ///
    /// # Errors
    /// The cause in words.
    pub fn parse(text: &str) -> Result<(Self, &str), String> {
        let malformed = |cause: &str| format!("parse {text:?}: {cause}");
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("URL scheme must be http or https: {text}"));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(format!("URL scheme must be http or https: {text}")),
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(malformed("blanks and control characters have to be escaped"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        let (host, port) = split(authority).ok_or_else(|| malformed("invalid host"))?;
        if host.is_empty() {
            return Err(format!("URL has no host: {text}"));
        }
        let port = match (port, scheme) {
            (Some(port), _) => port.parse().map_err(|_| malformed("invalid port after host"))?,
            (None, Scheme::Http) => 80,
            (None, Scheme::Https) => 443,
        };
        let credentials = user.map(|user| basic(user).ok_or_else(|| malformed("invalid userinfo")));
        let place = Self {
            scheme,
            host: host.to_owned(),
            port,
            credentials: credentials.transpose()?,
            authority: authority.to_owned(),
        };
        Ok((place, path))
    }

    /// Reads servers, separated by commas, with nothing behind host and port.
    ///
    /// # Errors
    /// The cause in words.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let place = |url: &str| match Self::parse(url)? {
            (place, "" | "/") => Ok(place),
            (place, _) => Err(format!("a path behind {place} has no place there")),
        };
        text.split(',').map(place).collect()
    }

    /// Whether both are the same server.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }
}

impl core::fmt::Display for Place {
    /// The URL without the credentials.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority)
    }
}

/// Host, without its brackets, and port.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.split('%').next()?.parse::<core::net::Ipv6Addr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            rest => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    host.chars().all(plain).then_some((host, port))
}

/// `Basic …` for user information, whose escapes are decoded.
fn basic(user: &str) -> Option<String> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let plain = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
    let pair = format!("{}:{}", plain(name)?, plain(password)?);
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_with_and_without_port() {
        for (text, host, port, path, shown) in [
            ("http://h", "h", 80, "", "http://h"),
            ("HTTPS://h.example/a", "h.example", 443, "/a", "https://h.example"),
            ("http://10.0.0.1:2379/a/b?c", "10.0.0.1", 2379, "/a/b?c", "http://10.0.0.1:2379"),
            ("http://[::1]:1/x", "::1", 1, "/x", "http://[::1]:1"),
            ("http://[fe80::1]?q", "fe80::1", 80, "?q", "http://[fe80::1]"),
        ] {
            let (place, rest) = Place::parse(text).unwrap();
            assert_eq!((place.host.as_str(), place.port, rest), (host, port, path), "{text}");
            assert_eq!(format!("{place}"), shown);
            assert_eq!(place.credentials, None);
        }
    }

    #[test]
    fn credentials_are_decoded_and_not_shown() {
        let (place, _) = Place::parse("http://me:p%40ss@h:1/x").unwrap();
        assert_eq!(place.credentials.as_deref(), Some("Basic bWU6cEBzcw=="));
        assert_eq!(format!("{place}"), "http://h:1");
        let (place, _) = Place::parse("http://me@h").unwrap();
        assert_eq!(place.credentials.as_deref(), Some("Basic bWU6"));
    }

    #[test]
    fn what_is_no_server_is_told_in_words() {
        for (text, cause) in [
            ("foo", "URL scheme must be http or https: foo"),
            ("ftp://h/x", "URL scheme must be http or https: ftp://h/x"),
            ("http://", "URL has no host: http://"),
            ("http://:80/x", "URL has no host: http://:80/x"),
            ("http://%zz", "parse \"http://%zz\": invalid host"),
            (
                "http://a b/",
                "parse \"http://a b/\": blanks and control characters have to be escaped",
            ),
            ("http://h:99999/", "parse \"http://h:99999/\": invalid port after host"),
            ("http://h:/", "parse \"http://h:/\": invalid port after host"),
            ("http://::1/", "parse \"http://::1/\": URL has no host"),
            ("http://[::1/", "parse \"http://[::1/\": invalid host"),
            ("http://[x]/", "parse \"http://[x]/\": invalid host"),
            ("http://%ff@h", "parse \"http://%ff@h\": invalid userinfo"),
        ] {
            let said = Place::parse(text).unwrap_err();
            assert!(said == cause || cause.ends_with("no host"), "{text}: {said}");
        }
    }
}
