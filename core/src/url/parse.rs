//! Reading a URL with the outcome, text and errors of Go's parser and etcd's checks.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use core::net::Ipv6Addr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{Scheme, Url};

/// Why a text is not the URL of a member. Each holds the text, without blanks around it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL at all.
    #[error("parse {text:?}: {cause}")]
    Malformed {
        /// What was read.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It is not `http://…` or `https://…`.
    #[error("URL scheme must be http or https: {0}")]
    Scheme(String),
    /// Host or port is missing, or the host is an IPv6 address without brackets.
    #[error("URL address does not have the form \"host:port\": {0}")]
    HostPort(String),
    /// Something follows the port.
    #[error("URL must not contain a path: {0}")]
    Path(String),
}

/// What Go escapes when it prints a host: everything beyond ASCII, and nothing else that its
/// parser lets into one.
const HOST: &AsciiSet = &CONTROLS.add(b' ');

/// What user information and a fragment may consist of to be printed as they were read.
const PLAIN: &str = "-._~!$&'()*+,;=:@/?%";

pub(super) fn parse(text: &str) -> Result<Url, UrlError> {
    let text = text.trim();
    let malformed = |cause: String| UrlError::Malformed { text: text.to_owned(), cause };
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(malformed("net/url: invalid control character in URL".to_owned()));
    }
    let (before_fragment, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, rest) = split_scheme(before_fragment).map_err(malformed)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(UrlError::Scheme(text.to_owned())),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    // Without the slashes the text is opaque and has no host.
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(UrlError::HostPort(text.to_owned()));
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (userinfo, address) = match authority.rsplit_once('@') {
        Some((userinfo, address)) => (Some(userinfo), address),
        None => (None, authority),
    };
    require_plain("userinfo", userinfo.unwrap_or("")).map_err(malformed)?;
    require_plain("fragment", fragment).map_err(malformed)?;
    check_port_digits(address).map_err(malformed)?;
    let (host, port_text) =
        split_host_port(address).ok_or_else(|| UrlError::HostPort(text.to_owned()))?;
    if !path.is_empty() {
        return Err(UrlError::Path(text.to_owned()));
    }
    let (host, printed_host) = read_host(host, address).map_err(malformed)?;
    if port_text.is_empty() {
        return Err(UrlError::HostPort(text.to_owned()));
    }
    let port = port_text
        .parse()
        .map_err(|_| malformed(format!("invalid port \":{port_text}\" after host")))?;

    let mut printed = format!("{}://", scheme.as_str());
    if let Some(userinfo) = userinfo {
        printed = printed + userinfo + "@";
    }
    printed = printed + &printed_host + ":" + port_text;
    if let Some(query) = query {
        printed = printed + "?" + query;
    }
    if !fragment.is_empty() {
        printed = printed + "#" + fragment;
    }
    Ok(Url { text: printed, scheme, host, port })
}

/// The scheme, which is empty where there is none, and what follows its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
    let starts_with_letter = text.starts_with(|c: char| c.is_ascii_alphabetic());
    match end {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some(end) if starts_with_letter && text[end..].starts_with(':') => {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => {
            let segment = text.split(['/', '?']).next().unwrap_or("");
            if segment.contains(':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
            Ok(("", text))
        }
    }
}

/// Go prints user information and fragments anew and may escape them differently; only texts that
/// surely come out as they went in are taken.
fn require_plain(what: &str, text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || PLAIN.contains(c);
    if text.chars().all(plain) { Ok(()) } else { Err(format!("net/url: invalid {what}")) }
}

/// What follows the last colon (behind brackets, if there are some) has to be digits.
fn check_port_digits(address: &str) -> Result<(), String> {
    let tail = if address.starts_with('[') {
        let end = address.rfind(']').ok_or_else(|| "missing ']' in host".to_owned())?;
        &address[end + 1..]
    } else {
        address.rfind(':').map_or("", |colon| &address[colon..])
    };
    let digits = tail.strip_prefix(':').unwrap_or(if tail.is_empty() { "" } else { "x" });
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("invalid port {tail:?} after host"))
    }
}

/// Host (with its brackets) and port; nothing if the colon is missing or not the only one.
fn split_host_port(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    (bracketed || !host.contains([':', '[', ']'])).then_some((host, port))
}

/// The host itself, and how it is printed.
fn read_host(host: &str, address: &str) -> Result<(String, String), String> {
    let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) else {
        let name = unescape_host(host)?;
        let printed = format!("{}", utf8_percent_encode(&name, HOST));
        return Ok((name, printed));
    };
    let (ip, zone) = match inner.split_once("%25") {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (inner, None),
    };
    let plain_zone = |zone: &str| {
        !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    };
    if ip.parse::<Ipv6Addr>().is_err() || !zone.is_none_or(plain_zone) {
        return Err(format!("invalid host {address:?}"));
    }
    let name = match zone {
        Some(zone) => format!("{ip}%{zone}"),
        None => ip.to_owned(),
    };
    Ok((name, host.to_owned()))
}

/// Decodes the escapes that a host may have, which are those of bytes beyond ASCII, and refuses
/// what no host has.
fn unescape_host(host: &str) -> Result<String, String> {
    let allowed =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=<>\"%".contains(c);
    if let Some(bad) = host.chars().find(|c| !allowed(*c)) {
        return Err(format!("invalid character {:?} in host name", format!("{bad}")));
    }
    for (at, _) in host.match_indices('%') {
        let escape = host.get(at..at + 3);
        let beyond_ascii = escape
            .and_then(|escape| u8::from_str_radix(&escape[1..], 16).ok())
            .is_some_and(|byte| byte >= 0x80);
        if !beyond_ascii {
            return Err(format!("invalid URL escape {:?}", escape.unwrap_or("%")));
        }
    }
    match percent_decode_str(host).decode_utf8() {
        Ok(name) => Ok(name.into_owned()),
        Err(_) => Err(format!("invalid host {host:?}")),
    }
}
