//! Adding this member to a cluster that runs (`quorate join`).
//!
//! To join takes two steps that have to fit: the cluster is told of the member, and the member is
//! started with the list of all. Here both are done from the client URL of any one member. Nothing
//! was touched in the data directory before the cluster knows the member; and where an answer was
//! lost, or this start was, the next one finds the member in the list and goes on from there.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Deserialize;

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
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The members are asked for.
    Asking,
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

/// A member as `/v2/members` has it.
#[derive(Clone, Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "peerURLs", default)]
    peer_urls: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    members: Vec<Listed>,
}

impl Enroll {
    /// Asks the first of `endpoints` for its members. This one is called `name`, and the others are to
    /// find it at `urls`.
    ///
    /// # Errors
    /// There are no endpoints.
    pub(super) fn begin(
        name: &str,
        urls: Vec<Url>,
        endpoints: Vec<Url>,
        fx: &mut Effects<'_>,
    ) -> Result<Box<Self>, Refusal> {
        let mut others = VecDeque::from(endpoints);
        let endpoint = others.pop_front().ok_or_else(|| unreachable(&[]))?;
        let call = ask(&endpoint, fx);
        let (failed, tries, step) = (Vec::new(), 0, Step::Asking);
        let name = name.into();
        Ok(Box::new(Self { name, urls, endpoint, others, failed, tries, call, step }))
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
            .hint(format!("if its data is lost, remove the member first: DELETE /v2/members/{id}"))
    }

    fn refused(&self, answer: &Answer) -> Refusal {
        let cause = match answer.header("x-quorate-cause") {
            Some(cause) => cause.into(),
            None => answer.outline(),
        };
        let refusal = Refusal::new(format!("{} does not add this member: {cause}", self.endpoint));
        match answer.status {
            401 | 403 => refusal.hint(
                "only root may change the members: add this one as root, then start it with \
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

fn place(endpoint: &Url) -> String {
    format!("{endpoint}/v2/members")
}

fn ask(endpoint: &Url, fx: &mut Effects<'_>) -> CallId {
    let call = fx.call();
    let request = Call::get(place(endpoint), Role::Client, TIMEOUT);
    fx.out.push(Output::Http { call, request });
    call
}

fn read(answer: &Answer) -> Result<Vec<Listed>, String> {
    if answer.status != 200 {
        return Err(format!("it answered with {}", answer.outline()));
    }
    let body: Body = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("its answer is no list of members: {error}"))?;
    if body.members.is_empty() {
        return Err("it has no members yet".into());
    }
    Ok(body.members)
}

fn unreachable(failed: &[String]) -> Refusal {
    let refusal = Refusal::new("no member of the cluster to join could be asked");
    let refusal = failed.iter().fold(refusal, |refusal, cause| refusal.hint(cause.clone()));
    refusal.hint("-endpoints takes client URLs of members that run: http://10.0.1.10:2379")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Script;

    const MEMBERS: &str = r#"{"members":[{"id":"a","name":"infra0","peerURLs":["http://h0:2380"],
        "clientURLs":["http://h0:2379"]}]}"#;

    /// What is asked and answered, in turn.
    struct Talk {
        enroll: Box<Enroll>,
        out: Vec<Output>,
        calls: u64,
    }

    impl Talk {
        fn new(endpoints: &str) -> Self {
            let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
            let mut fx = Effects::new(&mut script, &mut calls, &mut out);
            let urls = Url::parse_list("http://h1:2380").unwrap();
            let endpoints = Url::parse_list(endpoints).unwrap();
            let enroll = Enroll::begin("infra1", urls, endpoints, &mut fx).unwrap();
            Self { enroll, out, calls }
        }

        /// The last question, in short.
        fn asked(&mut self) -> String {
            let Some(Output::Http { request, .. }) = self.out.pop() else { panic!("no question") };
            format!("{} {}", request.method.name(), request.url)
        }

        fn answer(mut self, status: u16, body: &str) -> Result<Result<Self, String>, Refusal> {
            let (headers, body) = (Vec::new(), Bytes::copy_from_slice(body.as_bytes()));
            let (mut script, call) = (Script::default(), self.enroll.call);
            let mut fx = Effects::new(&mut script, &mut self.calls, &mut self.out);
            let answer = if status == 0 {
                Err("nobody listens".into())
            } else {
                Ok(Answer { status, headers, body })
            };
            match self.enroll.answered(call, answer, &mut fx)? {
                Enrolled::Waiting(enroll) => Ok(Ok(Self { enroll, ..self })),
                Enrolled::Added(list) => Ok(Err(format!("{list}"))),
            }
        }
    }

    fn waits(outcome: Result<Result<Talk, String>, Refusal>) -> Talk {
        outcome.unwrap().unwrap_or_else(|list| panic!("it is over: {list}"))
    }

    #[test]
    fn any_member_adds_it() {
        let mut talk = Talk::new("http://h0:2379,http://h9:2379");
        assert_eq!(talk.asked(), "GET http://h0:2379/v2/members");
        let mut talk = waits(talk.answer(0, ""));
        assert_eq!(talk.asked(), "GET http://h9:2379/v2/members");
        let mut talk = waits(talk.answer(200, MEMBERS));
        assert_eq!(talk.asked(), "POST http://h9:2379/v2/members");
        let list = talk.answer(201, "{}").unwrap().err();
        assert_eq!(list.as_deref(), Some("a=http://h0:2380,infra1=http://h1:2380"));
    }

    #[test]
    fn an_answer_that_was_lost_is_looked_up() {
        let talk = waits(Talk::new("http://h0:2379").answer(200, MEMBERS));
        let mut talk = waits(talk.answer(0, ""));
        assert_eq!(talk.asked(), "GET http://h0:2379/v2/members");
        let now =
            MEMBERS.replace("]}]}", r#"]},{"id":"b","name":"","peerURLs":["http://h1:2380"]}]}"#);
        let list = talk.answer(200, &now).unwrap().err();
        assert_eq!(list.as_deref(), Some("a=http://h0:2380,infra1=http://h1:2380"));
    }

    #[test]
    fn every_refusal_says_why() {
        let refused = |outcome: Result<Result<Talk, String>, Refusal>| {
            let refusal = outcome.err().unwrap_or_else(|| panic!("it is not refused"));
            assert!(!refusal.hints.is_empty(), "{refusal:?}");
            refusal.message
        };
        let begun = || Talk::new("http://h0:2379");
        assert!(refused(begun().answer(0, "")).contains("could be asked"));
        assert!(refused(begun().answer(200, "nonsense")).contains("could be asked"));
        let taken = MEMBERS.replace("infra0", "infra1");
        assert_eq!(refused(begun().answer(200, &taken)), "the name infra1 is taken");
        let own = MEMBERS.replace("h0:2380", "h1:2380");
        let own = refused(begun().answer(200, &own));
        assert_eq!(own, "member a has already been bootstrapped");
        let asked = || waits(begun().answer(200, MEMBERS));
        assert!(refused(asked().answer(409, "peerURL exists")).contains("peerURL exists"));
        assert!(refused(asked().answer(401, "Insufficient credentials")).contains("credentials"));
    }

    #[test]
    fn nobody_is_asked_for_ever() {
        let mut talk = waits(Talk::new("http://h0:2379").answer(200, MEMBERS));
        for _ in 1..TRIES {
            talk = waits(waits(talk.answer(500, "no leader")).answer(200, MEMBERS));
        }
        let refusal = talk.answer(500, "no leader").err().unwrap();
        assert!(refusal.hints[0].contains("no leader"), "{refusal:?}");
    }
}
