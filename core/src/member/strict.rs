//! `-strict-reconfig-check`: a change that would cost the quorum is not proposed.
//!
//! It is judged by the member that is asked, as of what it has applied, and not by the log: as in
//! etcd it keeps people from mistakes, and not members from disagreeing.

use super::{Cluster, Member};
use crate::wire::conf_change::{ConfChange, ConfChangeKind};

impl Cluster {
    /// Whether the members that have started are a majority of the voters that there would be.
    /// To grow from one member to two is let pass, as nobody could ever grow otherwise.
    pub fn keeps_quorum(&self, change: &ConfChange) -> bool {
        let voters = || self.iter().filter(|member| !member.learner);
        let started = |member: &&Member| !member.name.is_empty();
        match change.kind {
            ConfChangeKind::AddNode => {
                let (started, after) = (voters().filter(started).count(), voters().count() + 1);
                (started, after) == (1, 2) || started > after / 2
            }
            ConfChangeKind::RemoveNode => {
                let others = || voters().filter(|member| member.id != change.node);
                // Who has no vote can always go; but there have to be voters.
                voters().count() == others().count()
                    || others().filter(started).count() > others().count() / 2
            }
            ConfChangeKind::UpdateNode | ConfChangeKind::AddLearner => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec;

    use bytes::Bytes;

    use super::*;
    use crate::id::MemberId;

    /// A member for each letter: `s` has started, `n` has not, `l` is a learner.
    fn cluster(members: &str) -> Cluster {
        let member = |(id, letter)| Member {
            id: MemberId(id),
            name: if letter == 's' { "x".to_string() } else { "".to_string() },
            peer_urls: vec![],
            client_urls: vec![],
            learner: letter == 'l',
        };
        let members = (1..).zip(members.chars()).map(member).map(|member| (member.id, member));
        Cluster { members: members.collect(), ..Cluster::default() }
    }

    fn allowed(members: &str, kind: ConfChangeKind, node: u64) -> bool {
        let change = ConfChange { id: 1, kind, node: MemberId(node), context: Bytes::new() };
        cluster(members).keeps_quorum(&change)
    }

    #[test]
    fn additions() {
        let table = [
            ("s", true),
            ("ss", true),
            ("sn", false),
            ("sss", true),
            ("ssn", false),
            ("sssn", true),
            ("ssnl", false),
            ("sl", true),
        ];
        for (members, expected) in table {
            assert_eq!(allowed(members, ConfChangeKind::AddNode, 9), expected, "{members}");
            assert!(allowed(members, ConfChangeKind::AddLearner, 9));
            assert!(allowed(members, ConfChangeKind::UpdateNode, 1));
        }
    }

    #[test]
    fn removals() {
        let table = [
            ("s", 1, false),
            ("ss", 1, true),
            ("sn", 2, true),
            ("sn", 1, false),
            ("ssn", 1, false),
            ("ssn", 3, true),
            ("sl", 1, false),
            ("sl", 2, true),
            ("snl", 3, true),
        ];
        for (members, node, expected) in table {
            let got = allowed(members, ConfChangeKind::RemoveNode, node);
            assert_eq!(got, expected, "{node} of {members}");
        }
    }
}
