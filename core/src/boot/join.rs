//! Joining a cluster that runs (`-initial-cluster-state existing`).
//!
//! The other listed members are asked who the members are. One that has not heard of the addition of
//! this member yet may be among them, so an answer that fits counts whatever the others say, and a
//! list that fits none is refused. The list has to be theirs, this member must be one of them that
//! has never started, and the version of the cluster one that this program knows. Nothing was
//! touched before all that is known, so a refusal leaves nothing behind.
//!
//! One that lags may also not have heard that this member has started, and lost its data since. So
//! those who are asked have a quorum confirm what they say (`heard.rs`); as long as none does, all
//! are asked again.

mod answer;
mod heard;
mod whom;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::identity::{Identity, Incarnation};
use super::list::{InitialCluster, Resolved};
use super::refusals;
use super::versions::{Asked, Versions};
use crate::api::peer::CONFIRM_QUERY;
use crate::config::Config;
use crate::dns::{self, Query};
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::member::Member;
use crate::node::{CallId, Effects, Output};
use crate::note::Note;
use crate::time::{Duration, Instant};
use crate::tls::Role;
use crate::url::Url;
use crate::wal::Owner;
use answer::{Running, Said};
use heard::{Heard, Outcome};
use whom::Whom;

/// How long a member may take to answer, as in etcd.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How soon all are asked again, where that may help.
const AGAIN: Duration = Duration::from_millis(500);

/// A member that is about to join.
#[derive(Debug, PartialEq, Eq)]
pub struct Joined {
    /// Who it is there.
    pub owner: Owner,
    /// The members of the cluster, this one among them, as it says.
    pub members: Vec<Member>,
    /// By which data directories the others know this member.
    pub known: Vec<Incarnation>,
}

impl Joined {
    /// Takes no place in which somebody knows another data directory.
    ///
    /// # Errors
    /// Somebody does.
    pub(super) fn unless_known(self, identity: Identity, config: &Config) -> Result<Self, Refusal> {
        let own = identity.incarnation;
        if self.known.iter().all(|known| *known == own) || planted!(AcceptWiped) {
            return Ok(self);
        }
        Err(refusals::bootstrapped(self.owner, &config.name, &config.data_dir))
    }
}

/// A join on its way.
#[derive(Debug)]
pub(super) struct Join {
    whom: Whom,
    data_dir: String,
    /// The others, and where they are asked.
    others: BTreeMap<String, Vec<Url>>,
    /// Who was asked where, and has not answered.
    calls: BTreeMap<CallId, (String, String)>,
    /// Answers that were not looked at yet, and whose they are.
    answers: VecDeque<(String, Running)>,
    heard: Heard,
    /// By which data directories the others know this member.
    known: Vec<Incarnation>,
    /// When all are asked again.
    due: Option<Instant>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// An answer is waited for.
    Asking,
    /// Names are looked up.
    Resolving {
        other: String,
        running: Running,
        waiting: BTreeSet<(CallId, Arc<str>)>,
        resolved: Resolved,
    },
    /// The version of the cluster is asked for.
    Versions(Joined, Versions),
}

/// How a join stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// Something is waited for.
    Waiting(Box<Join>),
    /// Everything that has to be known is known.
    Joined(Joined),
}

impl Join {
    /// Asks the others on `list`, which calls this member `name`.
    ///
    /// # Errors
    /// The list makes no sense, or not for this member.
    pub(super) fn begin(
        config: &Config,
        list: InitialCluster,
        name: &str,
        fx: &mut Effects<'_>,
    ) -> Result<Standing, Refusal> {
        // The token takes no part: identities are those of the cluster.
        list.check(name, "")?;
        let whom = Whom::Listed { list, name: name.into() };
        if whom.others().is_empty() {
            return Err(nobody(&[], &whom));
        }
        Ok(Standing::Waiting(Box::new(Self::ask_all(whom, config, fx))))
    }

    /// Asks the others of a cluster in which this member was found.
    pub(super) fn found(config: &Config, joined: Joined, fx: &mut Effects<'_>) -> Box<Self> {
        let Joined { owner, members, known } = joined;
        let whom = Whom::Found { owner, name: config.name.clone(), members };
        Box::new(Self { known, ..Self::ask_all(whom, config, fx) })
    }

    /// Who this member is, if it was found in a cluster. Others that join may wait for the word of
    /// one that is asking itself: it has no data.
    pub(super) const fn owner(&self) -> Option<Owner> {
        match &self.whom {
            Whom::Found { owner, .. } => Some(*owner),
            Whom::Listed { .. } => None,
        }
    }

    fn ask_all(whom: Whom, config: &Config, fx: &mut Effects<'_>) -> Self {
        let (others, data_dir) = (whom.others(), config.data_dir.clone());
        let (calls, answers, known) = (BTreeMap::new(), VecDeque::new(), Vec::new());
        let (heard, due, step) = (Heard::default(), None, Step::Asking);
        let mut join = Self { whom, data_dir, others, calls, answers, heard, known, due, step };
        join.ask(fx);
        join
    }

    fn ask(&mut self, fx: &mut Effects<'_>) {
        self.due = None;
        self.heard.begin_round();
        for (other, urls) in &self.others {
            for url in urls {
                let url = format!("{url}/members");
                let query = if planted!(JoinUnconfirmed) { "" } else { CONFIRM_QUERY };
                let call = get(&format!("{url}?{query}"), TIMEOUT, fx);
                self.calls.insert(call, (other.clone(), url));
            }
        }
    }

    /// A call has ended.
    ///
    /// # Errors
    /// This member cannot join.
    pub(super) fn answered(
        mut self,
        now: Instant,
        call: CallId,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Standing, Refusal> {
        if let Some((other, url)) = self.calls.remove(&call) {
            match result.and_then(|answer| Said::read(&answer)) {
                Ok(Said::Running(running)) => self.answers.push_back((other, running)),
                Ok(Said::Empty { member, cluster }) => {
                    self.heard.has_no_data(&other, member, cluster);
                }
                Err(cause) => self.heard.failed(&other, &url, &cause),
            }
            return self.go_on(now, fx);
        }
        if let Step::Versions(_, versions) = &mut self.step {
            let asked = versions.answered(now, call, result)?;
            return Ok(self.after_versions(asked));
        }
        Ok(Standing::Waiting(Box::new(self)))
    }

    /// Looks at the next answer, if none is being looked at.
    fn go_on(mut self, now: Instant, fx: &mut Effects<'_>) -> Result<Standing, Refusal> {
        if matches!(self.step, Step::Asking)
            && let Some((other, running)) = self.answers.pop_front()
        {
            return self.compare(other, running, now, fx);
        }
        if matches!(self.step, Step::Asking) && self.calls.is_empty() {
            match self.heard.outcome() {
                Outcome::Wait => self.due = Some(now + AGAIN),
                Outcome::Refuse(refusal) => return Err(refusal),
                Outcome::Nobody(causes) => return Err(nobody(&causes, &self.whom)),
            }
        }
        Ok(Standing::Waiting(Box::new(self)))
    }

    /// Looks up the names on which the comparison hangs.
    fn compare(
        mut self,
        other: String,
        running: Running,
        now: Instant,
        fx: &mut Effects<'_>,
    ) -> Result<Standing, Refusal> {
        let mut waiting = BTreeSet::new();
        for host in self.whom.hosts_to_compare(&running.members) {
            let (call, host) = (fx.call(), Arc::<str>::from(host));
            fx.out.push(Output::Dns { call, query: Query::Addresses(host.clone()) });
            waiting.insert((call, host));
        }
        self.step = Step::Resolving { other, running, waiting, resolved: Resolved::new() };
        self.when_resolved(now, fx)
    }

    /// A look-up has ended.
    ///
    /// # Errors
    /// This member cannot join.
    pub(super) fn looked_up(
        mut self,
        now: Instant,
        call: CallId,
        answer: dns::Answer,
        fx: &mut Effects<'_>,
    ) -> Result<Standing, Refusal> {
        if let Step::Resolving { waiting, resolved, .. } = &mut self.step
            && let Some(asked) = waiting.iter().find(|(id, _)| *id == call).cloned()
        {
            waiting.remove(&asked);
            resolved.insert(&asked.1, dns::addresses(&asked.1, answer));
        }
        self.when_resolved(now, fx)
    }

    fn when_resolved(mut self, now: Instant, fx: &mut Effects<'_>) -> Result<Standing, Refusal> {
        let (other, running, resolved) = match core::mem::replace(&mut self.step, Step::Asking) {
            Step::Resolving { other, running, waiting, resolved } if waiting.is_empty() => {
                (other, running, resolved)
            }
            step => {
                self.step = step;
                return Ok(Standing::Waiting(Box::new(self)));
            }
        };
        let own = match self.whom.among(&running, &resolved) {
            Ok(own) => own,
            Err(refusal) => {
                self.heard.differs(refusal);
                return self.go_on(now, fx);
            }
        };
        let owner = Owner { member: own.id, cluster: running.cluster };
        if !own.client_urls.is_empty() {
            return Err(refusals::bootstrapped(owner, self.whom.name(), &self.data_dir));
        }
        self.known.extend(running.known_as(own.id));
        if !self.heard.suffices(&other, own, &running) {
            return self.go_on(now, fx);
        }
        let known = core::mem::take(&mut self.known);
        let joined = Joined { owner, members: running.members, known };
        Ok(Standing::Waiting(Box::new(self.ask_versions(joined, now, fx))))
    }

    fn ask_versions(mut self, joined: Joined, now: Instant, fx: &mut Effects<'_>) -> Self {
        let others = joined.members.iter().filter(|member| member.id != joined.owner.member);
        let mut versions = Versions::new(others, now);
        versions.ask(now, fx);
        self.step = Step::Versions(joined, versions);
        self
    }

    fn after_versions(self, asked: Asked) -> Standing {
        match (asked, self.step) {
            (Asked::Fits, Step::Versions(joined, _)) => Standing::Joined(joined),
            (_, step) => Standing::Waiting(Box::new(Self { step, ..self })),
        }
    }

    /// Time has passed.
    pub(super) fn wake(&mut self, now: Instant, fx: &mut Effects<'_>) {
        match &mut self.step {
            Step::Versions(_, versions) => versions.ask(now, fx),
            Step::Asking if self.due.is_some_and(|due| due <= now) => {
                if let Some(missing) = self.heard.report(now) {
                    fx.note(Note::WaitingToJoin { missing });
                }
                self.ask(fx);
            }
            Step::Asking | Step::Resolving { .. } => {}
        }
    }

    /// When it has to be woken.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Versions(_, versions) => versions.deadline(),
            Step::Asking => self.due,
            Step::Resolving { .. } => None,
        }
    }
}

/// A question without a body.
pub(super) fn get(url: &str, timeout: Duration, fx: &mut Effects<'_>) -> CallId {
    let call = fx.call();
    let request = Call::get(url.to_string(), Role::Peer, timeout);
    fx.out.push(Output::Http { call, request });
    call
}

fn nobody(failed: &[String], whom: &Whom) -> Refusal {
    let refusal = Refusal::new(
        "cannot fetch cluster info from peer urls: could not retrieve cluster information from \
         the given urls",
    );
    if failed.is_empty()
        && let Whom::Listed { list, name } = whom
    {
        return refusal
            .hint(format!("-initial-cluster lists {list}, which is nobody but {name}"))
            .hint("list all members of the cluster that is to be joined");
    }
    let refusal = failed.iter().fold(refusal, |refusal, cause| refusal.hint(cause.clone()));
    refusal.hint(
        "at least one of them has to run; to form a new cluster say -initial-cluster-state new",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::stage::Stage;
    use crate::config::{Config, Settings};
    use crate::disk::Script;
    use crate::id::{ClusterId, MemberId};

    /// Two voters that join at once would wait for each other's word.
    #[test]
    fn who_was_found_in_a_cluster_gives_its_word_while_it_asks() {
        let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
        let mut fx = Effects::new(&mut script, &mut calls, &mut out);
        let config = Config::validate(Settings::new(), [0; 32]).unwrap();
        let owner = Owner { member: MemberId(7), cluster: ClusterId(8) };
        let joined = Joined { owner, members: Vec::new(), known: Vec::new() };
        assert_eq!(Stage::Joining(Join::found(&config, joined, &mut fx)).owner(), Some(owner));
    }
}
