//! Joining a cluster that runs (`-initial-cluster-state existing`).
//!
//! The other listed members are asked who the members are. One that has not heard of the addition of
//! this member yet may be among them, so the first answer that fits counts, and a list that fits
//! none is refused. The list has to be theirs, this member must be one of them that has never started, and
//! the version of the cluster one that this program knows. Nothing was touched before all that is
//! known, so a refusal leaves nothing behind.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::forming::{STATE_FORMING, STATE_HEADER};
use super::list::{InitialCluster, Resolved};
use super::refusals;
use super::versions::{Asked, Versions};
use crate::config::Config;
use crate::dns::{self, Query};
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::id::ClusterId;
use crate::member::{Member, json};
use crate::node::{CallId, Effects, Output};
use crate::time::{Duration, Instant};
use crate::tls::Role;
use crate::wal::Owner;

/// How long a member may take to answer, as in etcd.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A member that is about to join.
#[derive(Debug, PartialEq, Eq)]
pub struct Joined {
    /// Who it is there.
    pub owner: Owner,
    /// The members of the cluster, this one among them, as it says.
    pub members: Vec<Member>,
}

/// A join on its way.
#[derive(Debug)]
pub(super) struct Join {
    list: InitialCluster,
    name: String,
    data_dir: String,
    /// Who was asked and has not answered.
    calls: BTreeMap<CallId, String>,
    /// Why the others gave no answer that helps.
    failed: Vec<String>,
    /// Answers that were not looked at yet.
    answers: VecDeque<Running>,
    /// What is wrong by an answer that was.
    mismatch: Option<Refusal>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// An answer is waited for.
    Asking,
    /// Names are looked up.
    Resolving { running: Running, waiting: BTreeSet<(CallId, Arc<str>)>, resolved: Resolved },
    /// The version of the cluster is asked for.
    Versions(Joined, Versions),
}

/// What a member that runs has answered.
#[derive(Debug)]
struct Running {
    cluster: ClusterId,
    members: Vec<Member>,
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
        let mut calls = BTreeMap::new();
        for (_, urls) in list.iter().filter(|(other, _)| *other != name) {
            for url in urls {
                let url = format!("{url}/members");
                calls.insert(get(&url, TIMEOUT, fx), url);
            }
        }
        let (name, data_dir) = (String::from(name), config.data_dir.clone());
        let (failed, answers) = (Vec::new(), VecDeque::new());
        let (mismatch, step) = (None, Step::Asking);
        Self { list, name, data_dir, calls, failed, answers, mismatch, step }.unless_over()
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
        if let Some(url) = self.calls.remove(&call) {
            match result.and_then(|answer| read(&answer)) {
                Ok(running) => self.answers.push_back(running),
                Err(cause) => self.failed.push(format!("{url}: {cause}")),
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
            && let Some(running) = self.answers.pop_front()
        {
            return self.compare(running, now, fx);
        }
        self.unless_over()
    }

    fn unless_over(self) -> Result<Standing, Refusal> {
        if !matches!(self.step, Step::Asking) || !self.calls.is_empty() {
            return Ok(Standing::Waiting(Box::new(self)));
        }
        Err(self.mismatch.unwrap_or_else(|| nobody(&self.failed, &self.list, &self.name)))
    }

    /// Looks up the names on which the comparison hangs.
    fn compare(
        mut self,
        running: Running,
        now: Instant,
        fx: &mut Effects<'_>,
    ) -> Result<Standing, Refusal> {
        let mut waiting = BTreeSet::new();
        for host in self.list.hosts_to_compare(&running.members) {
            let (call, host) = (fx.call(), Arc::<str>::from(host));
            fx.out.push(Output::Dns { call, query: Query::Addresses(host.clone()) });
            waiting.insert((call, host));
        }
        self.step = Step::Resolving { running, waiting, resolved: Resolved::new() };
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
        let Step::Resolving { running, waiting, resolved } = &mut self.step else {
            return Ok(Standing::Waiting(Box::new(self)));
        };
        if !waiting.is_empty() {
            return Ok(Standing::Waiting(Box::new(self)));
        }
        let own = match self.list.is_of(&running.members, &self.name, resolved) {
            Ok(own) => own,
            Err(refusal) => {
                self.mismatch = Some(refusal);
                self.step = Step::Asking;
                return self.go_on(now, fx);
            }
        };
        let owner = Owner { member: own.id, cluster: running.cluster };
        if !own.client_urls.is_empty() {
            return Err(refusals::bootstrapped(owner, &self.name, &self.data_dir));
        }
        let joined = Joined { owner, members: core::mem::take(&mut running.members) };
        Ok(Standing::Waiting(Box::new(self.ask_versions(joined, now, fx))))
    }

    /// Goes on where the cluster is found, and this member in it.
    pub(super) fn found(
        config: &Config,
        list: InitialCluster,
        joined: Joined,
        now: Instant,
        fx: &mut Effects<'_>,
    ) -> Box<Self> {
        let (name, data_dir) = (config.name.clone(), config.data_dir.clone());
        let (calls, failed, answers) = (BTreeMap::new(), Vec::new(), VecDeque::new());
        let (mismatch, step) = (None, Step::Asking);
        let join = Self { list, name, data_dir, calls, failed, answers, mismatch, step };
        Box::new(join.ask_versions(joined, now, fx))
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
        if let Step::Versions(_, versions) = &mut self.step {
            versions.ask(now, fx);
        }
    }

    /// When it has to be woken.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Versions(_, versions) => versions.deadline(),
            Step::Asking | Step::Resolving { .. } => None,
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

/// The members that an answer names, or why it names none.
fn read(answer: &Answer) -> Result<Running, String> {
    if answer.status != 200 {
        return Err(format!("it answered with {}", answer.outline()));
    }
    if answer.header(STATE_HEADER) == Some(STATE_FORMING) {
        return Err("it has no cluster yet".to_string());
    }
    let said = answer.header("x-etcd-cluster-id").ok_or("it did not say its cluster ID")?;
    let cluster = ClusterId::parse_hex(said);
    let cluster = cluster.ok_or_else(|| format!("its cluster ID {said:?} is none"))?;
    let members = json::decode_members(&answer.body).map_err(|error| error.to_string())?;
    if members.is_empty() {
        return Err("it knows no members yet".to_string());
    }
    Ok(Running { cluster, members })
}

fn nobody(failed: &[String], list: &InitialCluster, name: &str) -> Refusal {
    let refusal = Refusal::new(
        "cannot fetch cluster info from peer urls: could not retrieve cluster information from \
         the given urls",
    );
    if failed.is_empty() {
        return refusal
            .hint(format!("-initial-cluster lists {list}, which is nobody but {name}"))
            .hint("list all members of the cluster that is to be joined");
    }
    let refusal = failed.iter().fold(refusal, |refusal, cause| refusal.hint(cause.clone()));
    refusal.hint(
        "at least one of them has to run; to form a new cluster say -initial-cluster-state new",
    )
}
