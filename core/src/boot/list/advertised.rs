//! Whether a member advertises the URLs under which the others know it.
//!
//! Identities hash the listed URLs as text, so members agree whatever is advertised. But a member
//! that advertises something else would be looked for where it is not. Names are resolved only if
//! the comparison hangs on it; the look-ups themselves are the caller's business.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{InitialCluster, setting_up};
use crate::error::Refusal;
use crate::url::Url;

/// What the look-ups of host names gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    hosts: BTreeMap<String, Result<BTreeSet<IpAddr>, String>>,
}

impl Resolved {
    /// Nothing was looked up.
    pub const fn new() -> Self {
        Self { hosts: BTreeMap::new() }
    }

    /// Records the outcome of the look-up of `host`: addresses in text form, or the cause of
    /// failure in words. Texts that are no addresses are left out.
    pub fn insert(&mut self, host: &str, outcome: Result<Vec<String>, String>) {
        let outcome = outcome.map(|texts| texts.iter().filter_map(|text| address(text)).collect());
        self.hosts.insert(host.to_ascii_lowercase(), outcome);
    }

    /// The addresses of a URL's host: its own, where it is one, or those that it resolved to.
    fn addresses(&self, url: &Url) -> BTreeSet<IpAddr> {
        match literal_address(url) {
            Some(ip) => BTreeSet::from([ip]),
            None => match self.hosts.get(&url.canonical_host()) {
                Some(Ok(addresses)) => addresses.clone(),
                _ => BTreeSet::new(),
            },
        }
    }

    fn describe(&self, url: &Url) -> String {
        let canonical = url.canonical();
        match self.hosts.get(&url.canonical_host()) {
            None => canonical,
            Some(Err(cause)) => format!("{canonical} (not resolved: {cause})"),
            Some(Ok(addresses)) => {
                let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                format!("{canonical} (resolved: {})", texts.join(" "))
            }
        }
    }
}

/// What is on one side only, in canonical form.
struct Difference<'a> {
    listed: Vec<&'a Url>,
    advertised: Vec<&'a Url>,
}

impl InitialCluster {
    /// The host names (in lower case) that have to be looked up before
    /// [`InitialCluster::advertised_matches`] can judge. None if the URLs are equal as they stand,
    /// or if no address could make them equal.
    pub fn hosts_to_resolve(&self, name: &str, advertised: &[Url]) -> BTreeSet<String> {
        let Some(listed) = self.urls(name) else { return BTreeSet::new() };
        let difference = Difference::between(listed, advertised);
        if !difference.pairs_up(|a, b| same_but_for_host(a, b) && may_be_same_host(a, b)) {
            return BTreeSet::new();
        }
        let urls = difference.listed.iter().chain(&difference.advertised);
        urls.filter(|url| is_name(url)).map(|url| url.canonical_host()).collect()
    }

    /// Whether `advertised` are the URLs under which `name` is listed: as canonical sets, or, as
    /// far as they differ, by what their hosts resolved to.
    ///
    /// # Errors
    /// They are not, or `name` is not listed. The hints show both sets and the difference.
    pub fn advertised_matches(
        &self,
        name: &str,
        advertised: &[Url],
        resolved: &Resolved,
    ) -> Result<(), Refusal> {
        let listed = self.require(name)?;
        let difference = Difference::between(listed, advertised);
        if difference.pairs_up(|a, b| same_place(a, b, resolved)) {
            return Ok(());
        }
        Err(mismatch(name, listed, advertised, &difference, resolved))
    }
}

impl<'a> Difference<'a> {
    fn between(listed: &'a [Url], advertised: &'a [Url]) -> Self {
        let without = |urls: &'a [Url], others: &[Url]| {
            let others: BTreeSet<String> = others.iter().map(Url::canonical).collect();
            urls.iter().filter(|url| !others.contains(&url.canonical())).collect()
        };
        Self { listed: without(listed, advertised), advertised: without(advertised, listed) }
    }

    /// Whether everything on either side has a counterpart on the other.
    fn pairs_up(&self, same: impl Fn(&Url, &Url) -> bool) -> bool {
        self.listed.len() == self.advertised.len()
            && self.listed.iter().all(|a| self.advertised.iter().any(|b| same(a, b)))
            && self.advertised.iter().all(|b| self.listed.iter().any(|a| same(a, b)))
    }
}

fn same_but_for_host(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.port() == b.port() && a.surroundings() == b.surroundings()
}

/// Whether both are the same place: by their texts, or by what their hosts resolved to.
pub(super) fn same_place(a: &Url, b: &Url, resolved: &Resolved) -> bool {
    a.canonical() == b.canonical()
        || same_but_for_host(a, b) && !resolved.addresses(a).is_disjoint(&resolved.addresses(b))
}

/// Two addresses are the same or not; where a name is involved, only DNS knows.
fn may_be_same_host(a: &Url, b: &Url) -> bool {
    match (literal_address(a), literal_address(b)) {
        (Some(a), Some(b)) => a == b,
        (Some(_), None) => is_name(b),
        (None, Some(_)) => is_name(a),
        (None, None) => is_name(a) && is_name(b),
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

/// The address that the host is, in one form for both families. Not so with a zone: the same
/// address is another place in another zone.
fn literal_address(url: &Url) -> Option<IpAddr> {
    if url.host().contains('%') { None } else { url.ip().map(|ip| ip.to_canonical()) }
}

/// Whether the host is looked up. `localhost` is not, as in etcd: it means another machine to each
/// member, so it never stands for an address that the others were given.
pub(super) fn is_name(url: &Url) -> bool {
    url.ip().is_none() && !url.host().is_empty() && url.canonical_host() != "localhost"
}

fn mismatch(
    name: &str,
    listed: &[Url],
    advertised: &[Url],
    difference: &Difference<'_>,
    resolved: &Resolved,
) -> Refusal {
    let show = |urls: &mut dyn Iterator<Item = &Url>| {
        let texts: Vec<String> = urls.map(|url| resolved.describe(url)).collect();
        if texts.is_empty() { "nothing".into() } else { texts.join(", ") }
    };
    let pairs: Vec<String> = advertised.iter().map(|url| format!("{name}={url}")).collect();
    let flag: Vec<&str> = listed.iter().map(Url::as_str).collect();
    setting_up(&format!(
        "{name} has different advertised URLs in the cluster and advertised peer URLs list"
    ))
    .hint(format!("-initial-cluster lists {name} at {}", show(&mut listed.iter())))
    .hint(format!("-initial-advertise-peer-urls is {}", show(&mut advertised.iter())))
    .hint(format!(
        "only in -initial-cluster: {}; only in -initial-advertise-peer-urls: {}",
        show(&mut difference.listed.iter().copied()),
        show(&mut difference.advertised.iter().copied()),
    ))
    .hint(format!(
        "start {name} with -initial-advertise-peer-urls {}, or list it as {} in -initial-cluster \
         on every member",
        flag.join(","),
        pairs.join(","),
    ))
}
