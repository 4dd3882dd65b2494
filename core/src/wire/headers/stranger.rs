//! Members of different clusters that meet: what either of them is told.
//!
//! Somebody has to find out which list or which directory is wrong, mostly at three in the morning.
//! So both ends say both IDs, both lists and the likely reason. A list is said only to whom it
//! explains something: by who refuses with the refusal, by who was refused when it asks again.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::{CLUSTER_ID, Local, MEMBERS, SERVER_FROM, header, said, said_peer_urls};
use crate::http::{Head, Reply};
use crate::id::{ClusterId, MemberId};
use crate::url::Url;

/// Bytes of a list that are said, or taken in.
const LIST_MAX: usize = 1024;

/// The status with which a member of another cluster is refused.
const MISMATCH: u16 = 412;

impl Local<'_> {
    /// The header that a request for a stream carries to a peer that has refused this member as one
    /// of another cluster.
    pub fn introduction(&self) -> (String, String) {
        (MEMBERS.into(), self.list())
    }

    /// The refusal of a member of another cluster, with the list of this one.
    pub(super) fn introduced(&self, mut refusal: Reply) -> Reply {
        refusal.headers.push((MEMBERS, self.list()));
        refusal
    }

    /// Who sent a request that belongs to another cluster, and what a person should know of that.
    /// Nothing if it is of this cluster, or of a member of Quorate that has yet to introduce itself.
    pub fn stranger(&self, head: &Head) -> Option<(MemberId, String)> {
        let from = header(head, SERVER_FROM).and_then(|from| MemberId::parse_hex(&from))?;
        let theirs = header(head, CLUSTER_ID).and_then(|id| ClusterId::parse_hex(&id))?;
        let list = header(head, MEMBERS);
        if theirs == self.cluster_id || said(head).incarnation.is_some() && list.is_none() {
            return None;
        }
        let urls = said_peer_urls(head);
        let place = match urls.first() {
            Some(_) => urls.iter().map(Url::as_str).collect::<Vec<_>>().join(", "),
            None => "an address that it does not say".into(),
        };
        let list = list.map(|list| bounded(&list));
        let with = list.as_ref().map(|list| format!(" with the members {list}"));
        let cause = format!(
            "it is of cluster {theirs} at {place}{}, and not of this one, {} of {}; {}",
            with.unwrap_or_default(),
            self.cluster_id,
            self.list(),
            self.reason(&urls, list.as_deref())
        );
        Some((from, cause))
    }

    /// Who sent a request that is of this cluster, and is none of its members as far as this one knows.
    pub fn unlisted(&self, head: &Head) -> Option<MemberId> {
        let from = header(head, SERVER_FROM).and_then(|from| MemberId::parse_hex(&from))?;
        let theirs = header(head, CLUSTER_ID).and_then(|id| ClusterId::parse_hex(&id))?;
        let known =
            self.cluster.members.contains_key(&from) || self.cluster.removed.contains(&from);
        (theirs == self.cluster_id && !known).then_some(from)
    }

    /// What a person should know where this member was refused because the one that it asked is of
    /// another cluster; nothing where the answer says something else.
    pub fn told_of_another_cluster(
        &self,
        status: u16,
        header: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let theirs = header(CLUSTER_ID).and_then(|id| ClusterId::parse_hex(&id))?;
        if status != MISMATCH || theirs == self.cluster_id {
            return None;
        }
        let list = header(MEMBERS).map(|list| bounded(&list));
        let with = list.as_ref().map(|list| format!(" with the members {list}"));
        let reason = match &list {
            Some(list) if same_places(list, &self.list()) => SAME_LIST,
            _ => {
                "one of the two was started on the data of another cluster, or with another \
                 -initial-cluster or -initial-cluster-token"
            }
        };
        Some(format!(
            "it answered with status {status}: cluster ID mismatch: it is of cluster \
             {theirs}{}, and this member of {} with the members {}; {reason}",
            with.unwrap_or_default(),
            self.cluster_id,
            self.list()
        ))
    }

    /// Why a member of another cluster at these places turns to this one.
    fn reason(&self, urls: &[Url], list: Option<&str>) -> String {
        if list.is_some_and(|list| same_places(list, &self.list())) {
            return SAME_LIST.into();
        }
        let known = self
            .cluster
            .iter()
            .find(|member| member.peer_urls.iter().any(|url| urls.contains(url)));
        match known {
            Some(member) => format!(
                "a member of this cluster, {}, is listed there: it was started on the data of \
                 another cluster, or with another -initial-cluster or -initial-cluster-token",
                member.name
            ),
            None => "it has an address of this cluster in its -initial-cluster, or knows one of \
                     its members from before"
                .into(),
        }
    }

    /// The members by name and place, fit for a header.
    fn list(&self) -> String {
        let pairs = self.cluster.iter().flat_map(|member| {
            member.peer_urls.iter().map(move |url| format!("{}={url}", member.name))
        });
        bounded(&pairs.collect::<Vec<_>>().join(","))
    }
}

const SAME_LIST: &str = "both have the same list: they were formed with another \
                         -initial-cluster-token, or one of them was restored from a backup";

/// As much of a list as is said, with nothing in it that does not belong into a line.
fn bounded(list: &str) -> String {
    let mut text = utf8_percent_encode(list, CONTROLS).to_string();
    if text.len() > LIST_MAX {
        text.truncate(LIST_MAX);
        text.push_str("...");
    }
    text
}

/// Whether both lists have the same URLs.
fn same_places(one: &str, other: &str) -> bool {
    let places = |list: &str| -> BTreeSet<String> {
        let urls = list.split(',').filter_map(|pair| pair.split_once('='));
        urls.map(|(_, url)| url.to_string()).collect()
    };
    places(one) == places(other)
}
