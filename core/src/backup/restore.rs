//! What a data directory holds that is made of a backup.
//!
//! The store goes on: keys with their indexes and times of expiry, events, users. The members of the
//! old cluster, those that were removed, and its nonce are left behind; those of the new one take
//! their place, by the very changes with which a new cluster begins. All members that are restored
//! from one backup with one list and token make the same of it, so they need not ask each other.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Head, refusals};
use crate::boot::list::{InitialCluster, Resolved};
use crate::config::{Config, Members};
use crate::directory::Content;
use crate::error::Refusal;
use crate::member::Cluster;
use crate::member::record::{MEMBERS, REMOVED};
use crate::raft::{ConfState, Snapshot};
use crate::store::{Image, Store};
use crate::wal::{HardState, Owner};
use crate::wire::conf_change::ConfChange;

/// What was made of a backup.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the directory is to hold.
    pub content: Content,
    /// The index of its store.
    pub store_index: u64,
}

/// Makes of a backup the directory of the member that `config` describes: of `-initial-cluster` with
/// `-initial-cluster-token`, under `-name`. `-initial-advertise-peer-urls` is compared where it is
/// given.
///
/// # Errors
/// The list makes no sense, or not for this member; or the dump makes none.
pub fn restore(head: &Head, dump: &[u8], config: &Config) -> Result<Restored, Refusal> {
    let first = config.bootstrap()?;
    let Members::New(list) = first.members else { return Err(refusals::no_list()) };
    let list = InitialCluster::parse(&list)?;
    let token = token(&first.token, head);
    list.check(&config.name, &token)?;
    if config.first_start.given("initial-advertise-peer-urls").is_some() {
        list.advertised_matches(&config.name, &first.advertise_peer_urls, &Resolved::new())?;
    }
    let cluster = list.cluster_id(&token);
    if cluster == head.cluster {
        return Err(refusals::same_cluster(cluster));
    }
    let image = Image::decode(dump).map_err(|cause| refusals::no_dump(head, &cause))?;
    if image.index() != head.store_index {
        return Err(refusals::no_dump(head, "its index is not that of its head"));
    }
    let image = found_anew(image, &list, &token);
    let members = list.members(&token);
    if !Cluster::from_image(&image).members.keys().eq(members.iter().map(|member| &member.id)) {
        return Err(refusals::no_dump(head, "its members cannot be replaced"));
    }
    let own = list.member_id(&config.name, &token).unwrap_or_default();
    let hard_state = HardState { term: head.last.term, vote: None, commit: head.last.index };
    let voters = members.iter().map(|member| member.id).collect();
    let conf = ConfState { voters, learners: Vec::new() };
    let snapshot = Snapshot { last: head.last, conf, data: image.encode() };
    let content = Content {
        owner: Owner { member: own, cluster },
        hard_state,
        snapshot: Some(snapshot),
        entries: Vec::new(),
    };
    Ok(Restored { content, store_index: image.index() })
}

/// IDs are made from a token. That of the backup makes it one that nobody else has.
fn token(given: &str, head: &Head) -> String {
    format!("{given}\nrestored from {}", head.name())
}

/// The same store with other members.
fn found_anew(image: Image, list: &InitialCluster, token: &str) -> Image {
    let mut store = Store::from_image(image);
    store.set_identity(Bytes::new());
    for records in [MEMBERS, REMOVED] {
        // Where there is none there is nothing to be removed.
        let _ = store.delete(records, true, true);
    }
    let mut cluster = Cluster::default();
    for entry in list.bootstrap_entries(token) {
        if let Ok(change) = ConfChange::decode(entry.data) {
            // What contradicts the store is not in it, which is looked at afterwards.
            let _ = cluster.carry_out(&change, &mut store);
        }
    }
    store.image()
}
