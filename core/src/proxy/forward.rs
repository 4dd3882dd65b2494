//! What of a request goes on to a member, and when it may go to another one.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::net::IpAddr;

use crate::http::Method;

/// The header that says for whom a request is made.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// Headers that concern one connection only (RFC 9110, 7.6.1), and `expect`, which the proxy has
/// answered itself.
const OF_CONNECTION: [&str; 10] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header, given in lower case, goes on. `connection` are the values of that header,
/// which names others that do not.
pub fn passes_on<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    let named = |value: &str| value.split(',').any(|token| token.trim().eq_ignore_ascii_case(name));
    !OF_CONNECTION.contains(&name) && !connection.into_iter().any(named)
}

/// The value of [`FORWARDED_FOR`] that goes on, as etcd's proxy has it: the addresses that stood
/// there before, and that of the client.
pub fn forwarded_for<'a>(before: impl Iterator<Item = &'a str>, client: IpAddr) -> String {
    before.fold(String::new(), |all, value| format!("{all}{value}, ")) + &client.to_string()
}

/// Whether a request that one member was sent and did not answer may be sent to another. It may
/// have been carried out, so only what changes nothing is asked twice; and a body is gone.
pub const fn may_ask_another(method: Method, has_body: bool) -> bool {
    matches!(method, Method::Get | Method::Head) && !has_body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_stay_there() {
        for (name, connection, passes) in [
            ("content-type", &[][..], true),
            ("x-etcd-index", &["close"], true),
            ("connection", &[], false),
            ("transfer-encoding", &[], false),
            ("x-mine", &["close, X-Mine"], false),
            ("x-mine", &["close", "x-mine"], false),
        ] {
            assert_eq!(passes_on(name, connection.iter().copied()), passes, "{name}");
        }
    }

    #[test]
    fn members_are_told_for_whom_they_are_asked() {
        let client = IpAddr::from([10, 0, 0, 9]);
        assert_eq!(forwarded_for([].into_iter(), client), "10.0.0.9");
        let before = ["10.0.0.1, 10.0.0.2", "10.0.0.3"].into_iter();
        assert_eq!(forwarded_for(before, client), "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.9");
    }

    #[test]
    fn only_reads_are_asked_twice() {
        assert!(may_ask_another(Method::Get, false));
        assert!(!may_ask_another(Method::Get, true));
        assert!(!may_ask_another(Method::Put, false));
        assert!(!may_ask_another(Method::Delete, false));
    }
}
