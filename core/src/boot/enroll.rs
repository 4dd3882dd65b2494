//! Adding this member to a cluster that runs (`quorate join`).
//!
//! To join takes two steps that have to fit: the cluster is told of the member, and the member is
//! started with the list of all. Here both are done from the client URL of any one member. Nothing
//! was touched in the data directory before the cluster knows the member; and where an answer was
//! lost, or this start was, the next one finds the member in the list and goes on from there.

mod listed;
mod replace;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use listed::{Listed, ask, place, read, unreachable};

use super::list::InitialCluster;
use crate::error::Refusal;
use crate::http::{Answer, Call, Method};
use crate::node::{CallId, Effects, Output};
use crate::time::Duration;
use crate::tls::Role;
use crate::url::Url;

/// How long a member may take to answer: what it takes to agree on a change, and some more.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How often it is asked to add this member, if it does not say what became of that.
const TRIES: u32 = 3;

/// A member that is being added.
#[derive(Debug)]
pub(super) struct Enroll {
    name: String,
    urls: Vec<Url>,
    /// The member that is asked.
    endpoint: Url,
    /// Those that are asked if it does not answer.
    others: VecDeque<Url>,
    failed: Vec<String>,
    tries: u32,
    call: CallId,
    /// Whether it takes the place of the member that was here, and has lost its data.
    replaces: bool,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The members are asked for.
    Asking,
    /// Whether that member runs after all is looked for where it would be.
    Looking(Listed),
    /// The cluster is told that that member is gone.
    Removing(Listed),
    /// The cluster is told of this member beside those.
    Adding(Vec<Listed>),
}

/// How it stands.
#[derive(Debug)]
pub(super) enum Enrolled {
    /// Something is waited for.
    Waiting(Box<Enroll>),
    /// The cluster has these members, and this one among them.
    Added(InitialCluster),
}

impl Enroll {
    /// Asks the first of `endpoints` for its members. This one is called `name`, and the others are to
    /// find it at `urls`; if it `replaces`, the member that was there before is removed.
    ///
    /// # Errors
    /// There are no endpoints.
    pub(super) fn begin(
        name: &str,
        urls: Vec<Url>,
        endpoints: Vec<Url>,
        replaces: bool,
        fx: &mut Effects<'_>,
    ) -> Result<Box<Self>, Refusal> {
        let mut others = VecDeque::from(endpoints);
        let endpoint = others.pop_front().ok_or_else(|| unreachable(&[]))?;
        let call = ask(&endpoint, fx);
        let (failed, tries, step) = (Vec::new(), 0, Step::Asking);
        let name = name.into();
        Ok(Box::new(Self { name, urls, endpoint, others, failed, tries, call, replaces, step }))
    }

    /// A call has ended.
    ///
    /// # Errors
    /// This member cannot be added.
    pub(super) fn answered(
        mut self: Box<Self>,
        call: CallId,
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        if call != self.call {
            return Ok(Enrolled::Waiting(self));
        }
        match core::mem::replace(&mut self.step, Step::Asking) {
            Step::Asking => match result.and_then(|answer| read(&answer)) {
                Ok(members) => self.listed(members, fx),
                Err(cause) => self.ask_another(&cause, fx),
            },
            Step::Looking(own) => self.looked(own, &result, fx),
            Step::Removing(own) => self.removed(&own, result, fx),
            Step::Adding(members) => self.added(&members, result, fx),
        }
    }

    fn ask_another(
        mut self: Box<Self>,
        cause: &str,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        self.failed.push(format!("{}: {cause}", self.endpoint));
        self.endpoint = self.others.pop_front().ok_or_else(|| unreachable(&self.failed))?;
        self.call = ask(&self.endpoint, fx);
        Ok(Enrolled::Waiting(self))
    }

    fn listed(
        mut self: Box<Self>,
        members: Vec<Listed>,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        if let Some(own) = members.iter().find(|member| self.is_at(member)) {
            if own.name.is_empty() {
                return self.list(&members);
            }
            if self.replaces {
                return Ok(self.look(own.clone(), fx));
            }
            return Err(self.is_started(own));
        }
        if let Some(other) = members.iter().find(|member| member.name == self.name) {
            return Err(Refusal::new(format!("the name {} is taken", self.name))
                .hint(format!("member {} at {} has it", other.id, other.peer_urls.join(",")))
                .hint("give this member another -name"));
        }
        self.tries += 1;
        let urls: Vec<String> = self.urls.iter().map(|url| format!("\"{url}\"")).collect();
        let body = format!("{{\"peerURLs\":[{}]}}", urls.join(","));
        let request = Call {
            method: Method::Post,
            headers: Vec::from([("Content-Type".into(), "application/json".into())]),
            body: Bytes::from(body),
            ..Call::get(place(&self.endpoint), Role::Client, TIMEOUT)
        };
        self.call = fx.call();
        fx.out.push(Output::Http { call: self.call, request });
        self.step = Step::Adding(members);
        Ok(Enrolled::Waiting(self))
    }

    /// The member has said what became of the addition. If it did not, it may yet come about.
    fn added(
        mut self: Box<Self>,
        members: &[Listed],
        result: Result<Answer, String>,
        fx: &mut Effects<'_>,
    ) -> Result<Enrolled, Refusal> {
        let cause = match result {
            Ok(answer) if answer.status == 201 => return self.list(members),
            Ok(answer) if (400..500).contains(&answer.status) && answer.status != 408 => {
                return Err(self.refused(&answer));
            }
            Ok(answer) if answer.header("x-quorate-cause").is_some() => {
                return Err(self.refused(&answer));
            }
            Ok(answer) => format!("it answered with {}", answer.outline()),
            Err(cause) => cause,
        };
        if self.tries >= TRIES {
            return self.ask_another(&cause, fx);
        }
        self.call = ask(&self.endpoint, fx);
        Ok(Enrolled::Waiting(self))
    }

    /// All members, and this one. Only its own name counts: the others may share one, or have none.
    fn list(&self, members: &[Listed]) -> Result<Enrolled, Refusal> {
        let others = members.iter().filter(|member| !self.is_at(member));
        let others = others
            .flat_map(|member| member.peer_urls.iter().map(|url| format!("{}={url}", member.id)));
        let own = self.urls.iter().map(|url| format!("{}={url}", self.name));
        let pairs: Vec<String> = others.chain(own).collect();
        InitialCluster::parse(&pairs.join(",")).map(Enrolled::Added)
    }

    fn is_at(&self, member: &Listed) -> bool {
        let is_there = |url: &Url| member.peer_urls.iter().any(|other| other == url.as_str());
        member.peer_urls.len() == self.urls.len() && self.urls.iter().all(is_there)
    }

    fn is_started(&self, own: &Listed) -> Refusal {
        let Listed { id, name, peer_urls } = own;
        Refusal::new(format!("member {id} has already been bootstrapped"))
            .hint(format!("{} lists it as {name} at {}", self.endpoint, peer_urls.join(",")))
            .hint("if its data is elsewhere, start it with that -data-dir")
            .hint(format!(
                "if its data is lost, say -replace, or remove the member first: DELETE \
                 /v2/members/{id}"
            ))
    }

    fn refused(&self, answer: &Answer) -> Refusal {
        self.declined("add this member", answer)
    }

    /// The cluster does not do what it was asked to.
    fn declined(&self, what: &str, answer: &Answer) -> Refusal {
        let cause = match answer.header("x-quorate-cause") {
            Some(cause) => cause.into(),
            None => answer.outline(),
        };
        let refusal = Refusal::new(format!("{} does not {what}: {cause}", self.endpoint));
        match answer.status {
            401 | 403 => refusal.hint(
                "only root may change the members: do that as root, then start this one with \
                 -initial-cluster-state existing",
            ),
            409 => refusal.hint(format!(
                "one of {} is in the list of a member already; /v2/members shows whose",
                self.urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )),
            _ => refusal.hint("nothing was changed; correct that and start this member again"),
        }
    }
}

#[cfg(test)]
mod tests;
