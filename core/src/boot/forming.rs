//! Asking before forming.
//!
//! A member with an empty directory asks all the others on its list whether there is a cluster
//! already. Only when each of them has answered that it is empty too and has the same list does
//! it form the cluster; so no second cluster forms as long as one member still has its data and
//! can be reached. All ask at once, and all answer while they ask.
//!
//! One that starts late, when the others have formed the cluster already, hears all of them too, and
//! those who were added since and vote: any of them may know that it has been there before.
//!
//! A member that was added at run time is on nobody's list, so it cannot be asked; but it looks for
//! the others as long as it runs. Whoever is spoken to by one knows that the cluster was formed
//! before, says so to those that ask, and does not form it again.
//!
//! With the answers comes which data directories they are from. Those are the members, whoever else
//! may call itself one of them later: another process with the same flags, or the same one with
//! another directory.

mod judge;
pub mod known;
pub mod unlisted;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::join::Joined;
use super::list::InitialCluster;
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::id::{ClusterId, MemberId};
use crate::member::Member;
use crate::member::identity::{Incarnation, Said};
use crate::node::CallId;
use crate::note::Note;
use crate::time::{Duration, Instant};
use crate::tls::Role;
use crate::url::Url;
use crate::wal::Owner;

/// How long a member that does not answer is waited for before it is asked again.
const TIMEOUT: Duration = Duration::from_millis(1000);

/// How soon a member that is not ready is asked again. Short, because the last one to start is
/// what all the others wait for.
const AGAIN: Duration = Duration::from_millis(100);

/// Says who is missing at most this often.
const REPORT: Duration = Duration::from_secs(5);

/// How long a member listens at least before it forms. Those that are not on its list dial it as soon
/// as it can be reached.
const LISTEN: Duration = Duration::from_millis(300);

/// The header in which a member of Quorate says whether it has formed its cluster.
pub const STATE_HEADER: &str = "x-quorate-state";
/// Its value while the member asks.
pub const STATE_FORMING: &str = "forming";
/// Its value once there is a log.
pub const STATE_FORMED: &str = "formed";

/// The header in which it says who it is.
pub const MEMBER_HEADER: &str = "x-quorate-member";

/// What this member asks for, and whom.
#[derive(Debug)]
pub struct Forming {
    asker: Asker,
    others: BTreeMap<MemberId, Other>,
    calls: BTreeMap<CallId, MemberId>,
    /// When it has listened long enough to form.
    listened: Instant,
    /// Who has spoken to it as a member of this cluster, and is not on the list.
    unlisted: BTreeSet<MemberId>,
    report_due: Instant,
    reported: Option<Note>,
}

/// Who asks.
#[derive(Debug)]
struct Asker {
    own: Member,
    cluster: ClusterId,
    data_dir: String,
    /// The data directory of this member.
    incarnation: Incarnation,
    /// Whether this member joins a cluster that runs, in place of forming one.
    may_join: bool,
    /// The token, if the list comes from DNS.
    looked_up: Option<String>,
}

#[derive(Debug)]
struct Other {
    name: String,
    urls: Vec<Url>,
    /// Which URL is asked next.
    turn: usize,
    /// When it is asked next; absent while it is being asked.
    due: Option<Instant>,
    standing: Standing,
    /// Its data directory, if it is of Quorate, and ready or running.
    incarnation: Option<Incarnation>,
    /// The voters by its last answer, if it runs.
    voters: Vec<Member>,
    /// Whether it was added to the cluster since, and is not on the list.
    added: bool,
    /// Who has spoken to it and is not on the list, in words, by its last answer.
    unlisted: Option<String>,
}

impl Other {
    fn new(member: Member, now: Instant) -> Self {
        let Member { id, mut name, peer_urls: urls, .. } = member;
        if name.is_empty() {
            name = id.to_string();
        }
        let standing = Standing::Missing("not asked yet".into());
        let (incarnation, voters, unlisted) = (None, Vec::new(), None);
        let due = Some(now);
        Self { name, urls, turn: 0, due, standing, incarnation, voters, added: false, unlisted }
    }
}

/// What is known of another member.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It did not answer, or not with anything that helps; why.
    Missing(String),
    /// It is empty and has another list; in words.
    Differs(String),
    /// It is empty and has the same list.
    Ready,
    /// It has formed the cluster, and knows nothing of this member but its place in the list.
    Formed,
    /// The cluster has removed it: nobody waits for it.
    Removed,
}

/// What follows from an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on asking.
    Wait,
    /// Form the cluster: everybody is there.
    Form,
    /// The others have formed it already and wait for this member.
    Late,
    /// The same, from the list that DNS had before.
    Earlier(InitialCluster),
    /// Another cluster runs there, of which this member is to be one.
    Join(Joined),
    /// Do not start.
    Refuse(Refusal),
}

impl Forming {
    /// Asks the others among `members` on behalf of `own`.
    pub fn new(
        own: Member,
        members: impl IntoIterator<Item = Member>,
        cluster: ClusterId,
        (data_dir, incarnation): (String, Incarnation),
        now: Instant,
    ) -> Self {
        let others = members.into_iter().filter(|member| member.id != own.id);
        let others = others.map(|member| (member.id, Other::new(member, now)));
        Self {
            others: others.collect(),
            asker: Asker { own, cluster, data_dir, incarnation, may_join: false, looked_up: None },
            calls: BTreeMap::new(),
            listened: now + LISTEN,
            unlisted: BTreeSet::new(),
            report_due: now + AGAIN * 5,
            reported: None,
        }
    }

    /// Lets this member join a cluster that runs and has it added.
    #[must_use]
    pub const fn or_join(mut self, may_join: bool) -> Self {
        self.asker.may_join = may_join;
        self
    }

    /// The list comes from DNS, and `token` with it. There it may have been another a moment ago,
    /// and others may have formed the cluster from that.
    #[must_use]
    pub fn looked_up(mut self, token: Option<String>) -> Self {
        self.asker.looked_up = token;
        self
    }

    /// Who asks, and for which cluster.
    pub const fn owner(&self) -> Owner {
        Owner { member: self.asker.own.id, cluster: self.asker.cluster }
    }

    /// The data directories that have answered for the others, ready or running.
    pub fn met(&self) -> BTreeMap<MemberId, Incarnation> {
        self.others.iter().filter_map(|(id, other)| Some((*id, other.incarnation?))).collect()
    }

    /// The calls that are due now, each under a name that `fresh` makes.
    pub fn ask(&mut self, now: Instant, mut fresh: impl FnMut() -> CallId) -> Vec<(CallId, Call)> {
        let mut calls = Vec::new();
        for (id, other) in &mut self.others {
            if other.due.is_none_or(|due| due > now) {
                continue;
            }
            let url = &other.urls[other.turn % other.urls.len()];
            let request = Call::get(format!("{url}/members"), Role::Peer, TIMEOUT);
            let call = fresh();
            other.due = None;
            self.calls.insert(call, *id);
            calls.push((call, request));
        }
        calls
    }

    /// When [`Forming::ask`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        self.others.values().filter_map(|other| other.due).min()
    }

    /// Who is missing and why, if that is worth saying now.
    pub fn report(&mut self, now: Instant) -> Option<Note> {
        if now < self.report_due {
            return None;
        }
        self.report_due = now + REPORT;
        let missing: Vec<(String, String)> = self
            .others
            .values()
            .filter_map(|other| match &other.standing {
                Standing::Missing(cause) | Standing::Differs(cause) => {
                    Some((other.name.clone(), cause.clone()))
                }
                Standing::Ready | Standing::Formed | Standing::Removed => None,
            })
            .chain(self.disturbed())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let note = if self.is_late() {
            Note::WaitingToComeLate { missing }
        } else {
            Note::WaitingToForm { missing }
        };
        (self.reported.as_ref() != Some(&note)).then(|| self.reported.insert(note).clone())
    }

    /// Whether others have formed the cluster already.
    fn is_late(&self) -> bool {
        self.others.values().any(|other| other.standing == Standing::Formed)
    }

    /// Who has another list, in words.
    pub fn differences(&self) -> Vec<String> {
        let differs = self.others.values().filter_map(|other| match &other.standing {
            Standing::Differs(cause) => Some(format!("{}: {cause}", other.name)),
            _ => None,
        });
        differs.collect()
    }

    /// Takes the end of a call.
    pub fn answered(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
    ) -> Verdict {
        let Some(id) = self.calls.remove(&call) else { return Verdict::Wait };
        let Some(other) = self.others.get_mut(&id) else { return Verdict::Wait };
        other.due = Some(now + AGAIN);
        other.unlisted = result.as_ref().ok().and_then(unlisted::heard_of);
        let missing = |cause: String| Judged::Standing(Standing::Missing(cause));
        let (judged, from) = match result {
            Err(cause) => (missing(cause), None),
            Ok(answer) => (
                self.asker.judge_of(id, &answer).unwrap_or_else(missing),
                Said::read(|name| answer.header(name)).incarnation,
            ),
        };
        match judged {
            Judged::Standing(standing) => {
                if standing == Standing::Ready {
                    other.incarnation = from;
                } else {
                    other.turn += 1;
                }
                other.standing = standing;
                self.verdict(now)
            }
            Judged::Late(members) => {
                (other.standing, other.incarnation) = (Standing::Formed, from);
                other.voters = members.iter().filter(|member| !member.learner).cloned().collect();
                self.follow(&members, now);
                self.verdict(now)
            }
            Judged::Final(verdict) => verdict,
        }
    }

    /// The cluster may have other members by now, of which one has just named all. Nobody waits for
    /// those of the list that are not among them any more. Whoever was added and votes may know what
    /// this one has promised; but not everybody has heard yet who was added, and removed again.
    fn follow(&mut self, members: &[Member], now: Instant) {
        for (id, other) in &mut self.others {
            if !other.added && members.iter().all(|member| member.id != *id) {
                other.standing = Standing::Removed;
            }
        }
        let own = self.asker.own.id;
        let voters = self.others.values().flat_map(|other| other.voters.clone());
        let voters: Vec<Member> = voters.filter(|voter| !voter.peer_urls.is_empty()).collect();
        self.others.retain(|id, other| !other.added || voters.iter().any(|voter| voter.id == *id));
        for voter in voters.into_iter().filter(|voter| voter.id != own) {
            let added = |voter| Other { added: true, ..Other::new(voter, now) };
            self.others.entry(voter.id).or_insert_with(|| added(voter));
        }
    }

    /// Whether everybody is there, at `now`. That a member runs is not enough to start late: what
    /// this one may have promised before its data was lost, another may know.
    pub fn verdict(&self, now: Instant) -> Verdict {
        let stand = |standing: &Standing| {
            self.others.values().filter(|other| other.standing == *standing).count()
        };
        let (ready, formed) = (stand(&Standing::Ready), stand(&Standing::Formed));
        let all = ready + formed + stand(&Standing::Removed) == self.others.len();
        let enough = planted!(FormWithMajority) && ready + 1 > self.others.len().div_ceil(2);
        match formed {
            1.. if all => Verdict::Late,
            0 if (all || enough) && self.is_undisturbed(now) => Verdict::Form,
            _ => Verdict::Wait,
        }
    }
}

enum Judged {
    Standing(Standing),
    /// A cluster of these members waits for this one.
    Late(Vec<Member>),
    Final(Verdict),
}

#[cfg(test)]
mod tests;
