//! About the cluster and how it is formed.

use super::super::flag::{Flag, Scope};
use super::super::grammar::Grammar;

/// The flags about the cluster. Those that begin with `initial` or `discovery` are for the first
/// start only, as the guide says.
pub const CLUSTERING: &[Flag] = &[
    Flag::new(
        "initial-advertise-peer-urls",
        "URLS",
        Grammar::Urls,
        "http://localhost:2380",
        "Where the other members reach this one.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "initial-cluster",
        "NAME=URL,...",
        Grammar::Text,
        "",
        "The members that form the cluster, this one among them; this one alone, at its \
         -initial-advertise-peer-urls, where none is given.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "initial-cluster-state",
        "STATE",
        Grammar::OneOf(&["new", "existing", "auto"]),
        "new",
        "'new' to form a cluster, 'existing' to join one that runs and has this member added, \
         'auto' to find out which.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "initial-cluster-token",
        "TOKEN",
        Grammar::Text,
        "etcd-cluster",
        "Tells clusters apart that have the same member list.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "initial-cluster-form",
        "FORM",
        Grammar::OneOf(&["unanimous", "majority"]),
        "unanimous",
        "'unanimous' forms the cluster once every listed member has answered, 'majority' waits \
         for nobody.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "advertise-client-urls",
        "URLS",
        Grammar::Urls,
        "http://localhost:2379",
        "Where clients reach this member.",
    ),
    Flag::new(
        "discovery",
        "URL",
        Grammar::Service,
        "",
        "The URL of a discovery token, in place of -initial-cluster.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-fallback",
        "WHAT",
        Grammar::OneOf(&["proxy", "exit"]),
        "proxy",
        "What to do when the cluster of the token is full: 'proxy' or 'exit'.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-proxy",
        "URL",
        Grammar::Text,
        "",
        "The HTTP proxy through which the discovery service is reached: [USER:PASSWORD@]HOST:PORT.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-ca-file",
        "FILE",
        Grammar::Text,
        "",
        "Authorities that sign the certificate of a discovery service of https, in PEM; those of \
         the system where none is given.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-srv",
        "DOMAIN",
        Grammar::Domain,
        "",
        "The domain whose SRV records list the members, in place of -initial-cluster.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-srv-resolver",
        "IP:PORT",
        Grammar::Socket,
        "",
        "The resolver that is asked for every name, in place of those of the system.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "discovery-srv-timeout",
        "MS",
        Grammar::Number,
        "60000",
        "Milliseconds for which records that are missing, or targets that do not resolve, are \
         waited for.",
    )
    .of(Scope::FirstStart),
    Flag::new(
        "strict-reconfig-check",
        "",
        Grammar::Bool,
        "true",
        "Refuses a change of the membership that would leave too few started members for a \
         quorum.",
    ),
];
