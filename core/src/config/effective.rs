//! The value that counts for each flag, and where it comes from.
//!
//! Four ways lead to a value: it was given, it stands for a flag of 0.4 that was given, it follows
//! from another flag, or it is the default. The checks and `-print-config` go the same one.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::flags;
use super::grammar;
use super::settings::{Settings, Source};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// Nobody said anything.
    Default,
    /// It follows from the value of this flag.
    Derived(&'static str),
}

/// The flags of 2.0 for which those of 0.4 stand. The second of 0.4, if it is there, only gives the
/// port: as in 2.0, an advertised address alone is listened on too, and that yields to everything
/// explicit.
pub(super) const LEGACY: [(&str, &str, Option<&str>); 4] = [
    ("initial-advertise-peer-urls", "peer-addr", None),
    ("advertise-client-urls", "addr", None),
    ("listen-peer-urls", "peer-bind-addr", Some("peer-addr")),
    ("listen-client-urls", "bind-addr", Some("addr")),
];

impl Settings {
    /// The value that counts, and where it comes from.
    pub fn effective(&self, flag: &str) -> (String, Origin) {
        match self.given(flag) {
            Some(given) => {
                let origin = match given.source {
                    Source::Flag => Origin::Flag,
                    Source::Environment => Origin::Environment,
                };
                (given.text.clone(), origin)
            }
            None => self.unsaid(flag),
        }
    }

    /// The value that counts.
    pub(super) fn value(&self, flag: &str) -> String {
        self.effective(flag).0
    }

    /// The value of a flag that was not given.
    fn unsaid(&self, flag: &str) -> (String, Origin) {
        if let Some(from_legacy) = self.legacy(flag) {
            return from_legacy;
        }
        match flag {
            "data-dir" => (format!("{}.quorate", self.value("name")), Origin::Derived("name")),
            "initial-cluster" if self.asks_elsewhere() => (String::new(), Origin::Default),
            "initial-cluster" => (self.alone(), Origin::Derived("initial-advertise-peer-urls")),
            _ => {
                let default = flags::find(flag).map_or("", |flag| flag.default);
                (default.to_owned(), Origin::Default)
            }
        }
    }

    fn legacy(&self, flag: &str) -> Option<(String, Origin)> {
        let (_, whole, port) = LEGACY.into_iter().find(|(new, ..)| *new == flag)?;
        let scheme = self.legacy_scheme(flag);
        if let Some(address) = self.text(whole) {
            return Some((format!("{scheme}://{address}"), Origin::Derived(whole)));
        }
        let advertised = port?;
        let url = grammar::address(self.text(advertised)?).ok()?;
        Some((format!("{scheme}://:{}", url.port()), Origin::Derived(advertised)))
    }

    /// The addresses of 0.4 had no scheme: they are https where that side has a certificate.
    fn legacy_scheme(&self, flag: &str) -> &'static str {
        let certificate = if flag.contains("peer") { "peer-cert-file" } else { "cert-file" };
        let given = self.text(certificate).is_some_and(|file| !file.is_empty());
        if given { "https" } else { "http" }
    }

    /// Whether the list of members comes from somewhere else.
    fn asks_elsewhere(&self) -> bool {
        ["discovery", "discovery-srv"].iter().any(|flag| self.given(flag).is_some())
    }

    /// The list of a cluster that consists of this member alone.
    fn alone(&self) -> String {
        let (name, urls) = (self.value("name"), self.value("initial-advertise-peer-urls"));
        let mut urls: Vec<&str> = urls.split(',').map(str::trim).collect();
        urls.sort_unstable();
        let pairs: Vec<String> = urls.iter().map(|url| format!("{name}={url}")).collect();
        pairs.join(",")
    }
}
