//! Proxy, security, logging, unsafe flags, and those about the program itself.

use super::super::flag::{Flag, Scope};
use super::super::grammar::Grammar;

const fn file(name: &'static str, help: &'static str) -> Flag {
    Flag::new(name, "FILE", Grammar::Text, "", help)
}

const fn of_proxy(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag::new(name, "MS", Grammar::Number, default, help)
}

/// The flags about running as a proxy.
pub const PROXY: &[Flag] = &[
    Flag::new(
        "proxy",
        "MODE",
        Grammar::OneOf(&["off", "readonly", "on"]),
        "off",
        "Forwards requests to a cluster in place of being a member: 'off', 'readonly' or 'on'.",
    ),
    of_proxy(
        "proxy-failure-wait",
        "5000",
        "Milliseconds during which a member that failed is not asked.",
    ),
    of_proxy(
        "proxy-refresh-interval",
        "30000",
        "Milliseconds between two looks at who is in the cluster.",
    ),
    of_proxy("proxy-dial-timeout", "1000", "Milliseconds for a connection to a member."),
    of_proxy(
        "proxy-write-timeout",
        "5000",
        "Milliseconds in which sending a request has to get on; 0 for any time.",
    ),
    of_proxy(
        "proxy-read-timeout",
        "0",
        "Milliseconds in which an answer has to get on; 0 for any time.",
    ),
];

/// The flags about TLS. Files are in PEM, and are read again when they change or on SIGHUP.
pub const SECURITY: &[Flag] = &[
    file("cert-file", "Certificate shown to clients, and the chain behind it."),
    file("key-file", "Key of that certificate."),
    Flag::switch(
        "client-cert-auth",
        "Demands of clients a certificate of an authority in -trusted-ca-file.",
    ),
    file("trusted-ca-file", "Authorities that sign the certificates of clients."),
    file("ca-file", "Use -trusted-ca-file with -client-cert-auth, which this means."),
    Flag::switch(
        "auto-tls",
        "Shows clients a certificate that the member makes for itself at each start.",
    ),
    file("peer-cert-file", "Certificate shown to other members, and the chain behind it."),
    file("peer-key-file", "Key of that certificate."),
    Flag::switch(
        "peer-client-cert-auth",
        "Demands of other members a certificate of an authority in -peer-trusted-ca-file, valid \
         for one of their peer URLs.",
    ),
    file(
        "peer-trusted-ca-file",
        "Authorities that sign the certificates of members; those of the system where none is \
         given.",
    ),
    file(
        "peer-ca-file",
        "Use -peer-trusted-ca-file with -peer-client-cert-auth, which this means.",
    ),
    Flag::switch(
        "peer-auto-tls",
        "Shows other members a certificate that the member makes for itself at each start, and \
         verifies none of theirs.",
    ),
];

/// The flags about the log.
pub const LOGGING: &[Flag] = &[
    Flag::switch("debug", "Logs more."),
    Flag::new("log-package-levels", "LEVELS", Grammar::Text, "", "Levels of etcd's packages.")
        .of(Scope::Missing { feature: "levels for single packages", inert: &[""] }),
    Flag::new(
        "log-format",
        "FORMAT",
        Grammar::OneOf(&["text", "json"]),
        "text",
        "'text' or 'json', one object a line.",
    ),
];

/// The flags that can destroy a cluster.
pub const UNSAFE: &[Flag] = &[Flag::switch(
    "force-new-cluster",
    "Makes a cluster of this member alone out of its data, when the others are lost for good.",
)];

/// The flags about the program itself.
pub const PROGRAM: &[Flag] = &[
    Flag::new(
        "print-config",
        "",
        Grammar::OneOf(&["text", "json"]),
        "",
        "Prints each effective value and where it comes from, and ends; -print-config=json for \
         programs.",
    )
    .of(Scope::Program),
    Flag::switch("version", "Prints the version and ends.").of(Scope::Program),
    Flag::switch("help", "Prints this text and ends; -h too.").of(Scope::Program),
];
