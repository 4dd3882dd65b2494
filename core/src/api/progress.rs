//! `/quorate/members`: who is in the cluster, how far each member has come, and what a learner waits
//! for. `/v2/members` keeps etcd's shape and says nothing of it.

use alloc::format;
use alloc::vec::Vec;

use super::json::{Fields, Writer};
use super::reply;
use super::response::{Response, failure_text};
use crate::http::Reply;
use crate::id::MemberId;
use crate::raft::{Feed, Followed, Lag};
use crate::stats::Stats;
use crate::time::rfc3339::Rfc3339;
use crate::view::View;

/// Where it is.
pub const PATH: &str = "/quorate/members";

/// What a leader knows of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries up to here are committed.
    pub committed: u64,
    /// The last entry of its log.
    pub last: u64,
    /// The members, by ID.
    pub members: Vec<MemberProgress>,
}

/// What a leader knows of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberProgress {
    /// The member.
    pub id: MemberId,
    /// How far it has come.
    pub followed: Option<Followed>,
    /// Why it is no voter, if it is a learner and will not be one at once.
    pub hurdle: Option<Hurdle>,
}

/// Why a learner is no voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hurdle {
    /// It is not known that all members are Quorate.
    Mixed,
    /// It was added and has not started.
    NotStarted,
    /// It has not caught up.
    Lags(Lag),
    /// Another change of the membership comes first.
    AnotherChange,
}

impl Hurdle {
    /// What has to happen, for people.
    const fn words(self) -> &'static str {
        match self {
            Self::Mixed => "all members have to be of Quorate, and to have said so to the leader",
            Self::NotStarted => "it has to be started, and to be reached at its peer URLs",
            Self::Lags(Lag::Silent) => "it has to answer: it is not heard from",
            Self::Lags(Lag::Uncounted) => "it lacks entries that it had acknowledged, and is fed",
            Self::Lags(Lag::Snapshot) => "it has to take in a snapshot",
            Self::Lags(Lag::Unmatched) => "its log has to be compared with the leader's",
            Self::Lags(Lag::Behind) => "it has to catch up with the log",
            Self::AnotherChange => "another change of the membership is under way",
        }
    }
}

/// The answer. Only the leader knows.
pub fn reply(answered: &Response, view: &View, stats: &Stats) -> Reply {
    let progress = match answered {
        Response::Progress(Some(progress)) => progress,
        Response::Failed(failure) => return reply::message(503, failure_text(failure)),
        _ => return not_leader(view),
    };
    let mut body = Writer::default();
    body.object(|fields| {
        if let Some(leader) = view.member {
            fields.plain_string("leader", leader);
        }
        fields.uint("term", view.term);
        fields.uint("committed", progress.committed);
        fields.uint("last", progress.last);
        fields.value("members", |w| {
            w.array(&progress.members, |w, member| {
                w.object(|fields| of_member(fields, member, view, stats));
            });
        });
    });
    reply::with_cluster(reply::json(200, body.finish_line()), view.cluster_id)
}

fn of_member(fields: &mut Fields<'_>, member: &MemberProgress, view: &View, stats: &Stats) {
    let record = view.cluster.members.get(&member.id);
    let learner = record.is_some_and(|record| record.learner);
    fields.plain_string("id", member.id);
    fields.string("name", record.map_or(b"", |record| record.name.as_bytes()));
    fields.plain_string("role", if learner { "learner" } else { "voter" });
    if let Some(followed) = &member.followed {
        fields.uint("match", followed.matched);
        fields.uint("behind", followed.behind);
        fields.plain_string(
            "fed",
            match followed.feed {
                Feed::Log => "log",
                Feed::Probe => "probe",
                Feed::Snapshot => "snapshot",
            },
        );
    }
    let own = view.member == Some(member.id);
    let mut followers = stats.followers();
    let follower = followers.find(|(id, _)| *id == member.id).map(|(_, follower)| follower);
    let since = match follower {
        _ if own => stats.leader.map(|(_, since)| since),
        follower => follower.and_then(|follower| follower.well_since),
    };
    fields.bool("healthy", own || since.is_some());
    if let Some(since) = since {
        fields.plain_string("healthySince", Rfc3339(since.wall.unix_nanos()));
    }
    if let Some(hurdle) = member.hurdle {
        fields.plain_string("waitsFor", hurdle.words());
    }
}

fn not_leader(view: &View) -> Reply {
    let leader = view.leader.filter(|id| view.member != Some(*id));
    let record = leader.and_then(|id| view.cluster.members.get(&id));
    let words = match record {
        Some(record) => format!(
            "not current leader: that is {} at {}",
            record.name,
            record.client_urls.join(",")
        ),
        None => "not current leader".into(),
    };
    reply::with_cluster(reply::message(403, &words), view.cluster_id)
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;

    use super::*;
    use crate::api::Failure;
    use crate::api::fixture::{MEMBER, text, view, with_cluster};
    use crate::member::Member;
    use crate::time::Now;

    const OTHER: MemberId = MemberId(0xb0b);

    fn progress(hurdle: Option<Hurdle>) -> Response {
        let followed = |matched, feed| {
            Some(Followed { matched, behind: 9 - matched, feed, heard: true, counts: true })
        };
        Response::Progress(Some(Box::new(Progress {
            committed: 8,
            last: 9,
            members: vec![
                MemberProgress { id: OTHER, followed: followed(3, Feed::Probe), hurdle },
                MemberProgress { id: MEMBER, followed: followed(9, Feed::Log), hurdle: None },
            ],
        })))
    }

    #[test]
    fn a_learner_says_what_it_waits_for() {
        let learner = Member {
            id: OTHER,
            name: "n2".into(),
            peer_urls: vec![],
            client_urls: vec![],
            learner: true,
        };
        let view = with_cluster(&view(), |cluster| {
            cluster.members.insert(OTHER, learner);
        });
        let stats = Stats::new(Now::default());
        let reply = reply(&progress(Some(Hurdle::Lags(Lag::Behind))), &view, &stats);
        let wanted = r#"{"leader":"8211f1d0f64f3269","term":2,"committed":8,"last":9,"members":[{"id":"b0b","name":"n2","role":"learner","match":3,"behind":6,"fed":"probe","healthy":false,"waitsFor":"it has to catch up with the log"},{"id":"8211f1d0f64f3269","name":"n1","role":"voter","match":9,"behind":0,"fed":"log","healthy":true}]}"#;
        assert_eq!((reply.status, text(&reply).trim_end()), (200, wanted));
    }

    #[test]
    fn who_does_not_lead_names_the_leader() {
        let stats = Stats::new(Now::default());
        let mut view = view();
        view.member = Some(OTHER);
        let said = reply(&Response::Progress(None), &view, &stats);
        let wanted = r#"{"message":"not current leader: that is n1 at http://127.0.0.1:2379"}"#;
        assert_eq!((said.status, text(&said)), (403, wanted));
        view.leader = None;
        let said = reply(&Response::Progress(None), &view, &stats);
        assert_eq!((said.status, text(&said)), (403, r#"{"message":"not current leader"}"#));
        let said = reply(&Response::Failed(Failure::Stopping), &view, &stats);
        assert_eq!(said.status, 503);
    }
}
