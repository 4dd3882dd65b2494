//! What another member's answer means to one that asks before it forms.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Asker, Judged, MEMBER_HEADER, STATE_FORMING, STATE_HEADER, Standing, Verdict};
use crate::boot::join::Joined;
use crate::boot::list::described;
use crate::boot::{refusals, srv};
use crate::error::Refusal;
use crate::http::Answer;
use crate::id::{ClusterId, MemberId};
use crate::member::{Member, json};
use crate::url::Url;
use crate::wal::Owner;

impl Asker {
    /// What an answer says that came from where `asked` is listed, or why it says nothing. Whoever
    /// has the directory of another member speaks for that one, and not for the one that is listed.
    pub(super) fn judge_of(&self, asked: MemberId, answer: &Answer) -> Result<Judged, String> {
        let judged = self.judge(answer)?;
        let says = answer.header(MEMBER_HEADER).and_then(MemberId::parse_hex);
        match (judged, says) {
            (Judged::Standing(Standing::Ready) | Judged::Late(_), Some(other))
                if other != asked =>
            {
                Err(format!("member {other} answers there, and not {asked}"))
            }
            (judged, _) => Ok(judged),
        }
    }

    /// What an answer says, or why it says nothing.
    pub(super) fn judge(&self, answer: &Answer) -> Result<Judged, String> {
        if answer.status != 200 {
            return Err(format!("it answered with {}", answer.outline()));
        }
        let said = answer.header("x-etcd-cluster-id").ok_or("it did not say its cluster ID")?;
        let theirs = ClusterId(
            u64::from_str_radix(said, 16)
                .map_err(|_| format!("its cluster ID {said:?} is none"))?,
        );
        let members = json::decode_members(&answer.body).map_err(|error| error.to_string())?;
        Ok(if answer.header(STATE_HEADER) == Some(STATE_FORMING) {
            Judged::Standing(self.forming(theirs, &members))
        } else {
            let verdict = self.formed(theirs, &members);
            match self.unless_known(verdict, theirs, answer) {
                Verdict::Late => Judged::Late(members),
                verdict => Judged::Final(verdict),
            }
        })
    }

    /// Another empty member.
    fn forming(&self, theirs: ClusterId, members: &[Member]) -> Standing {
        let ours = self.cluster;
        if theirs == ours || planted!(IgnoreOtherList) {
            return Standing::Ready;
        }
        Standing::Differs(format!(
            "it has another list or token: cluster ID {theirs} of {}, here {ours}",
            described(members)
        ))
    }

    /// A cluster that runs.
    fn formed(&self, theirs: ClusterId, members: &[Member]) -> Verdict {
        if self.may_join
            && let Some(verdict) = self.joins(theirs, members)
        {
            return verdict;
        }
        if theirs == self.cluster || planted!(IgnoreOtherList) {
            return match members.iter().find(|member| member.id == self.own.id) {
                Some(listed) => self.late(listed, theirs, Verdict::Late),
                None => Verdict::Refuse(self.removed(members)),
            };
        }
        let Some(token) = &self.looked_up else {
            return Verdict::Refuse(self.other_cluster(theirs, members));
        };
        let earlier = srv::earlier_list(theirs, members, token);
        match (earlier, members.iter().find(|member| member.id == self.own.id)) {
            (Some(list), Some(listed)) => self.late(listed, theirs, Verdict::Earlier(list)),
            (Some(_), None) => {
                let refusal = self.other_cluster(theirs, members);
                Verdict::Refuse(refusal.hint(format!(
                    "they formed it from the records that DNS had before one was there for {}: \
                     have it added to the cluster, and start it with -initial-cluster-state \
                     existing",
                    self.own.name
                )))
            }
            (None, _) => Verdict::Refuse(self.other_cluster(theirs, members)),
        }
    }

    /// The cluster lists this member, which is empty.
    fn late(&self, listed: &Member, cluster: ClusterId, verdict: Verdict) -> Verdict {
        if listed.client_urls.is_empty() || planted!(AcceptWiped) {
            return verdict;
        }
        let owner = Owner { member: listed.id, cluster };
        Verdict::Refuse(refusals::bootstrapped(owner, &self.own.name, &self.data_dir))
    }

    /// What a cluster that runs makes of a member that it knows by other means than the list: one
    /// that was added there, at the same place.
    fn joins(&self, theirs: ClusterId, members: &[Member]) -> Option<Verdict> {
        if theirs == self.cluster && members.iter().any(|member| member.id == self.own.id) {
            return None;
        }
        let canonical = |urls: &[Url]| urls.iter().map(Url::canonical).collect::<BTreeSet<_>>();
        let place = canonical(&self.own.peer_urls);
        let found = members.iter().find(|member| canonical(&member.peer_urls) == place)?;
        let owner = Owner { member: found.id, cluster: theirs };
        let joined = Joined { owner, members: members.to_vec(), known: Vec::new() };
        Some(self.late(found, theirs, Verdict::Join(joined)))
    }

    fn other_cluster(&self, theirs: ClusterId, members: &[Member]) -> Refusal {
        let ours = self.cluster;
        Refusal::new(format!(
            "conflicting cluster ID to the target cluster ({theirs} != {ours}). Exiting."
        ))
        .hint(format!("the target cluster consists of {}", described(members)))
        .hint(format!("the flags of this member make the cluster ID {ours}"))
        .hint(
            "compare -initial-cluster and -initial-cluster-token with those of the running \
             members; nothing was written that prevents a correct start",
        )
    }

    fn removed(&self, members: &[Member]) -> Refusal {
        let Self { own, cluster, .. } = self;
        Refusal::new(format!("member {} is not in cluster {cluster} any more", own.id))
            .hint(format!("the cluster consists of {}", described(members)))
            .hint("an ID is never used again: add the member anew, and start it with the new list")
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;
    use alloc::vec;

    use bytes::Bytes;

    use super::*;
    use crate::boot::forming::STATE_FORMED;
    use crate::boot::list::InitialCluster;
    use crate::member::identity::Incarnation;

    const NOW: &str = "a.x:1=http://a.x:1,b.x:2=http://b.x:2,c.x:3=http://c.x:3";
    const BEFORE: &str = "a.x:1=http://a.x:1,b.x:2=http://b.x:2";

    #[test]
    fn who_has_the_directory_of_another_does_not_speak_for_the_one_that_is_listed() {
        let list = InitialCluster::parse(NOW).unwrap();
        let asker = Asker {
            own: Member::listed("a.x:1", list.urls("a.x:1").unwrap(), "t"),
            cluster: list.cluster_id("t"),
            data_dir: "dir".to_owned(),
            incarnation: Incarnation::new(&[1; 32]),
            may_join: false,
            looked_up: None,
        };
        let (b, c) = (MemberId(0xb), MemberId(0xc));
        for state in [STATE_FORMING, STATE_FORMED] {
            let said = |member: Option<MemberId>| {
                let header = |name: &str, value: String| (name.to_owned(), value);
                let mut headers = vec![
                    header("x-etcd-cluster-id", asker.cluster.to_string()),
                    header(STATE_HEADER, state.to_owned()),
                ];
                headers.extend(member.map(|id| header(MEMBER_HEADER, id.to_string())));
                let body = Bytes::from(json::encode_members(&list.members("t")));
                asker.judge_of(b, &Answer { status: 200, headers, body }).map(drop)
            };
            assert_eq!(said(Some(b)), Ok(()));
            assert_eq!(said(None), Ok(()), "etcd does not say who it is");
            assert_eq!(said(Some(c)), Err("member c answers there, and not b".to_owned()));
        }
    }

    /// `name` with the list that DNS has now hears from a cluster that was formed from `before`,
    /// in which `started` has published itself.
    fn hears(name: &str, looked_up: bool, before: &str, started: &str) -> Verdict {
        let (list, before) = (InitialCluster::parse(NOW), InitialCluster::parse(before));
        let (list, before) = (list.unwrap(), before.unwrap());
        let mut members = before.members("t");
        for member in members.iter_mut().filter(|member| member.name == started) {
            member.name = "infra0".to_owned();
            member.client_urls = vec!["http://a.x:2379".to_owned()];
        }
        let asker = Asker {
            own: Member::listed(name, list.urls(name).unwrap(), "t"),
            cluster: list.cluster_id("t"),
            data_dir: "dir".to_owned(),
            incarnation: Incarnation::new(&[1; 32]),
            may_join: false,
            looked_up: looked_up.then(|| "t".to_owned()),
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("x-etcd-cluster-id", &before.cluster_id("t").to_string()),
            header(STATE_HEADER, STATE_FORMED),
        ];
        let body = Bytes::from(json::encode_members(&members));
        match asker.judge(&Answer { status: 200, headers, body }) {
            Ok(Judged::Final(verdict)) => verdict,
            _ => panic!("a cluster that runs is final"),
        }
    }

    fn refused(verdict: Verdict) -> Refusal {
        match verdict {
            Verdict::Refuse(refusal) => refusal,
            verdict => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn a_cluster_that_formed_from_what_dns_had_before_is_gone_along_with() {
        let before = InitialCluster::parse(BEFORE).unwrap();
        assert_eq!(hears("b.x:2", true, BEFORE, "a.x:1"), Verdict::Earlier(before));
        let wiped = refused(hears("b.x:2", true, BEFORE, "b.x:2"));
        assert!(wiped.message.contains("has already been bootstrapped"), "{wiped:?}");
    }

    #[test]
    fn who_was_not_in_it_is_told_how_to_get_there() {
        let late = refused(hears("c.x:3", true, BEFORE, "a.x:1"));
        assert!(late.message.starts_with("conflicting cluster ID"), "{late:?}");
        assert!(late.hints.iter().any(|hint| hint.contains("-initial-cluster-state")), "{late:?}");
    }

    #[test]
    fn a_list_that_was_written_down_is_never_replaced() {
        let other = refused(hears("b.x:2", false, BEFORE, "a.x:1"));
        assert!(other.message.starts_with("conflicting cluster ID"), "{other:?}");
    }
}
