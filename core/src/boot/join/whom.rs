//! As which of its members a cluster is to know the one that joins.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::answer::Running;
use crate::boot::list::{InitialCluster, Resolved, described};
use crate::error::Refusal;
use crate::member::Member;
use crate::url::Url;
use crate::wal::Owner;

/// Who joins, and whom it asks.
#[derive(Debug)]
pub(super) enum Whom {
    /// The member of this name in a list, which has to be that of the cluster.
    Listed { list: InitialCluster, name: String },
    /// A member that was found in a cluster, beside these.
    Found { owner: Owner, name: String, members: Vec<Member> },
}

impl Whom {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Listed { name, .. } | Self::Found { name, .. } => name,
        }
    }

    /// The others, by what they are called, and where they are asked.
    pub(super) fn others(&self) -> BTreeMap<String, Vec<Url>> {
        match self {
            Self::Listed { list, name } => {
                let others = list.iter().filter(|(other, _)| other != name);
                others.map(|(other, urls)| (other.to_string(), urls.to_vec())).collect()
            }
            Self::Found { owner, members, .. } => {
                let others = members.iter().filter(|member| member.id != owner.member);
                others.map(|member| (called(member), member.peer_urls.clone())).collect()
            }
        }
    }

    /// The host names on which a comparison with these members hangs.
    pub(super) fn hosts_to_compare(&self, members: &[Member]) -> BTreeSet<String> {
        match self {
            Self::Listed { list, .. } => list.hosts_to_compare(members),
            Self::Found { .. } => BTreeSet::new(),
        }
    }

    /// Which member this one is by an answer.
    ///
    /// # Errors
    /// It is none, or the list is not that of the cluster.
    pub(super) fn among<'a>(
        &self,
        running: &'a Running,
        resolved: &Resolved,
    ) -> Result<&'a Member, Refusal> {
        match self {
            Self::Listed { list, name } => list.is_of(&running.members, name, resolved),
            Self::Found { owner, name, .. } => {
                let same = running.cluster == owner.cluster;
                let mut members = running.members.iter().filter(|_| same);
                members.find(|member| member.id == owner.member).ok_or_else(|| {
                    let Owner { member, cluster } = owner;
                    let cause =
                        alloc::format!("member {member} is not in cluster {cluster} any more");
                    Refusal::new(cause)
                        .hint(alloc::format!("{name} was found there a moment ago"))
                        .hint(alloc::format!(
                            "the cluster consists of {}",
                            described(&running.members)
                        ))
                        .hint("add the member anew, and start it again")
                })
            }
        }
    }
}

/// One that has not started has no name yet.
fn called(member: &Member) -> String {
    if member.name.is_empty() { member.id.to_string() } else { member.name.clone() }
}
