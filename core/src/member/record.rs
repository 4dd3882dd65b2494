//! The cluster's own records in the v2 store, under `/0`.
//!
//! Membership, names, URLs and the cluster's version are ordinary keys there, written by the log
//! like any other, so that they travel in snapshots and count in the store index as etcd's do.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};

use super::json::{Attributes, RaftAttributes};
use super::{Cluster, Member};
use crate::id::MemberId;
use crate::member::identity::Nonce;
use crate::store::{Image, NodeView, Store};
use crate::wire::request::Request;

/// Where the members are.
pub const MEMBERS: &str = "/0/members";
/// Where the IDs are that will never be used again.
pub const REMOVED: &str = "/0/removed_members";
/// Where the cluster's version is.
pub const VERSION: &str = "/0/version";
/// What the request is about by which all members are Quorate from then on; it is no key.
pub const NONCE: &str = "nonce";

/// The path of what a member says of itself: its name and client URLs.
pub fn attributes_path(id: MemberId) -> String {
    format!("{MEMBERS}/{id}/attributes")
}

/// The path of what the log says of a member: its peer URLs.
pub fn raft_attributes_path(id: MemberId) -> String {
    format!("{MEMBERS}/{id}/raftAttributes")
}

/// The member whose attributes the path holds.
pub fn member_of_attributes(path: &str) -> Option<MemberId> {
    let hex = path.strip_prefix(MEMBERS)?.strip_prefix('/')?.strip_suffix("/attributes")?;
    MemberId::parse_hex(hex)
}

/// What a write to `/0` means for the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A member has published its attributes.
    Published(MemberId),
    /// The version of the cluster was written.
    Version,
    /// The write is about a member that is gone, or never was: it must not reach the store.
    Stale,
    /// Nothing.
    None,
}

impl Cluster {
    /// What writing to `path` would mean.
    pub fn meaning(&self, path: &str) -> Meaning {
        if path == VERSION {
            return Meaning::Version;
        }
        match member_of_attributes(path) {
            Some(id) if self.members.contains_key(&id) => Meaning::Published(id),
            Some(_) => Meaning::Stale,
            None => Meaning::None,
        }
    }

    /// A member's attributes were written.
    pub fn publish(&mut self, id: MemberId, text: &[u8]) {
        // A text that is none changes nothing here, as in etcd; the store has it all the same.
        if let Some(member) = self.members.get_mut(&id)
            && let Ok(Attributes { name, mut client_urls }) = Attributes::decode(text)
        {
            client_urls.sort_unstable();
            member.name = name;
            member.client_urls = client_urls;
        }
    }

    /// Reads the cluster from the store.
    pub fn from_image(image: &Image) -> Self {
        let mut cluster = Self::default();
        for node in children(image, MEMBERS) {
            if let Some(member) = read_member(&node) {
                cluster.members.insert(member.id, member);
            }
        }
        cluster.removed = children(image, REMOVED)
            .iter()
            .filter_map(|node| MemberId::parse_hex(last(&node.path)))
            .collect();
        cluster.version = image
            .get(VERSION, false)
            .ok()
            .and_then(|event| event.node.value)
            .map(|value| String::from_utf8_lossy(&value).to_string());
        cluster.nonce = str::from_utf8(image.identity()).ok().and_then(Nonce::parse);
        cluster
    }

    /// All members were Quorate when the leader wrote this request of method `QUORATE`, if it is
    /// about that. The first one counts. Says whether it did.
    pub fn switch(&mut self, request: &Request, store: &mut Store) -> bool {
        let text = Some(&request.value).filter(|_| request.path == NONCE);
        let nonce = text.and_then(|text| str::from_utf8(text).ok()).and_then(Nonce::parse);
        let (None, Some(nonce)) = (self.nonce, nonce) else { return false };
        self.nonce = Some(nonce);
        store.set_identity(nonce.to_string().into());
        true
    }
}

fn children(image: &Image, path: &str) -> alloc::vec::Vec<NodeView> {
    image.get(path, true).map(|event| event.node.nodes).unwrap_or_default()
}

fn read_member(node: &NodeView) -> Option<Member> {
    let id = MemberId::parse_hex(last(&node.path))?;
    let files: BTreeMap<&str, &[u8]> = node
        .nodes
        .iter()
        .filter_map(|file| Some((last(&file.path), &**file.value.as_ref()?)))
        .collect();
    let raft = RaftAttributes::decode(files.get("raftAttributes")?).ok()?;
    let own = files.get("attributes").and_then(|text| Attributes::decode(text).ok());
    let Attributes { name, mut client_urls } = own.unwrap_or_default();
    client_urls.sort_unstable();
    Some(Member { id, name, peer_urls: raft.peer_urls, client_urls, learner: raft.learner })
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
