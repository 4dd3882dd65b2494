//! What of a request goes on to a member, and when it may go to another one.

use crate::http::Method;

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
    fn only_reads_are_asked_twice() {
        assert!(may_ask_another(Method::Get, false));
        assert!(!may_ask_another(Method::Get, true));
        assert!(!may_ask_another(Method::Put, false));
        assert!(!may_ask_another(Method::Delete, false));
    }
}
