//! Who is let in, before anybody looks at what is asked.
//!
//! A browser sends requests on behalf of whatever page is open in it. Three rules keep such pages
//! away from a server that trusts its network: only pages of the origins that were named may read
//! answers (CORS); what comes from another page may not write; and a request that was meant for
//! another host name, as after DNS rebinding, is not answered if host names were named.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::reply;
use crate::http::{Head, Method, Reply};

/// In the place of a list: everybody.
const ALL: &str = "*";

/// Who may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// `-cors`: the origins whose pages may ask, in the form that browsers give them.
    pub origins: Vec<String>,
    /// `-host-whitelist`: the host names under which this member is asked without TLS; all of them
    /// where the list is empty.
    pub hosts: Vec<String>,
}

/// What an answer says about who may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    by: Option<String>,
}

impl Readable {
    /// The headers of CORS, if there is a page that may read the answer.
    pub fn headers(self) -> Vec<(&'static str, String)> {
        let Some(origin) = self.by else { return Vec::new() };
        Vec::from([
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE".to_owned()),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Headers", "accept, content-type, authorization".to_owned()),
        ])
    }
}

impl Gate {
    /// Lets a request in. `secure` says whether it came by TLS, where the certificate has already
    /// shown that this host was meant.
    ///
    /// # Errors
    /// The answer to who is not let in: 421 for a host name that was not named, 403 for a write
    /// from a foreign page.
    pub fn admit(&self, head: &Head, secure: bool) -> Result<Readable, Reply> {
        let host = head.header("host").unwrap_or_default();
        if !secure && !self.serves(host_name(host)) {
            return Err(reply::text(
                421,
                format!(
                    "this member is not served under the host name {:?}\n\
                 hint: add the name to -host-whitelist, or use TLS\n",
                    host_name(host)
                ),
            ));
        }
        let Some(origin) = head.header("origin") else {
            return Ok(Readable { by: self.has(ALL).then(|| ALL.to_owned()) });
        };
        let by = match origin {
            _ if self.has(ALL) => Some(ALL.to_owned()),
            origin if self.has(origin) => Some(origin.to_owned()),
            _ => None,
        };
        let reads = matches!(head.method, Method::Get | Method::Head | Method::Options);
        if by.is_none() && !reads && !is_of(origin, host) {
            return Err(reply::message(
                403,
                &format!(
                    "a page of {origin} may not write here: add the origin to -cors to allow it"
                ),
            ));
        }
        Ok(Readable { by })
    }

    fn has(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    fn serves(&self, name: &str) -> bool {
        let named = |known: &String| known == ALL || known.eq_ignore_ascii_case(name);
        self.hosts.is_empty() || self.hosts.iter().any(named)
    }
}

/// The name in a `Host` header, without the port and the brackets around an IPv6 address.
fn host_name(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or(address);
    }
    match host.rsplit_once(':') {
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}

/// Whether a page of this origin is one of this server itself, under whatever scheme.
fn is_of(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::api::fixture;

    fn gate(origins: &[&str], hosts: &[&str]) -> Gate {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Gate { origins: owned(origins), hosts: owned(hosts) }
    }

    fn head(method: Method, host: &str, origin: Option<&str>) -> Head {
        let mut head = fixture::head(method, "/v2/keys/a");
        head.headers.push(("host".into(), host.into()));
        head.headers.extend(origin.map(|origin| ("origin".into(), origin.into())));
        head
    }

    fn readable(gate: &Gate, origin: Option<&str>) -> Option<String> {
        gate.admit(&head(Method::Get, "h:1", origin), false).unwrap().by
    }

    #[test]
    fn pages_of_the_origins_that_were_named_may_read() {
        let (none, all) = (gate(&[], &[]), gate(&["*"], &[]));
        let some = gate(&["http://a.test", "http://b.test:81"], &[]);
        for (gate, origin, by) in [
            (&none, None, None),
            (&none, Some("http://a.test"), None),
            (&all, None, Some("*")),
            (&all, Some("http://a.test"), Some("*")),
            (&some, None, None),
            (&some, Some("http://a.test"), Some("http://a.test")),
            (&some, Some("HTTP://B.test:81"), Some("HTTP://B.test:81")),
            (&some, Some("http://a.test:81"), None),
            (&some, Some("null"), None),
        ] {
            assert_eq!(readable(gate, origin).as_deref(), by, "{origin:?} of {:?}", gate.origins);
        }
        let names: Vec<_> = Readable { by: Some("*".into()) }.headers();
        assert_eq!(names.len(), 3);
        assert!(Readable { by: None }.headers().is_empty());
    }

    #[test]
    fn foreign_pages_may_not_write() {
        let none = gate(&[], &[]);
        let some = gate(&["http://a.test"], &[]);
        for (gate, origin, written) in [
            (&none, None, true),
            (&none, Some("http://h:1"), true),
            (&none, Some("https://H:1"), true),
            (&none, Some("http://h"), false),
            (&none, Some("http://a.test"), false),
            (&none, Some("null"), false),
            (&some, Some("http://a.test"), true),
            (&some, Some("http://b.test"), false),
        ] {
            for method in [Method::Put, Method::Post, Method::Delete, Method::Other] {
                let admitted = gate.admit(&head(method, "h:1", origin), false);
                assert_eq!(admitted.is_ok(), written, "{method:?} from {origin:?}");
                if let Err(reply) = admitted {
                    assert_eq!(reply.status, 403);
                    assert!(fixture::text(&reply).contains("-cors"), "{reply:?}");
                }
            }
            assert!(gate.admit(&head(Method::Get, "h:1", origin), false).is_ok());
        }
    }

    #[test]
    fn other_host_names_are_not_served_without_tls() {
        let some = gate(&[], &["localhost", "::1", "node.test"]);
        for (host, served) in [
            ("localhost", true),
            ("localhost:2379", true),
            ("LOCALHOST:1", true),
            ("[::1]:2379", true),
            ("[::1]", true),
            ("::1", true),
            ("node.test:2379", true),
            ("evil.test:2379", false),
            ("localhost.evil.test", false),
            ("", false),
        ] {
            let admitted = some.admit(&head(Method::Get, host, None), false);
            assert_eq!(admitted.is_ok(), served, "{host}");
            assert_eq!(admitted.err().map_or(421, |reply| reply.status), 421);
            assert!(some.admit(&head(Method::Get, host, None), true).is_ok());
            for all in [gate(&[], &[]), gate(&[], &["x", "*"])] {
                assert!(all.admit(&head(Method::Get, host, None), false).is_ok());
            }
        }
    }
}
