//! About how much clients may take.

use super::super::flag::Flag;
use super::super::grammar::Grammar;

const fn number(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Flag {
    Flag::new(name, value, Grammar::Number, default, help)
}

/// The limits of the client port. What is too much is answered, and never dropped in silence.
pub const LIMITS: &[Flag] = &[
    number("max-client-connections", "N", "16384", "Connections of clients at a time."),
    number("max-watchers", "N", "10000", "Watches at a time."),
    number("max-header-bytes", "N", "65536", "Bytes of the head of a request; at least 8192."),
    number("max-url-bytes", "N", "32768", "Bytes of path and query of a request."),
    number("max-body-bytes", "N", "10485760", "Bytes of the body of a request."),
    number(
        "header-timeout",
        "MS",
        "30000",
        "Milliseconds in which the head of a request has to come, once it has begun.",
    ),
    number("body-timeout", "MS", "60000", "Milliseconds in which the body has to come."),
    number(
        "idle-timeout",
        "MS",
        "600000",
        "Milliseconds after which a connection without a request is closed. Clients keep \
         connections in pools and expect to find them alive.",
    ),
];
