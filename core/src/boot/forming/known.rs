//! By which data directories a member knows the others, as it says to one that asks.
//!
//! A member may have taken part before it could say so through the log. Who knows it from then
//! does not take in another directory in its place.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Asker, Verdict};
use crate::boot::refusals;
use crate::http::Answer;
use crate::id::{ClusterId, MemberId};
use crate::member::identity::Incarnation;
use crate::wal::Owner;

/// The header that says it, in pairs `ID=INCARNATION` with commas between.
pub const KNOWN_HEADER: &str = "x-quorate-known";

/// What the header says.
pub fn header(known: impl IntoIterator<Item = (MemberId, Incarnation)>) -> String {
    let known: Vec<String> = known.into_iter().map(|(id, dir)| format!("{id}={dir}")).collect();
    known.join(",")
}

/// By which data directory the header knows a member.
pub(in crate::boot) fn known_as(member: MemberId, header: &str) -> Option<Incarnation> {
    let mut known = header.split(',').filter_map(|pair| pair.split_once('='));
    let found = known.find(|(id, _)| MemberId::parse_hex(id) == Some(member));
    found.and_then(|(_, incarnation)| Incarnation::parse(incarnation))
}

impl Asker {
    /// Takes no place in a cluster where this member is known by another directory.
    pub(super) fn unless_known(
        &self,
        verdict: Verdict,
        cluster: ClusterId,
        answer: &Answer,
    ) -> Verdict {
        let member = match &verdict {
            Verdict::Late | Verdict::Earlier(_) => self.own.id,
            Verdict::Join(joined) => joined.owner.member,
            Verdict::Wait | Verdict::Form | Verdict::Refuse(_) => return verdict,
        };
        let known = answer.header(KNOWN_HEADER).and_then(|header| known_as(member, header));
        if known.is_none_or(|known| known == self.incarnation) || planted!(AcceptWiped) {
            return verdict;
        }
        let owner = Owner { member, cluster };
        Verdict::Refuse(refusals::bootstrapped(owner, &self.own.name, &self.data_dir))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::boot::list::InitialCluster;
    use crate::member::Member;

    #[test]
    fn another_directory_is_not_taken_in() {
        let list = InitialCluster::parse("a=http://a:1,b=http://b:1").unwrap();
        let (own, other) = (Incarnation::new(&[1; 32]), Incarnation::new(&[2; 32]));
        let asker = Asker {
            own: Member::listed("a", list.urls("a").unwrap(), "t"),
            cluster: list.cluster_id("t"),
            data_dir: "dir".into(),
            incarnation: own,
            may_join: false,
            looked_up: None,
        };
        let told = |known: &[(MemberId, Incarnation)]| {
            let headers = vec![(KNOWN_HEADER.into(), header(known.iter().copied()))];
            let answer = Answer { status: 200, headers, body: bytes::Bytes::new() };
            asker.unless_known(Verdict::Late, asker.cluster, &answer)
        };
        assert_eq!(told(&[]), Verdict::Late);
        assert_eq!(told(&[(asker.own.id, own)]), Verdict::Late);
        assert_eq!(told(&[(MemberId(9), other)]), Verdict::Late);
        assert!(matches!(told(&[(asker.own.id, other)]), Verdict::Refuse(_)));
    }

    #[test]
    fn what_is_said_is_understood() {
        let (one, two) = (Incarnation::new(&[1; 32]), Incarnation::new(&[2; 32]));
        let said = header([(MemberId(0x1f), one), (MemberId(2), two)]);
        assert_eq!(known_as(MemberId(0x1f), &said), Some(one));
        assert_eq!(known_as(MemberId(2), &said), Some(two));
        assert_eq!(known_as(MemberId(3), &said), None);
        for bad in ["", ",", "1f", "1f=", "1f=0,2"] {
            assert_eq!(known_as(MemberId(0x1f), bad), None, "{bad}");
        }
    }
}
