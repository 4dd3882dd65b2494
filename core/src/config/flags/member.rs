//! About this member.

use super::super::flag::{Flag, Scope};
use super::super::grammar::Grammar;

const KEPT_FILES: &str = "a choice of how many files are kept";

/// The flags about a member itself.
pub const MEMBER: &[Flag] = &[
    Flag::new("name", "NAME", Grammar::Text, "default", "Human-readable name of this member."),
    Flag::new(
        "data-dir",
        "DIR",
        Grammar::Text,
        "",
        "Data directory; NAME.quorate where none is given.",
    ),
    Flag::new("wal-dir", "DIR", Grammar::Text, "", "Directory of the log, apart from the rest.")
        .of(Scope::Missing { feature: "a log outside of the data directory", inert: &[""] }),
    Flag::new(
        "snapshot-count",
        "N",
        Grammar::Number,
        "10000",
        "Applied entries between two snapshots.",
    ),
    Flag::new(
        "heartbeat-interval",
        "MS",
        Grammar::Number,
        "100",
        "Milliseconds between two heartbeats of the leader.",
    ),
    Flag::new(
        "election-timeout",
        "MS",
        Grammar::Number,
        "1000",
        "Milliseconds without a leader after which a member campaigns; at least five heartbeats, \
         at most 50000.",
    ),
    Flag::new(
        "listen-peer-urls",
        "URLS",
        Grammar::Urls,
        "http://localhost:2380",
        "Where to listen for other members, separated by commas.",
    ),
    Flag::new(
        "listen-client-urls",
        "URLS",
        Grammar::Urls,
        "http://localhost:2379",
        "Where to listen for clients, separated by commas; demands -advertise-client-urls.",
    ),
    Flag::new("max-snapshots", "N", Grammar::Number, "3", "Snapshots that are kept.")
        .of(Scope::Missing { feature: KEPT_FILES, inert: &["3"] }),
    Flag::new("max-wals", "N", Grammar::Number, "", "Files of the log that are kept.")
        .of(Scope::Missing { feature: KEPT_FILES, inert: &[] }),
    Flag::new(
        "cors",
        "ORIGINS",
        Grammar::Origins,
        "",
        "Origins whose pages browsers let ask, separated by commas, or '*'; without one a write \
         from a page is refused.",
    ),
    Flag::new(
        "host-whitelist",
        "NAMES",
        Grammar::Text,
        "*",
        "Host names that clients may use without TLS, separated by commas.",
    ),
    Flag::switch("enable-pprof", "Serves profiles of Go's runtime.")
        .of(Scope::NoEffect { why: "there is no Go runtime here whose profiles could be served" }),
];
