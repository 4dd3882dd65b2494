//! The list of initial members: the value of `-initial-cluster`, or what discovery or DNS put in
//! its place.
//!
//! All members of a new cluster derive the same identities and the same first log entries from
//! it, without talking to each other. So every doubt about it is settled here, before anything is
//! written.

mod advertised;
mod entries;
mod running;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use advertised::Resolved;
pub(super) use running::described;

use crate::error::Refusal;
use crate::id::{ClusterId, MemberId};
use crate::member::Member;
use crate::url::Url;

/// The initial members of a cluster, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitialCluster {
    /// The URLs of each are sorted by text, and there is at least one.
    members: BTreeMap<String, Vec<Url>>,
}

impl InitialCluster {
    /// Reads `NAME=URL` pairs separated by commas. Empty pieces are skipped; a name that comes
    /// again adds a URL to that member; blanks belong to the name and not to the URL.
    ///
    /// # Errors
    /// A piece without `=` or whose URL is none. Whether the list makes sense is not judged here
    /// but by [`InitialCluster::check`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut members: BTreeMap<String, Vec<Url>> = BTreeMap::new();
        for piece in text.split(',').filter(|piece| !piece.is_empty()) {
            // As in etcd, a piece without "=" is a name with an empty URL, and that is what the
            // message says; the hint says what is really wrong.
            let (name, url) = piece.split_once('=').unwrap_or((piece, ""));
            let url = Url::parse(url).map_err(|error| malformed(piece, &error.to_string()))?;
            members.entry(name.into()).or_default().push(url);
        }
        members.values_mut().for_each(|urls| urls.sort_unstable());
        Ok(Self { members })
    }

    /// The list of one member with these URLs.
    pub fn alone(name: &str, urls: &[Url]) -> Self {
        let mut urls = urls.to_vec();
        urls.sort_unstable();
        Self { members: BTreeMap::from([(name.into(), urls)]) }
    }

    /// How many members it lists.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it lists nobody.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Names and peer URLs, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Url])> {
        self.members.iter().map(|(name, urls)| (name.as_str(), urls.as_slice()))
    }

    /// The peer URLs of `name`, sorted, if it is listed.
    pub fn urls(&self, name: &str) -> Option<&[Url]> {
        self.members.get(name).map(Vec::as_slice)
    }

    /// The ID of `name` under `token`, if it is listed.
    pub fn member_id(&self, name: &str, token: &str) -> Option<MemberId> {
        self.urls(name).map(|urls| MemberId::derive(urls, token))
    }

    /// The members under `token`, in ascending order of their IDs; none has published itself.
    pub fn members(&self, token: &str) -> Vec<Member> {
        let mut members: Vec<Member> =
            self.iter().map(|(name, urls)| Member::listed(name, urls, token)).collect();
        members.sort_by_key(|member| member.id);
        members
    }

    /// The ID of the cluster that these members form under `token`.
    pub fn cluster_id(&self, token: &str) -> ClusterId {
        ClusterId::derive(self.iter().map(|(_, urls)| MemberId::derive(urls, token)))
    }

    /// Whether the list makes sense for the member `name`: it is listed, nobody is listed without
    /// a name, no URL is listed twice, all members have an ID of their own, and, where there are several, each can be reached by
    /// the others.
    ///
    /// # Errors
    /// The first of these that is not so, naming the members concerned.
    pub fn check(&self, name: &str, token: &str) -> Result<(), Refusal> {
        self.require(name)?;
        self.check_names()?;
        self.check_duplicate_urls()?;
        self.check_ids(token)?;
        self.check_routable()
    }

    /// The peer URLs of `name`.
    ///
    /// # Errors
    /// It is not listed; in the words of the guide.
    pub fn require(&self, name: &str) -> Result<&[Url], Refusal> {
        self.urls(name).ok_or_else(|| self.not_listed(name))
    }

    fn not_listed(&self, name: &str) -> Refusal {
        let names: Vec<&str> = self.members.keys().map(String::as_str).collect();
        let listed = if names.is_empty() { "nobody".into() } else { names.join(", ") };
        let mut refusal = Refusal::new(format!("{name} not listed in the initial cluster config"))
            .hint(format!("-name is {name}; -initial-cluster lists {listed}"));
        let alike = |other: &&&str| other.trim() == name.trim() || other.eq_ignore_ascii_case(name);
        if let Some(other) = names.iter().find(alike) {
            refusal = refusal.hint(format!(
                "{other:?} is listed and differs from {name:?} in case or blanks only"
            ));
        }
        refusal.hint(format!(
            "add {name}=URL to -initial-cluster on every member, with the URL that this member \
             advertises to its peers, or start it with a -name that is listed"
        ))
    }

    /// etcd lets a member without name pass, but none can be started: a name is what tells a
    /// started member from the others.
    fn check_names(&self) -> Result<(), Refusal> {
        let Some([url, ..]) = self.urls("") else { return Ok(()) };
        Err(setting_up(&format!("a member has no name: ={url}"))
            .hint("each piece of -initial-cluster is NAME=URL")
            .hint(format!("write the -name of the member at {url} before the \"=\"")))
    }

    fn check_duplicate_urls(&self) -> Result<(), Refusal> {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for (name, urls) in self.iter() {
            for url in urls {
                let Some(first) = owners.insert(url.canonical(), name) else { continue };
                let who = if first == name {
                    format!("{name} is listed with {url} twice")
                } else {
                    format!("{first} and {name} are both listed with {}", url.canonical())
                };
                return Err(Refusal::new(format!("initial cluster {self} has duplicate url"))
                    .hint(who)
                    .hint("every peer URL belongs to one member and is listed once"));
            }
        }
        Ok(())
    }

    fn check_ids(&self, token: &str) -> Result<(), Refusal> {
        let mut owners: BTreeMap<MemberId, &str> = BTreeMap::new();
        for (name, urls) in self.iter() {
            let id = MemberId::derive(urls, token);
            let remedy = "member IDs are made from the peer URLs and -initial-cluster-token; \
                          change one of them on every member";
            if id == MemberId(0) {
                return Err(setting_up("cannot use 0 as member id")
                    .hint(format!("{name} would have the ID 0"))
                    .hint(remedy));
            }
            if let Some(first) = owners.insert(id, name) {
                return Err(setting_up(&format!("member exists with identical ID {id}"))
                    .hint(format!("{first} and {name} would both have the ID {id}"))
                    .hint(remedy));
            }
        }
        Ok(())
    }

    fn check_routable(&self) -> Result<(), Refusal> {
        if self.len() < 2 {
            return Ok(());
        }
        for (name, urls) in self.iter() {
            if let Some(url) = urls.iter().find(|url| url.is_unspecified()) {
                return Err(setting_up(&format!(
                    "{name} is listed at {url}, where no other member can connect to it"
                ))
                .hint(format!(
                    "{} stands for every address of one machine: it can be listened on \
                     (-listen-peer-urls), but not be advertised to {} members",
                    if url.host().is_empty() { "an empty host" } else { url.host() },
                    self.len()
                ))
                .hint(format!(
                    "give the address under which the others reach {name}, in -initial-cluster \
                     on every member and in its -initial-advertise-peer-urls"
                )));
            }
        }
        Ok(())
    }
}

impl core::fmt::Display for InitialCluster {
    /// `NAME=URL` pairs, sorted and separated by commas: what a discovery service is given.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut pairs: Vec<String> = self
            .iter()
            .flat_map(|(name, urls)| urls.iter().map(move |url| format!("{name}={url}")))
            .collect();
        pairs.sort_unstable();
        f.write_str(&pairs.join(","))
    }
}

fn setting_up(cause: &str) -> Refusal {
    Refusal::new(format!("error setting up initial cluster: {cause}"))
}

fn malformed(piece: &str, error: &str) -> Refusal {
    let refusal = setting_up(error);
    if piece.contains('=') {
        refusal.hint(format!("{piece:?} in -initial-cluster is not NAME=http://HOST:PORT"))
    } else {
        refusal
            .hint(format!("{piece:?} in -initial-cluster has no \"=\"; each piece is NAME=URL"))
            .hint("for several URLs of one member repeat its name: a=http://…,a=http://…")
    }
}

#[cfg(test)]
mod tests;
