//! Whether a list is that of a cluster that runs.
//!
//! Who joins derives no identity: it takes over those that the cluster says. So the list is
//! compared with the members of the cluster, by the places that their peer URLs mean and in any
//! order.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::advertised::{is_name, same_place};
use super::{InitialCluster, Resolved};
use crate::error::Refusal;
use crate::member::Member;
use crate::url::Url;

impl InitialCluster {
    /// The host names (in lower case) that have to be looked up before
    /// [`InitialCluster::is_of`] can judge: none, if all URLs are equal as they stand.
    pub fn hosts_to_compare(&self, running: &[Member]) -> BTreeSet<String> {
        let nothing = Resolved::new();
        let (listed, members) = self.unmatched(running, &nothing);
        if listed.len() != members.len() {
            return BTreeSet::new();
        }
        let listed = listed.into_iter().flat_map(|(_, urls)| urls);
        let urls = listed.chain(members.into_iter().flat_map(|member| &member.peer_urls));
        urls.filter(|url| is_name(url)).map(Url::canonical_host).collect()
    }

    /// The member of the cluster that `name` in the list stands for, if the list is that of the
    /// cluster.
    ///
    /// # Errors
    /// It is not. The hints show both sides and the difference.
    pub fn is_of<'a>(
        &self,
        running: &'a [Member],
        name: &str,
        resolved: &Resolved,
    ) -> Result<&'a Member, Refusal> {
        let own = self.require(name)?;
        let (listed, members) = self.unmatched(running, resolved);
        if !listed.is_empty() || !members.is_empty() {
            return Err(self.differs(running, &listed, &members, name));
        }
        let found = running.iter().find(|member| same_urls(own, &member.peer_urls, resolved));
        found.ok_or_else(|| self.differs(running, &[(name, own)], &[], name))
    }

    /// What has no counterpart on the other side.
    fn unmatched<'a>(
        &'a self,
        running: &'a [Member],
        resolved: &Resolved,
    ) -> (Vec<(&'a str, &'a [Url])>, Vec<&'a Member>) {
        let mut members: Vec<&Member> = running.iter().collect();
        let mut listed = Vec::new();
        for (name, urls) in self.iter() {
            let same = |member: &&Member| same_urls(urls, &member.peer_urls, resolved);
            match members.iter().position(same) {
                Some(at) => drop(members.remove(at)),
                None => listed.push((name, urls)),
            }
        }
        (listed, members)
    }

    fn differs(
        &self,
        running: &[Member],
        listed: &[(&str, &[Url])],
        members: &[&Member],
        name: &str,
    ) -> Refusal {
        let cause = if self.len() == running.len() {
            "unmatched member while checking PeerURLs"
        } else {
            "member count is unequal"
        };
        let only_listed: Vec<String> =
            listed.iter().flat_map(|(name, urls)| pairs(name, urls)).collect();
        let only_running: Vec<String> = members.iter().flat_map(|m| of_member(m)).collect();
        let refusal =
            Refusal::new(format!("error validating peerURLs {}: {cause}", described(running)))
                .hint(format!("-initial-cluster lists {self}"))
                .hint(format!(
                    "only in -initial-cluster: {}; only in the cluster: {}",
                    or_nothing(&only_listed),
                    or_nothing(&only_running)
                ));
        match listed.iter().find(|(other, _)| *other == name) {
            Some((_, urls)) => {
                let urls: Vec<String> = urls.iter().map(|url| format!("\"{url}\"")).collect();
                refusal.hint(format!(
                    "{name} is no member yet: add it first, by a POST of {{\"peerURLs\":[{}]}} to \
                     /v2/members of a member",
                    urls.join(",")
                ))
            }
            None => refusal.hint(
                "list in -initial-cluster all members of the cluster, this one among them, and \
                 nobody else",
            ),
        }
    }
}

/// Whether both are the same places.
fn same_urls(a: &[Url], b: &[Url], resolved: &Resolved) -> bool {
    let among = |url: &Url, others: &[Url]| others.iter().any(|o| same_place(url, o, resolved));
    a.len() == b.len() && a.iter().all(|url| among(url, b)) && b.iter().all(|url| among(url, a))
}

/// Names and URLs of members. One that has not started has no name yet.
pub(in crate::boot) fn described(members: &[Member]) -> String {
    let all: Vec<String> = members.iter().flat_map(of_member).collect();
    all.join(",")
}

fn of_member(member: &Member) -> impl Iterator<Item = String> {
    let name = if member.name.is_empty() { "(not started)" } else { member.name.as_str() };
    pairs(name, &member.peer_urls)
}

fn pairs(name: &str, urls: &[Url]) -> impl Iterator<Item = String> {
    let name = name.to_string();
    urls.iter().map(move |url| format!("{name}={url}"))
}

fn or_nothing(texts: &[String]) -> String {
    if texts.is_empty() { "nothing".to_string() } else { texts.join(", ") }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::id::MemberId;

    fn member(id: u64, name: &str, urls: &[&str]) -> Member {
        Member {
            id: MemberId(id),
            name: name.into(),
            peer_urls: urls.iter().map(|url| Url::parse(url).unwrap()).collect(),
            client_urls: vec![],
            learner: false,
        }
    }

    fn list(text: &str) -> InitialCluster {
        InitialCluster::parse(text).unwrap()
    }

    #[test]
    fn order_and_names_do_not_matter() {
        let running =
            [member(1, "x", &["http://10.0.0.2:1"]), member(2, "", &["http://10.0.0.1:1"])];
        let list = list("a=http://10.0.0.1:1,b=http://10.0.0.2:1");
        assert!(list.hosts_to_compare(&running).is_empty());
        let own = list.is_of(&running, "a", &Resolved::new());
        assert_eq!(own.map(|member| member.id), Ok(MemberId(2)));
    }

    #[test]
    fn names_are_resolved() {
        let running = [member(1, "x", &["http://n1:1"]), member(2, "y", &["http://10.0.0.2:1"])];
        let list = list("a=http://10.0.0.1:1,b=http://n2:1");
        assert_eq!(list.hosts_to_compare(&running), ["n1".into(), "n2".into()].into());
        let mut resolved = Resolved::new();
        resolved.insert("n1", Ok(vec!["10.0.0.1".into()]));
        assert!(list.is_of(&running, "a", &resolved).is_err());
        resolved.insert("n2", Ok(vec!["10.0.0.9".into(), "10.0.0.2".into()]));
        assert_eq!(list.is_of(&running, "a", &resolved).map(|member| member.id), Ok(MemberId(1)));
    }

    #[test]
    fn differences_are_shown() {
        let running = [member(1, "x", &["http://10.0.0.1:1"])];
        let refusal = |text: &str| list(text).is_of(&running, "a", &Resolved::new()).unwrap_err();
        let other = refusal("a=http://10.0.0.9:1");
        assert_eq!(
            other.message,
            "error validating peerURLs x=http://10.0.0.1:1: unmatched member while checking \
             PeerURLs"
        );
        assert!(other.hints[1].contains("only in -initial-cluster: a=http://10.0.0.9:1"));
        assert!(other.hints[1].contains("only in the cluster: x=http://10.0.0.1:1"));
        assert!(other.hints[2].contains("add it first"), "{other:?}");
        let more = refusal("a=http://10.0.0.1:1,b=http://10.0.0.2:1");
        assert!(more.message.ends_with("member count is unequal"), "{more:?}");
        assert!(more.hints[2].contains("nobody else"), "{more:?}");
    }

    #[test]
    fn several_urls_are_all_compared() {
        let running = [member(1, "x", &["http://10.0.0.1:1", "http://10.0.0.1:2"])];
        let same = list("a=http://10.0.0.1:2,a=http://10.0.0.1:1");
        assert!(same.is_of(&running, "a", &Resolved::new()).is_ok());
        let fewer = list("a=http://10.0.0.1:1");
        assert!(fewer.is_of(&running, "a", &Resolved::new()).is_err());
    }
}
