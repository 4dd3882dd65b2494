//! One round of questions: the records, then their targets.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::dns::{Answer, Failure, Query, Records, Service};
use crate::node::{CallId, Effects, Output};
use crate::url::{Scheme, Url};

/// A round under way.
#[derive(Debug)]
pub(super) struct Round {
    domain: String,
    /// The names in the URLs of this member.
    own_hosts: BTreeSet<String>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The records for this scheme are asked for.
    Services(CallId, Scheme),
    /// Names are looked up.
    Hosts(BTreeMap<CallId, String>, Services),
}

/// What a round has seen.
#[derive(Debug)]
pub(super) enum Seen {
    /// No record; why.
    Nothing(Vec<String>),
    /// Records.
    Services(Services),
}

/// The records that count, and what names resolved to.
#[derive(Clone, Debug)]
pub(super) struct Services {
    /// Of all members.
    pub(super) scheme: Scheme,
    /// Hosts and ports, each once.
    pub(super) places: BTreeSet<(String, u16)>,
    /// What became of looking up a name, which stands here in lower case.
    pub(super) hosts: BTreeMap<String, Result<BTreeSet<IpAddr>, String>>,
}

impl Round {
    /// Asks for the records of TLS, which count alone if there are some.
    pub(super) fn begin(domain: &str, urls: &[Url], fx: &mut Effects<'_>) -> Self {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let named = urls.iter().filter(|url| url.ip().is_none() && !url.host().is_empty());
        let own_hosts = named.map(Url::canonical_host).collect();
        let call = ask(Query::Services(service(Scheme::Https, domain)), fx);
        Self { domain: domain.into(), own_hosts, step: Step::Services(call, Scheme::Https) }
    }

    /// A look-up has ended. Gives what was seen at the end of the round.
    pub(super) fn answered(
        &mut self,
        call: CallId,
        answer: Answer,
        fx: &mut Effects<'_>,
    ) -> Option<Seen> {
        match &mut self.step {
            Step::Services(asked, scheme) if *asked == call => {
                let scheme = *scheme;
                self.services(scheme, answer, fx)
            }
            Step::Hosts(waiting, services) => {
                let host = waiting.remove(&call)?;
                services.hosts.insert(host, addresses(answer));
                waiting.is_empty().then(|| Seen::Services(services.clone()))
            }
            Step::Services(..) => None,
        }
    }

    fn services(&mut self, scheme: Scheme, answer: Answer, fx: &mut Effects<'_>) -> Option<Seen> {
        let failure = match answer {
            Ok(Records::Services(records)) => match places(records) {
                places if places.is_empty() => Failure::Absent,
                places => return self.hosts(scheme, places, fx),
            },
            Ok(Records::Addresses(_)) => Failure::Absent,
            Err(failure) => failure,
        };
        match (failure, scheme) {
            // Only an answer leads on to the other records: whoever cannot reach its resolver must
            // not do without TLS for it.
            (Failure::Absent, Scheme::Https) => {
                let call = ask(Query::Services(service(Scheme::Http, &self.domain)), fx);
                self.step = Step::Services(call, Scheme::Http);
                None
            }
            (Failure::Absent, Scheme::Http) => {
                let absent = |scheme| format!("{}: no SRV record", service(scheme, &self.domain));
                Some(Seen::Nothing([Scheme::Https, Scheme::Http].map(absent).into()))
            }
            (Failure::Failed(cause), scheme) => {
                let service = service(scheme, &self.domain);
                Some(Seen::Nothing(Vec::from([format!("{service}: not answered: {cause}")])))
            }
        }
    }

    fn hosts(
        &mut self,
        scheme: Scheme,
        places: BTreeSet<(String, u16)>,
        fx: &mut Effects<'_>,
    ) -> Option<Seen> {
        let mut hosts = self.own_hosts.clone();
        hosts.extend(places.iter().map(|(host, _)| host.to_ascii_lowercase()));
        let asked = hosts.into_iter().map(|host| {
            let query = Query::Addresses(host.as_str().into());
            (ask(query, fx), host)
        });
        let waiting = asked.collect();
        self.step = Step::Hosts(waiting, Services { scheme, places, hosts: BTreeMap::new() });
        None
    }
}

/// The name under which the records of a scheme stand.
fn service(scheme: Scheme, domain: &str) -> Arc<str> {
    let service = match scheme {
        Scheme::Https => "_etcd-server-ssl",
        Scheme::Http => "_etcd-server",
    };
    format!("{service}._tcp.{domain}").into()
}

fn ask(query: Query, fx: &mut Effects<'_>) -> CallId {
    let call = fx.call();
    fx.out.push(Output::Dns { call, query });
    call
}

fn places(records: Vec<Service>) -> BTreeSet<(String, u16)> {
    let there = records.into_iter().filter(|record| !record.target.is_empty());
    there.map(|record| (record.target, record.port)).collect()
}

fn addresses(answer: Answer) -> Result<BTreeSet<IpAddr>, String> {
    match answer {
        Ok(Records::Addresses(found)) => Ok(found.iter().map(IpAddr::to_canonical).collect()),
        Ok(Records::Services(_)) => Err("no address".into()),
        Err(failure) => Err(format!("{failure}")),
    }
}
