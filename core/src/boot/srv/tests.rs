use alloc::collections::BTreeMap;
use alloc::string::ToString as _;

use proptest::prelude::*;

use super::*;
use crate::config::State;
use crate::disk::Script;
use crate::dns::{Failure, Query, Records, Service};
use crate::node::Output;
use crate::url::Scheme;

const SSL: &str = "_etcd-server-ssl._tcp.example.com";
const PLAIN: &str = "_etcd-server._tcp.example.com";

/// What a resolver knows. What is not there does not exist.
#[derive(Clone, Debug, Default)]
struct Zone(BTreeMap<Query, Answer>);

impl Zone {
    /// The guide's records.
    fn guide() -> Self {
        let hosts = ["infra0", "infra1", "infra2"].map(|host| format!("{host}.example.com"));
        let mut zone =
            Self::default().services(PLAIN, &hosts.each_ref().map(|h| (h.as_str(), 2380)));
        for (host, ip) in hosts.iter().zip(["10.0.1.10", "10.0.1.11", "10.0.1.12"]) {
            zone = zone.host(host, &[ip]);
        }
        zone
    }

    fn services(mut self, name: &str, places: &[(&str, u16)]) -> Self {
        let records = places.iter().map(|(target, port)| Service {
            target: target.to_string(),
            port: *port,
            priority: 0,
            weight: 0,
        });
        let records = Records::Services(records.collect());
        self.0.insert(Query::Services(name.into()), Ok(records));
        self
    }

    fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        self.0.insert(Query::Addresses(name.into()), Ok(Records::Addresses(addresses)));
        self
    }

    fn fails(mut self, query: Query) -> Self {
        self.0.insert(query, Err(Failure::Failed("timed out".into())));
        self
    }

    fn without(mut self, host: &str) -> Self {
        self.0.remove(&Query::Addresses(host.into()));
        self
    }

    fn answer(&self, query: &Query) -> Answer {
        self.0.get(query).cloned().unwrap_or(Err(Failure::Absent))
    }
}

/// A member that looks for the list.
struct Member {
    srv: Option<Srv>,
    now: Instant,
    script: Script,
    calls: u64,
    asked: Vec<Query>,
    notes: Vec<Vec<String>>,
}

impl Member {
    fn new(name: &str, urls: &str) -> (Self, Vec<Output>) {
        let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
        let asked = Asked {
            domain: "example.com.".into(),
            state: State::New,
            patience: Duration::from_secs(60),
        };
        let now = Instant::from_nanos(1);
        let mut fx = Effects::new(&mut script, &mut calls, &mut out);
        let srv = Srv::begin(name, asked, Url::parse_list(urls).unwrap(), now, &mut fx);
        let (asked, notes) = (Vec::new(), Vec::new());
        (Self { srv: Some(srv), now, script, calls, asked, notes }, out)
    }

    /// Answers what is asked, until there is a pause or an end.
    fn hear(&mut self, zone: &Zone, mut out: Vec<Output>) -> Option<Result<Listed, Refusal>> {
        while let Some(output) = out.pop() {
            let (call, query) = match output {
                Output::Dns { call, query } => (call, query),
                Output::Note(Note::WaitingForRecords { missing, .. }) => {
                    self.notes.push(missing);
                    continue;
                }
                other => panic!("{other:?}"),
            };
            let answer = zone.answer(&query);
            self.asked.push(query);
            let mut fx = Effects::new(&mut self.script, &mut self.calls, &mut out);
            match self.srv.take().unwrap().looked_up(self.now, call, answer, &mut fx) {
                Ok(Search::Waiting(srv)) => self.srv = Some(*srv),
                Ok(Search::Listed(listed)) => return Some(Ok(listed)),
                Err(refusal) => return Some(Err(refusal)),
            }
        }
        None
    }

    /// Lets the pause pass.
    fn again(&mut self, zone: &Zone) -> Option<Result<Listed, Refusal>> {
        let srv = self.srv.as_mut().unwrap();
        self.now = srv.deadline().expect("it pauses");
        let mut out = Vec::new();
        srv.wake(self.now, &mut Effects::new(&mut self.script, &mut self.calls, &mut out));
        self.hear(zone, out)
    }
}

/// What a member makes of a zone in its first round: the list, a refusal, or the table.
fn first(zone: &Zone, urls: &str) -> Result<Result<Listed, Refusal>, Vec<String>> {
    let (mut member, out) = Member::new("infra0", urls);
    let ended = member.hear(zone, out);
    ended.ok_or_else(|| member.notes.pop().expect("it says what it waits for"))
}

fn listed(zone: &Zone, urls: &str) -> (String, String) {
    let Listed { list, own, .. } = first(zone, urls).expect("no wait").expect("a list");
    (list.to_string(), own)
}

fn table(zone: &Zone, urls: &str) -> Vec<String> {
    first(zone, urls).expect_err("something is missing")
}

#[test]
fn names_and_addresses_lead_to_the_same_list() {
    let zone = Zone::guide();
    let list = "infra0.example.com:2380=http://infra0.example.com:2380,\
                infra1.example.com:2380=http://infra1.example.com:2380,\
                infra2.example.com:2380=http://infra2.example.com:2380";
    for url in ["http://infra0.example.com:2380", "http://10.0.1.10:2380"] {
        assert_eq!(listed(&zone, url), (list.into(), "infra0.example.com:2380".into()));
    }
    assert_eq!(listed(&zone, "http://10.0.1.12:2380").1, "infra2.example.com:2380");
}

#[test]
fn records_for_tls_count_alone() {
    let both =
        Zone::guide().services(SSL, &[("infra0.example.com", 2380), ("infra1.example.com", 2390)]);
    let (list, _) = listed(&both, "https://10.0.1.10:2380");
    assert_eq!(
        list,
        "infra0.example.com:2380=https://infra0.example.com:2380,\
         infra1.example.com:2390=https://infra1.example.com:2390"
    );
    let refusal = first(&both, "http://10.0.1.10:2380").unwrap().unwrap_err();
    assert!(refusal.message.contains("has different advertised URLs"), "{refusal:?}");
    assert!(refusal.hints[0].contains("but the record is for https"), "{refusal:?}");
    let refusal = first(&Zone::guide(), "https://10.0.1.10:2380").unwrap().unwrap_err();
    assert!(refusal.hints.iter().any(|hint| hint.contains("are for http")), "{refusal:?}");
}

#[test]
fn a_question_without_an_answer_leads_nowhere() {
    let zone = Zone::guide().fails(Query::Services(SSL.into()));
    let (mut member, out) = Member::new("infra0", "http://10.0.1.10:2380");
    assert!(member.hear(&zone, out).is_none());
    assert_eq!(member.asked, [Query::Services(SSL.into())], "no fall to http");
    assert_eq!(member.notes, [[format!("{SSL}: not answered: timed out")]]);
}

#[test]
fn a_service_that_is_said_not_to_be_there_is_absent() {
    let zone = Zone::guide().services(SSL, &[("", 0)]);
    assert!(listed(&zone, "http://10.0.1.10:2380").0.contains("=http://"));
    let none = table(&Zone::default(), "http://10.0.1.10:2380");
    assert_eq!(none, [format!("{SSL}: no SRV record"), format!("{PLAIN}: no SRV record")]);
}

#[test]
fn a_target_that_does_not_resolve_is_waited_for_and_never_skipped() {
    let partial = Zone::guide().without("infra2.example.com");
    let (mut member, out) = Member::new("infra0", "http://10.0.1.10:2380");
    assert!(member.hear(&partial, out).is_none());
    for _ in 0..3 {
        assert!(member.again(&partial).is_none());
    }
    let line = "infra2.example.com:2380 → not resolved: no such name";
    assert_eq!(member.notes.len(), 1, "the same is said once");
    assert_eq!(member.notes[0][2], line);
    let listed = member.again(&Zone::guide()).unwrap().unwrap();
    assert_eq!(listed.list.len(), 3);
}

#[test]
fn the_table_says_of_each_record_why_it_is_not_this_member() {
    let zone = Zone::guide().host("infra0", &["10.0.1.99"]);
    assert_eq!(
        table(&zone, "http://infra0:2380")[0],
        "infra0.example.com:2380 → 10.0.1.10: not this member, which is at http://infra0:2380 \
         (10.0.1.99)"
    );
    let port = table(&zone, "http://10.0.1.10:2381");
    assert_eq!(
        port[0],
        "infra0.example.com:2380 → 10.0.1.10: not this member: the host of \
         http://10.0.1.10:2381, at another port"
    );
    let two = table(&zone, "http://10.0.1.10:2380,http://10.0.1.10:2381");
    assert_eq!(
        two[0],
        "infra0.example.com:2380 → 10.0.1.10: this member, but no record is for \
         http://10.0.1.10:2381"
    );
    let unknown = table(&zone, "http://nohost:2380");
    assert_eq!(
        unknown[3],
        "http://nohost:2380 in -initial-advertise-peer-urls → not resolved: no such name"
    );
}

#[test]
fn a_host_may_have_several_addresses_and_families() {
    let zone = Zone::guide().host("infra0.example.com", &["10.0.1.10", "::ffff:10.0.9.9", "::1"]);
    for url in ["http://10.0.9.9:2380", "http://[::1]:2380", "http://[0:0::1]:2380"] {
        assert_eq!(listed(&zone, url).1, "infra0.example.com:2380");
    }
}

#[test]
fn two_records_that_are_this_member_are_refused() {
    let zone = Zone::guide().host("infra1.example.com", &["10.0.1.10"]);
    let refusal = first(&zone, "http://10.0.1.10:2380").unwrap().unwrap_err();
    assert!(refusal.message.contains("several SRV records are infra0"), "{refusal:?}");
}

#[test]
fn records_are_waited_for_only_so_long() {
    let (mut member, out) = Member::new("infra0", "http://10.0.1.10:2380");
    let mut ended = member.hear(&Zone::default(), out);
    let mut rounds = 1;
    while ended.is_none() {
        ended = member.again(&Zone::default());
        rounds += 1;
        assert!(rounds < 100, "it never ends");
    }
    assert_eq!(member.now.since(Instant::from_nanos(1)), Duration::from_secs(60));
    let refusal = ended.unwrap().unwrap_err();
    assert!(refusal.message.contains("no list of members in DNS under example.com."));
    assert_eq!(refusal.hints[1], format!("{PLAIN}: no SRV record"));
}

/// A renewal whose every question is answered at once; gives the list it comes to.
fn renewed(
    renewal: &mut Renewal,
    now: Instant,
    zone: &Zone,
    differences: &[String],
) -> Result<Option<Listed>, Refusal> {
    let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
    let list = InitialCluster::parse("infra0=http://10.0.1.10:2380").unwrap();
    let mut fx = Effects::new(&mut script, &mut calls, &mut out);
    renewal.wake(now, &list, differences, &mut fx)?;
    while let Some(output) = out.pop() {
        let Output::Dns { call, query } = output else { continue };
        let mut fx = Effects::new(&mut script, &mut calls, &mut out);
        if let Some(listed) = renewal.looked_up(now, call, zone.answer(&query), &mut fx) {
            return Ok(Some(listed));
        }
    }
    Ok(None)
}

#[test]
fn a_list_is_looked_for_again_only_while_others_differ_and_not_for_ever() {
    let asked = Asked {
        domain: "example.com".into(),
        state: State::New,
        patience: Duration::from_secs(60),
    };
    let urls = Url::parse_list("http://10.0.1.10:2380").unwrap();
    let mut renewal = Renewal::new(&asked, "infra0", &urls);
    let at = |seconds| Instant::from_nanos(1) + Duration::from_secs(seconds);
    let differs = ["infra1: it has another list".to_string()];
    let mut ask = |seconds, differences: &[String]| {
        renewed(&mut renewal, at(seconds), &Zone::guide(), differences)
    };
    assert_eq!(ask(0, &[]), Ok(None));
    let listed = ask(10, &differs).unwrap().expect("DNS has a list");
    assert_eq!(listed.list.len(), 3);
    assert_eq!(ask(11, &differs), Ok(None), "there is a pause");
    assert_eq!(ask(20, &[]), Ok(None));
    assert_eq!(renewal.deadline(), None, "there is nothing to do");
    let mut ask = |seconds, differences: &[String]| {
        renewed(&mut renewal, at(seconds), &Zone::guide(), differences)
    };
    assert!(ask(69, &differs).unwrap().is_some());
    let refusal = ask(70, &differs).unwrap_err();
    assert!(refusal.message.contains("members have different lists from DNS"), "{refusal:?}");
    assert_eq!(refusal.hints[0], "infra0, here, has infra0=http://10.0.1.10:2380");
    assert_eq!(refusal.hints[1], differs[0]);

    let mut renewal = Renewal::new(&asked, "infra0", &urls);
    let mut ask = |seconds, differences: &[String]| {
        renewed(&mut renewal, at(seconds), &Zone::guide(), differences)
    };
    assert!(ask(10, &differs).unwrap().is_some());
    assert_eq!(ask(70, &[]), Ok(None), "that is over");
    assert!(ask(80, &differs).is_ok());
}

proptest! {
    /// Whatever the resolvers of the members leave out or get wrong, who gets to a list has every
    /// record that its own resolver has, and members that see the same records get the same list.
    #[test]
    fn no_record_is_left_out_and_all_agree(
        ports in proptest::collection::btree_set(2000_u16..2010, 1..6),
        resolves in proptest::collection::vec(any::<bool>(), 6),
        ssl in any::<bool>(),
    ) {
        let places: Vec<(String, u16)> =
            ports.iter().map(|port| (format!("h{port}.e"), *port)).collect();
        let borrowed: Vec<(&str, u16)> =
            places.iter().map(|(host, port)| (host.as_str(), *port)).collect();
        let mut zone = Zone::default().services(if ssl { SSL } else { PLAIN }, &borrowed);
        for ((host, port), resolves) in places.iter().zip(&resolves) {
            if *resolves {
                zone = zone.host(host, &[&format!("10.0.{}.{}", port / 256, port % 256)]);
            }
        }
        let whole = resolves.iter().take(places.len()).all(|resolves| *resolves);
        let scheme = if ssl { Scheme::Https } else { Scheme::Http };
        let mut lists = Vec::new();
        for (host, port) in &places {
            let by_name = format!("{}://{host}:{port}", scheme.as_str());
            let ip = format!("10.0.{}.{}", port / 256, port % 256);
            let by_address = format!("{}://{ip}:{port}", scheme.as_str());
            for url in [by_name, by_address] {
                match first(&zone, &url) {
                    Ok(Ok(listed)) => {
                        prop_assert!(whole);
                        prop_assert_eq!(&listed.own, &format!("{host}:{port}"));
                        lists.push(listed.list);
                    }
                    Ok(Err(refusal)) => prop_assert!(false, "{:?}", refusal),
                    Err(table) => {
                        prop_assert!(!whole);
                        prop_assert!(table.len() >= places.len());
                    }
                }
            }
        }
        lists.dedup();
        let expected = usize::from(whole);
        prop_assert_eq!(lists.len(), expected);
        if let Some(list) = lists.first() {
            prop_assert_eq!(list.len(), places.len());
        }
    }
}
