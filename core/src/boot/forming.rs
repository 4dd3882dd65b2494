//! Asking before forming.
//!
//! A member with an empty directory asks all the others on its list whether there is a cluster
//! already. Only when each of them has answered that it is empty too and has the same list does
//! it form the cluster; so no second cluster forms as long as one member still has its data and
//! can be reached. All ask at once, and all answer while they ask.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::join::Joined;
use super::list::described;
use super::refusals;
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::id::{ClusterId, MemberId};
use crate::member::{Member, json};
use crate::node::CallId;
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

/// The header in which a member of Quorate says whether it has formed its cluster.
pub const STATE_HEADER: &str = "x-quorate-state";
/// Its value while the member asks.
pub const STATE_FORMING: &str = "forming";
/// Its value once there is a log.
pub const STATE_FORMED: &str = "formed";

/// What this member asks for, and whom.
#[derive(Debug)]
pub struct Forming {
    own: Member,
    cluster: ClusterId,
    data_dir: String,
    /// Whether this member joins a cluster that runs, in place of forming one.
    may_join: bool,
    others: BTreeMap<MemberId, Other>,
    calls: BTreeMap<CallId, MemberId>,
    report_due: Instant,
    reported: Vec<(String, String)>,
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
        data_dir: String,
        now: Instant,
    ) -> Self {
        let others = members.into_iter().filter(|member| member.id != own.id).map(|member| {
            let standing = Standing::Missing("not asked yet".into());
            let Member { id, name, peer_urls: urls, .. } = member;
            (id, Other { name, urls, turn: 0, due: Some(now), standing })
        });
        Self {
            others: others.collect(),
            own,
            cluster,
            data_dir,
            may_join: false,
            calls: BTreeMap::new(),
            report_due: now + AGAIN * 5,
            reported: Vec::new(),
        }
    }

    /// Lets this member join a cluster that runs and has it added.
    #[must_use]
    pub const fn or_join(mut self, may_join: bool) -> Self {
        self.may_join = may_join;
        self
    }

    /// Who asks, and for which cluster.
    pub const fn owner(&self) -> Owner {
        Owner { member: self.own.id, cluster: self.cluster }
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
    pub fn report(&mut self, now: Instant) -> Option<Vec<(String, String)>> {
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
                Standing::Ready => None,
            })
            .collect();
        (missing != self.reported).then(|| {
            self.reported.clone_from(&missing);
            missing
        })
    }

    /// Who has another list, in words.
    pub fn differences(&self) -> Vec<String> {
        let differs = self.others.values().filter_map(|other| match &other.standing {
            Standing::Differs(cause) => Some(format!("{}: {cause}", other.name)),
            Standing::Missing(_) | Standing::Ready => None,
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
        let missing = |cause: String| Judged::Standing(Standing::Missing(cause));
        let judged = match result {
            Err(cause) => missing(cause),
            Ok(answer) => {
                let asks = (&self.own, self.cluster, self.may_join);
                judge(asks, &self.data_dir, &answer).unwrap_or_else(missing)
            }
        };
        match judged {
            Judged::Standing(standing) => {
                if standing != Standing::Ready {
                    other.turn += 1;
                }
                other.standing = standing;
                self.verdict()
            }
            Judged::Final(verdict) => verdict,
        }
    }

    /// Whether everybody is there.
    pub fn verdict(&self) -> Verdict {
        let ready = self.others.values().filter(|o| o.standing == Standing::Ready).count();
        let all = ready == self.others.len()
            || planted!(FormWithMajority) && ready + 1 > self.others.len().div_ceil(2);
        if all { Verdict::Form } else { Verdict::Wait }
    }
}

enum Judged {
    Standing(Standing),
    Final(Verdict),
}

/// What an answer says, or why it says nothing.
fn judge(
    (own, cluster, may_join): (&Member, ClusterId, bool),
    data_dir: &str,
    answer: &Answer,
) -> Result<Judged, String> {
    if answer.status != 200 {
        return Err(format!("it answered with {}", answer.outline()));
    }
    let said = answer.header("x-etcd-cluster-id").ok_or("it did not say its cluster ID")?;
    let theirs = ClusterId(
        u64::from_str_radix(said, 16).map_err(|_| format!("its cluster ID {said:?} is none"))?,
    );
    let members = json::decode_members(&answer.body).map_err(|error| error.to_string())?;
    let forming = answer.header(STATE_HEADER) == Some(STATE_FORMING);
    if may_join
        && !forming
        && let Some(verdict) = joins(own, (theirs, cluster), &members, data_dir)
    {
        return Ok(Judged::Final(verdict));
    }
    if theirs != cluster && !planted!(IgnoreOtherList) {
        return if forming {
            Ok(Judged::Standing(Standing::Differs(format!(
                "it has another list or token: cluster ID {theirs} of {}, here {cluster}",
                described(&members)
            ))))
        } else {
            Ok(Judged::Final(Verdict::Refuse(other_cluster(theirs, cluster, &members))))
        };
    }
    if forming {
        return Ok(Judged::Standing(Standing::Ready));
    }
    let Some(listed) = members.iter().find(|member| member.id == own.id) else {
        return Ok(Judged::Final(Verdict::Refuse(removed(own, cluster, &members))));
    };
    let started = !listed.client_urls.is_empty();
    Ok(Judged::Final(if started && !planted!(AcceptWiped) {
        Verdict::Refuse(refusals::bootstrapped(
            Owner { member: own.id, cluster },
            &own.name,
            data_dir,
        ))
    } else {
        Verdict::Late
    }))
}

/// What a cluster that runs makes of a member that it knows by other means than the list: one that
/// was added there, at the same place.
fn joins(
    own: &Member,
    (theirs, ours): (ClusterId, ClusterId),
    members: &[Member],
    data_dir: &str,
) -> Option<Verdict> {
    if theirs == ours && members.iter().any(|member| member.id == own.id) {
        return None;
    }
    let canonical = |urls: &[Url]| urls.iter().map(Url::canonical).collect::<BTreeSet<_>>();
    let place = canonical(&own.peer_urls);
    let found = members.iter().find(|member| canonical(&member.peer_urls) == place)?;
    let owner = Owner { member: found.id, cluster: theirs };
    Some(if found.client_urls.is_empty() {
        Verdict::Join(Joined { owner, members: members.to_vec() })
    } else {
        Verdict::Refuse(refusals::bootstrapped(owner, &own.name, data_dir))
    })
}

fn other_cluster(theirs: ClusterId, ours: ClusterId, members: &[Member]) -> Refusal {
    Refusal::new(format!(
        "conflicting cluster ID to the target cluster ({theirs} != {ours}). Exiting."
    ))
    .hint(format!("the target cluster consists of {}", described(members)))
    .hint(format!("the flags of this member make the cluster ID {ours}"))
    .hint(
        "compare -initial-cluster and -initial-cluster-token with those of the running members; \
         nothing was written that prevents a correct start",
    )
}

fn removed(own: &Member, cluster: ClusterId, members: &[Member]) -> Refusal {
    Refusal::new(format!("member {} is not in cluster {cluster} any more", own.id))
        .hint(format!("the cluster consists of {}", described(members)))
        .hint("an ID is never used again: add the member anew, and start it with the new list")
}
