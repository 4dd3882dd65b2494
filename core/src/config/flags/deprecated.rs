//! The flags of 0.4, as the table of the guide has them.

use super::super::flag::{Flag, Scope};
use super::super::grammar::Grammar;

const fn ignored(name: &'static str) -> Flag {
    Flag::new(name, "", Grammar::Text, "", "No longer supported; ignored with a warning.")
        .of(Scope::Ignored)
}

const fn gone(name: &'static str, value: &'static str) -> Flag {
    Flag::new(name, value, Grammar::Text, "", "No longer supported; see -initial-cluster.")
        .of(Scope::Gone)
}

const fn address(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, "HOST:PORT", Grammar::Address, "", help)
}

/// The flags of 0.4. Those with a value that counts stand for flags of 2.0.
pub const DEPRECATED: &[Flag] = &[
    address(
        "peer-addr",
        "Use -initial-advertise-peer-urls. The only peer URL; its port is listened on.",
    ),
    address("addr", "Use -advertise-client-urls. The only client URL; its port is listened on."),
    address("peer-bind-addr", "Use -listen-peer-urls. The only URL listened on for members."),
    address("bind-addr", "Use -listen-client-urls. The only URL listened on for clients."),
    gone("peers", "HOST:PORT,..."),
    gone("peers-file", "FILE"),
    ignored("cluster-active-size"),
    ignored("cluster-remove-delay"),
    ignored("cluster-sync-interval"),
    ignored("config"),
    ignored("force"),
    ignored("max-result-buffer"),
    ignored("max-retry-attempts"),
    ignored("peer-heartbeat-interval"),
    ignored("peer-election-timeout"),
    ignored("retry-interval"),
    ignored("snapshot"),
    ignored("v"),
    ignored("vv"),
];
