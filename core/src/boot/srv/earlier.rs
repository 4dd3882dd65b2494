//! Clusters that formed from records that DNS had before.
//!
//! A member may have told another that it has the same list, taken a longer one from DNS a moment
//! later, and find the cluster formed from the first. It is a member of that cluster, which may not
//! even have a quorum without it. So what DNS has now is not held against a cluster whose identity
//! says that it was made from records.

use alloc::string::String;
use alloc::vec::Vec;

use crate::boot::list::InitialCluster;
use crate::id::ClusterId;
use crate::member::Member;

/// The list from DNS from which the cluster of these members was formed, if its ID says so.
pub(in crate::boot) fn earlier_list(
    cluster: ClusterId,
    members: &[Member],
    token: &str,
) -> Option<InitialCluster> {
    let pairs: Option<Vec<String>> = members.iter().map(pair).collect();
    let list = InitialCluster::parse(&pairs?.join(",")).ok()?;
    (list.cluster_id(token) == cluster).then_some(list)
}

/// Under the provisional name: one that has started goes by its own.
fn pair(member: &Member) -> Option<String> {
    let [url] = &member.peer_urls[..] else { return None };
    let (_, place) = url.as_str().split_once("://")?;
    Some([place, url.as_str()].join("="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "a.x:1=http://a.x:1,b.x:2=http://b.x:2";

    #[test]
    fn names_that_members_have_taken_since_do_not_matter() {
        let list = InitialCluster::parse(LIST).unwrap();
        let cluster = list.cluster_id("t");
        let mut members = list.members("t");
        members[0].name = "infra0".into();
        let earlier = earlier_list(cluster, &members, "t").expect("the ID is that of the list");
        assert_eq!(earlier, list);
        assert_eq!(earlier.bootstrap_entries("t"), list.bootstrap_entries("t"));
    }

    #[test]
    fn a_cluster_that_has_changed_or_has_another_token_is_none() {
        let list = InitialCluster::parse(LIST).unwrap();
        let (cluster, members) = (list.cluster_id("t"), list.members("t"));
        assert_eq!(earlier_list(cluster, &members[1..], "t"), None);
        assert_eq!(earlier_list(cluster, &members, "u"), None);
    }
}
