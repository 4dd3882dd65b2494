//! The domain name system as each host sees it through its own resolver.
//!
//! There is one truth, the zone; what goes wrong goes wrong at single resolvers, for a while. So
//! records appear late, differ between hosts, change to and fro, or cannot be had.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use quorate_core::dns::{Answer, Failure, Query, Records, Service};
use serde::{Deserialize, Serialize};

/// What is wrong with a resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No name is there yet.
    Absent,
    /// The servers fail.
    Server,
    /// Nobody answers.
    Silent,
    /// All answers are of another zone: wrong addresses, other targets.
    Other,
    /// Every second answer is of another zone, the first one among them.
    Flips,
    /// One record of each service is missing, which one differs from host to host. On a host that
    /// has no record of its own nothing is missing.
    Partial,
    /// The records of services have wrong ports.
    Ports,
    /// There are records for TLS beside those without, or the other way round.
    Tls,
    /// This host has no address.
    Unresolved {
        /// The host.
        target: usize,
    },
}

/// The domain in which the members of the cluster have their records.
pub const DOMAIN: &str = "cluster";
const PLAIN: &str = "_etcd-server._tcp.cluster";
const TLS: &str = "_etcd-server-ssl._tcp.cluster";

/// The zone, and the resolvers of all hosts.
#[derive(Debug, Default)]
pub struct Dns {
    zone: BTreeMap<Query, Records>,
    resolvers: BTreeMap<usize, Resolver>,
}

#[derive(Debug, Default)]
struct Resolver {
    trouble: Option<Trouble>,
    answers: u64,
}

impl Dns {
    /// A zone of so many hosts: `n0` at 10.0.0.0 and so on, and the service of their peers under
    /// `_etcd-server._tcp.cluster`, or `_etcd-server-ssl._tcp.cluster` where they speak TLS.
    pub fn new(members: usize, hosts: usize, tls: bool) -> Self {
        let mut dns = Self::default();
        let mut services = Vec::new();
        for host in 0..hosts {
            let name = format!("n{host}");
            if host < members {
                let target = name.clone();
                services.push(Service { priority: 0, weight: 0, port: 2380, target });
            }
            let number = u8::try_from(host).expect("few hosts");
            let mut addresses = vec![IpAddr::from([10, 0, 0, number])];
            // Some hosts have an address more, which only they themselves ask for.
            addresses.extend((host % 2 == 1).then(|| IpAddr::from([10, 1, 0, number])));
            dns.set(Query::Addresses(name.into()), Records::Addresses(addresses));
        }
        let service = if tls { TLS } else { PLAIN };
        dns.set(Query::Services(service.into()), Records::Services(services));
        dns
    }

    /// Puts records into the zone, in the place of those that were there.
    pub fn set(&mut self, query: Query, records: Records) {
        self.zone.insert(query, records);
    }

    /// The resolver of a host has this trouble from now on, or none.
    pub fn trouble(&mut self, host: usize, trouble: Option<Trouble>) {
        self.resolvers.entry(host).or_default().trouble = trouble;
    }

    /// Whether the resolver of a host lets whoever asks wait.
    pub fn is_silent(&self, host: usize) -> bool {
        let resolver = self.resolvers.get(&host);
        resolver.is_some_and(|resolver| resolver.trouble == Some(Trouble::Silent))
    }

    /// What the resolver of a host answers, and whether that is not the truth.
    pub fn answer(&mut self, host: usize, query: &Query) -> (Answer, bool) {
        let truth = self.zone.get(query).cloned().ok_or(Failure::Absent);
        let resolver = self.resolvers.entry(host).or_default();
        resolver.answers += 1;
        let answer = match resolver.trouble {
            None => truth.clone(),
            Some(Trouble::Absent) => Err(Failure::Absent),
            Some(Trouble::Server) => Err(Failure::Failed("server failure".to_owned())),
            Some(Trouble::Silent) => Err(Failure::Failed("timed out".to_owned())),
            Some(Trouble::Flips) if resolver.answers.is_multiple_of(2) => truth.clone(),
            Some(Trouble::Other | Trouble::Flips) => truth.clone().map(elsewhere),
            Some(Trouble::Partial) => truth.clone().map(|records| without_one(records, host)),
            Some(Trouble::Ports) => truth.clone().map(other_ports),
            Some(Trouble::Tls) if truth.is_err() => match other_service(query) {
                Some(other) => self.zone.get(&other).cloned().ok_or(Failure::Absent),
                None => truth.clone(),
            },
            Some(Trouble::Unresolved { target }) if is_of(query, target) => Err(Failure::Absent),
            Some(Trouble::Tls | Trouble::Unresolved { .. }) => truth.clone(),
        };
        let wrong = answer != truth;
        (answer, wrong)
    }
}

/// The same service with TLS, or without it.
fn other_service(query: &Query) -> Option<Query> {
    match query {
        Query::Services(name) if &**name == TLS => Some(Query::Services(PLAIN.into())),
        Query::Services(name) if &**name == PLAIN => Some(Query::Services(TLS.into())),
        _ => None,
    }
}

fn is_of(query: &Query, host: usize) -> bool {
    matches!(query, Query::Addresses(name) if **name == format!("n{host}"))
}

/// The same servers but one, which differs from host to host, so that no two hosts agree about
/// who is missing: they would be right to form a smaller cluster. There are as many ways to be wrong
/// as there are servers, and so none is left for other hosts.
fn without_one(records: Records, host: usize) -> Records {
    match records {
        Records::Services(mut services) => {
            if host < services.len() {
                services.remove((host + 1) % services.len());
            }
            Records::Services(services)
        }
        addresses => addresses,
    }
}

fn other_ports(records: Records) -> Records {
    match records {
        Records::Services(services) => {
            let other = |service: Service| Service { port: service.port + 1, ..service };
            Records::Services(services.into_iter().map(other).collect())
        }
        addresses => addresses,
    }
}

/// The same records in another zone.
fn elsewhere(records: Records) -> Records {
    match records {
        Records::Addresses(addresses) => {
            let other = |address: IpAddr| match address {
                IpAddr::V4(v4) => {
                    Ipv4Addr::from_bits((v4.to_bits() & 0xff00_00ff) | 0x0009_0900).into()
                }
                v6 => v6,
            };
            Records::Addresses(addresses.into_iter().map(other).collect())
        }
        Records::Services(services) => {
            let other = |service: Service| Service {
                target: format!("{}.elsewhere", service.target),
                ..service
            };
            Records::Services(services.into_iter().map(other).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dns, Failure, Query, Records, Trouble};

    fn addresses(dns: &mut Dns, host: usize) -> Result<Vec<String>, Failure> {
        match dns.answer(host, &Query::Addresses("n1".into())).0? {
            Records::Addresses(addresses) => {
                Ok(addresses.iter().map(ToString::to_string).collect())
            }
            other => panic!("asked for addresses, got {other:?}"),
        }
    }

    #[test]
    fn without_trouble_everybody_sees_the_zone() {
        let mut dns = Dns::new(3, 3, false);
        for host in 0..3 {
            assert_eq!(
                addresses(&mut dns, host),
                Ok(vec!["10.0.0.1".to_owned(), "10.1.0.1".to_owned()])
            );
        }
        let unknown = Query::Addresses("n3".into());
        assert_eq!(dns.answer(0, &unknown), (Err(Failure::Absent), false));
    }

    #[test]
    fn trouble_is_one_resolvers_and_ends() {
        let mut dns = Dns::new(3, 3, false);
        let troubles = [
            (Trouble::Absent, Failure::Absent),
            (Trouble::Server, Failure::Failed("server failure".into())),
            (Trouble::Silent, Failure::Failed("timed out".into())),
        ];
        for (trouble, failure) in troubles {
            dns.trouble(0, Some(trouble));
            assert_eq!(addresses(&mut dns, 0), Err(failure));
            assert!(addresses(&mut dns, 1).is_ok());
            dns.trouble(0, None);
            assert!(addresses(&mut dns, 0).is_ok());
        }
    }

    #[test]
    fn answers_of_another_zone_come_always_or_every_second_time() {
        let mut dns = Dns::new(3, 3, false);
        let all = |texts: [&str; 2]| Ok(texts.map(str::to_owned).to_vec());
        let (right, wrong) = (all(["10.0.0.1", "10.1.0.1"]), all(["10.9.9.1", "10.9.9.1"]));
        dns.trouble(0, Some(Trouble::Other));
        assert_eq!(
            [addresses(&mut dns, 0), addresses(&mut dns, 0)],
            [wrong.clone(), wrong.clone()]
        );
        dns.trouble(0, Some(Trouble::Flips));
        assert_eq!([addresses(&mut dns, 0), addresses(&mut dns, 0)], [wrong, right]);
    }

    #[test]
    fn the_service_has_a_record_for_each_host() {
        let mut dns = Dns::new(2, 3, false);
        let query = Query::Services("_etcd-server._tcp.cluster".into());
        let targets = |dns: &mut Dns| match dns.answer(0, &query) {
            (Ok(Records::Services(services)), wrong) => {
                let each = services.into_iter().map(|s| format!("{}:{}", s.target, s.port));
                (each.collect::<Vec<_>>().join(" "), wrong)
            }
            other => panic!("asked for services, got {other:?}"),
        };
        assert_eq!(targets(&mut dns), ("n0:2380 n1:2380".to_owned(), false));
        dns.trouble(0, Some(Trouble::Other));
        assert_eq!(targets(&mut dns), ("n0.elsewhere:2380 n1.elsewhere:2380".to_owned(), true));
        dns.set(query.clone(), Records::Services(Vec::new()));
        assert_eq!(targets(&mut dns), (String::new(), false));
    }

    #[test]
    fn no_two_hosts_agree_about_who_is_missing() {
        let mut dns = Dns::new(3, 5, false);
        let query = Query::Services("_etcd-server._tcp.cluster".into());
        let answers: Vec<_> = (0..5)
            .map(|host| {
                dns.trouble(host, Some(Trouble::Partial));
                dns.answer(host, &query)
            })
            .collect();
        for (host, (answer, wrong)) in answers.iter().enumerate() {
            let others = answers.iter().enumerate().filter(|(other, _)| *other != host);
            let agreed = others.filter(|(_, (other, _))| other == answer).count();
            assert_eq!((*wrong, agreed), (host < 3, usize::from(host >= 3)), "host {host}");
        }
    }
}
