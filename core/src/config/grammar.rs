//! What the values of flags look like, each by itself.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::discovery::Token;
use crate::url::Url;

/// What a value has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// Anything.
    Text,
    /// `http://HOST:PORT`, several separated by commas.
    Urls,
    /// A whole decimal number from 0.
    Number,
    /// What Go takes for a boolean.
    Bool,
    /// One of these words. The first is what a switch means without a value.
    OneOf(&'static [&'static str]),
    /// `HOST:PORT`, as the flags of 0.4 take it.
    Address,
    /// A URL with a path: where a discovery service keeps a token.
    Service,
    /// A name in the DNS.
    Domain,
    /// `IP:PORT`, with brackets around an address of IPv6.
    Socket,
    /// Origins of web pages, `SCHEME://HOST` or `SCHEME://HOST:PORT`, or `*`; several separated by
    /// commas, or none.
    Origins,
}

const TRUE: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

impl Grammar {
    /// Whether `value` is one at all.
    ///
    /// # Errors
    /// The cause in etcd's words, as it stands behind `invalid value "…" for flag -…: `.
    pub fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Text => Ok(()),
            Self::Urls => urls(value).map(drop),
            Self::Number => number(value).map(drop),
            Self::Bool => boolean(value).map(drop).ok_or_else(|| "parse error".to_owned()),
            Self::OneOf(words) if words.contains(&value) => Ok(()),
            Self::OneOf(_) => Err("invalid value".to_owned()),
            Self::Address => address(value).map(drop),
            Self::Service => Token::parse(value).map(drop),
            Self::Domain => domain(value),
            Self::Socket => socket(value),
            Self::Origins => list(value).try_for_each(origin),
        }
    }

    /// What a value has to look like, as a remedy.
    pub(super) fn remedy(self, flag: &str) -> String {
        match self {
            Self::Text => format!("-{flag} takes a text"),
            Self::Urls => {
                format!("-{flag} takes URLs of the form http://HOST:PORT, separated by commas")
            }
            Self::Number => format!("-{flag} takes a whole decimal number"),
            Self::Bool => format!("-{flag} is true or false, written -{flag}=false"),
            Self::OneOf(words) => format!("-{flag} is {}", words.join(" or ")),
            Self::Address => format!("-{flag} takes HOST:PORT, without http:// before it"),
            Self::Service => {
                format!(
                    "-{flag} takes the URL of a discovery token, for instance https://HOST/TOKEN"
                )
            }
            Self::Domain => format!("-{flag} takes a domain name, for instance example.com"),
            Self::Socket => format!("-{flag} takes IP:PORT, for instance 127.0.0.1:53"),
            Self::Origins => {
                format!("-{flag} takes http://HOST or http://HOST:PORT, separated by commas, or *")
            }
        }
    }
}

pub(super) fn urls(value: &str) -> Result<Vec<Url>, String> {
    Url::parse_list(value).map_err(|error| error.to_string())
}

pub(super) fn number(value: &str) -> Result<u64, String> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) || value.is_empty() {
        return Err("parse error".to_owned());
    }
    value.parse().map_err(|_| "value out of range".to_owned())
}

/// What Go takes for a boolean.
pub(super) fn boolean(value: &str) -> Option<bool> {
    match value {
        value if TRUE.contains(&value) => Some(true),
        value if FALSE.contains(&value) => Some(false),
        _ => None,
    }
}

/// The URL that an address of 0.4 stands for. etcd took addresses only; a name is as good.
pub(super) fn address(value: &str) -> Result<Url, String> {
    let place = |cause: &str| format!("address {value}: {cause}");
    if value.contains(',') {
        return Err(place("it is one address, and not a list"));
    }
    if !value.contains(':') {
        return Err(place("missing port in address"));
    }
    match Url::parse(&format!("http://{value}")) {
        Ok(url) if url.host().is_empty() => Err("bad IP in address specification".to_owned()),
        Ok(url) if url.surroundings() != ("", "") => Err(place("it is not HOST:PORT")),
        Ok(url) => Ok(url),
        Err(_) if value.matches(':').count() > 1 && !value.starts_with('[') => {
            Err(place("too many colons in address"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The pieces of a list that is separated by commas.
pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|piece| !piece.is_empty())
}

fn origin(value: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_graphic() && !"/?#@\\".contains(c);
    match value.split_once("://") {
        _ if value == "*" => Ok(()),
        Some((scheme, authority)) if !scheme.is_empty() && !authority.is_empty() => {
            if authority.chars().all(plain) {
                Ok(())
            } else {
                Err(format!("an origin has no path: {value}"))
            }
        }
        _ => Err(format!("an origin has the form http://HOST: {value}")),
    }
}

fn socket(value: &str) -> Result<(), String> {
    let parsed: Result<SocketAddr, _> = value.parse();
    parsed.map(drop).map_err(|_| format!("address {value}: it is not IP:PORT"))
}

/// Labels of up to 63 letters, digits, hyphens and underscores; 253 in all, and a dot at the end if
/// one likes.
fn domain(value: &str) -> Result<(), String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let name = value.strip_suffix('.').unwrap_or(value);
    if name.len() <= 253 && name.split('.').all(label) {
        Ok(())
    } else {
        Err("not a domain name".to_owned())
    }
}
