//! Who is in the cluster.

pub mod boots;
pub mod change;
pub mod identity;
pub mod json;
pub mod record;
pub mod strict;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::id::MemberId;
use crate::url::Url;
use identity::Nonce;

/// One member, as the v2 store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its ID.
    pub id: MemberId,
    /// Its name; empty until it has published itself.
    pub name: String,
    /// Its advertised peer URLs, sorted.
    pub peer_urls: Vec<Url>,
    /// Its advertised client URLs, sorted; empty until it has published itself. Text, because
    /// etcd does not validate them.
    pub client_urls: Vec<String>,
    /// Whether it only receives the log.
    pub learner: bool,
}

impl Member {
    /// One of the initial members of a cluster, as its list has it: nothing is published yet.
    pub fn listed(name: &str, peer_urls: &[Url], token: &str) -> Self {
        Self {
            id: MemberId::derive(peer_urls, token),
            name: name.into(),
            peer_urls: peer_urls.to_vec(),
            client_urls: Vec::new(),
            learner: false,
        }
    }
}

/// The members of the cluster as of the last applied entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The members, by ID.
    pub members: BTreeMap<MemberId, Member>,
    /// IDs that were removed and are never used again.
    pub removed: BTreeSet<MemberId>,
    /// The version of the cluster, once it was decided: `3.4.0`.
    pub version: Option<String>,
    /// What the cluster has agreed on once all its members were Quorate. Until then, and for ever
    /// if a member of etcd is among them, it is *mixed*, and etcd's rules hold.
    pub nonce: Option<Nonce>,
}

impl FromIterator<Member> for Cluster {
    /// The cluster of these members, of whom nobody was removed.
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        let members = members.into_iter().map(|member| (member.id, member)).collect();
        Self { members, ..Self::default() }
    }
}

impl Cluster {
    /// The members in ascending order of their IDs.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }
}
