//! Which of the records is this member.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::round::Services;
use crate::boot::list::InitialCluster;
use crate::error::Refusal;
use crate::url::{Scheme, Url};

/// What records amount to.
#[derive(Debug)]
pub(super) enum Found {
    /// A list, and what it calls this member.
    Whole(InitialCluster, String),
    /// Something is missing that may still come: the table.
    NotYet(Vec<String>),
    /// This member and the records contradict each other.
    Never(Refusal),
}

/// One record.
struct Row<'a> {
    host: &'a str,
    port: u16,
    addresses: &'a Result<BTreeSet<IpAddr>, String>,
    /// Which of this member's URLs it is, whatever the scheme.
    own: Vec<&'a Url>,
}

impl Services {
    /// Looks for the member `name` that advertises `urls`.
    pub(super) fn find(&self, name: &str, urls: &[Url]) -> Found {
        let rows: Vec<Row<'_>> = self.places.iter().map(|place| self.row(place, urls)).collect();
        let table = || {
            let lines = rows.iter().map(|row| self.line(row, urls));
            lines.chain(self.unresolved(urls)).collect::<Vec<_>>()
        };
        let resolved = |row: &Row<'_>| row.addresses.is_ok();
        if !rows.iter().all(resolved) && !planted!(SkipUnresolvable) {
            return Found::NotYet(table());
        }
        if urls.is_empty() {
            return self.whole(&rows, String::new());
        }
        let own: Vec<&Row<'_>> = rows.iter().filter(|row| !row.own.is_empty()).collect();
        let row = match own[..] {
            [] => return Found::NotYet(table()),
            [row] => row,
            _ => return Found::Never(several(name, &table())),
        };
        if let Some(url) = row.own.iter().find(|url| url.scheme() != self.scheme) {
            return Found::Never(other_scheme(name, url, self.scheme, &table()));
        }
        if urls.iter().any(|url| !row.own.contains(&url)) {
            return Found::NotYet(table());
        }
        self.whole(&rows, row.to_string())
    }

    fn whole(&self, rows: &[Row<'_>], own: String) -> Found {
        let pairs: Vec<String> = rows
            .iter()
            .filter(|row| row.addresses.is_ok())
            .map(|row| format!("{row}={}", self.url(row)))
            .collect();
        match InitialCluster::parse(&pairs.join(",")) {
            Ok(list) => Found::Whole(list, own),
            Err(refusal) => Found::Never(refusal),
        }
    }

    fn row<'a>(&'a self, (host, port): &'a (String, u16), urls: &'a [Url]) -> Row<'a> {
        let addresses = &self.hosts[&host.to_ascii_lowercase()];
        let same = |url: &&Url| {
            url.port() == *port
                && addresses.as_ref().is_ok_and(|there| !there.is_disjoint(&self.of(url)))
        };
        Row { host, port: *port, addresses, own: urls.iter().filter(same).collect() }
    }

    /// The addresses of one of this member's URLs.
    fn of(&self, url: &Url) -> BTreeSet<IpAddr> {
        match url.ip() {
            Some(ip) => BTreeSet::from([ip.to_canonical()]),
            None => match self.hosts.get(&url.canonical_host()) {
                Some(Ok(addresses)) => addresses.clone(),
                _ => BTreeSet::new(),
            },
        }
    }

    fn url(&self, row: &Row<'_>) -> String {
        format!("{}://{row}", self.scheme.as_str())
    }

    /// A line of the table: record → addresses: is it this member? why not?
    fn line(&self, row: &Row<'_>, urls: &[Url]) -> String {
        let addresses = match row.addresses {
            Ok(addresses) => join(addresses.iter()),
            Err(cause) => return format!("{row} → not resolved: {cause}"),
        };
        let verdict = match row.own[..] {
            [] => self.why_not(row, urls),
            _ if row.own.iter().any(|url| url.scheme() != self.scheme) => {
                format!("this member, but the record is for {}", self.scheme.as_str())
            }
            _ if row.own.len() < urls.len() => {
                let rest = urls.iter().filter(|url| !row.own.contains(url));
                format!("this member, but no record is for {}", join(rest))
            }
            _ => "this member".into(),
        };
        format!("{row} → {addresses}: {verdict}")
    }

    fn why_not(&self, row: &Row<'_>, urls: &[Url]) -> String {
        let there = row.addresses.as_ref().ok();
        let same_host = |url: &&Url| there.is_some_and(|there| !there.is_disjoint(&self.of(url)));
        match urls.iter().find(same_host) {
            Some(url) => format!("not this member: the host of {url}, at another port"),
            None if urls.is_empty() => "there".into(),
            None => {
                let own = urls.iter().map(|url| match url.ip() {
                    Some(_) => url.to_string(),
                    None => format!("{url} ({})", join(self.of(url).iter())),
                });
                format!("not this member, which is at {}", join(own))
            }
        }
    }

    /// The names of this member that do not resolve.
    fn unresolved(&self, urls: &[Url]) -> impl Iterator<Item = String> {
        let failed = urls.iter().filter_map(|url| {
            let cause = self.hosts.get(&url.canonical_host())?.as_ref().err()?;
            Some(format!("{url} in -initial-advertise-peer-urls → not resolved: {cause}"))
        });
        failed.collect::<Vec<_>>().into_iter()
    }
}

impl core::fmt::Display for Row<'_> {
    /// The provisional name, which is also the address in the URL.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn join<T: core::fmt::Display>(parts: impl Iterator<Item = T>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

fn with_table(refusal: Refusal, table: &[String]) -> Refusal {
    table.iter().fold(refusal, |refusal, line| refusal.hint(line.clone()))
}

fn several(name: &str, table: &[String]) -> Refusal {
    let refusal = Refusal::new(format!(
        "error setting up initial cluster: several SRV records are {name}, and each of them counts \
         as a member"
    ));
    with_table(refusal, table).hint("keep one record for each member")
}

fn other_scheme(name: &str, url: &Url, scheme: Scheme, table: &[String]) -> Refusal {
    let refusal = Refusal::new(format!(
        "error setting up initial cluster: {name} has different advertised URLs in the cluster and \
         advertised peer URLs list"
    ));
    let refusal = with_table(refusal, table);
    let records = match scheme {
        Scheme::Https => {
            "the records under _etcd-server-ssl._tcp, which count alone, are for https"
        }
        Scheme::Http => "there are only records under _etcd-server._tcp, which are for http",
    };
    refusal
        .hint(format!("-initial-advertise-peer-urls has {url}; {records}"))
        .hint(format!("advertise and listen on {}://, or change the records", scheme.as_str()))
}
