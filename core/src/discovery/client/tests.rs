//! The client against a service in memory that fails as services do.

mod service;

use std::collections::BTreeSet;

use alloc::borrow::ToOwned as _;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::disk::double::Dice;
use crate::rng::{Rng, Stream};
use crate::url::Url;
use service::{Fate, Service};

const TOKEN: &str = "http://h/v2/keys/t";

fn token() -> Token {
    Token::parse(TOKEN).unwrap()
}

fn looker(seed: u64) -> Client {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Client::new(token(), None, "dir".to_owned(), Rng::new(bytes, Stream::Boot), Instant::default())
}

fn member(own: &str, recorded: Option<Registration>) -> Client {
    looker(1).member(&InitialCluster::parse(own).unwrap(), recorded).unwrap()
}

/// What its next call asks for: method, what follows the token in the URL, and the body.
fn asks(client: &mut Client) -> (Method, String, String) {
    let now = client.deadline().expect("it has something to ask");
    let (_, call) = client.ask(now, || CallId(1)).expect("it is due");
    let body = String::from_utf8(call.body.to_vec()).unwrap();
    (call.method, call.url.strip_prefix(TOKEN).unwrap().to_owned(), body)
}

fn asks_get(client: &mut Client, rest: &str) {
    assert_eq!(asks(client), (Method::Get, rest.to_owned(), String::new()));
}

fn hears(client: &mut Client, status: u16, body: &str) -> Verdict {
    let headers = vec![("x-etcd-index".to_owned(), "7".to_owned())];
    let answer = Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) };
    client.answered(Instant::default(), CallId(1), Ok(answer))
}

const SIZE: &str = r#"{"action":"get","node":{"key":"/t/_config/size","value":"2"}}"#;
const NOBODY: &str = r#"{"action":"get","node":{"key":"/t","dir":true}}"#;
const MISSING: &str = r#"{"errorCode":100,"message":"Key not found","cause":"/t","index":7}"#;
const EXISTS: &str = r#"{"errorCode":105,"message":"Key already exists","cause":"/t/x","index":7}"#;
const CLEARED: &str = r#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"","index":7}"#;

fn directory(entries: &[(&str, &str)]) -> String {
    let nodes: Vec<String> = entries
        .iter()
        .zip(1..)
        .map(|((key, value), at)| {
            format!(r#"{{"key":"/t/{key}","value":"{value}","createdIndex":{at}}}"#)
        })
        .collect();
    format!(r#"{{"action":"get","node":{{"key":"/t","dir":true,"nodes":[{}]}}}}"#, nodes.join(","))
}

/// The ID of a member at http://a:1 under the token.
fn key_of_a() -> String {
    Registration::new(&token(), &InitialCluster::parse("a=http://a:1").unwrap()).key
}

/// Brings a member to where it is about to be registered.
fn about_to_register() -> Client {
    let mut client = member("a=http://a:1", None);
    asks_get(&mut client, "/_config/size?quorum=true");
    assert_eq!(hears(&mut client, 200, SIZE), Verdict::Wait);
    asks_get(&mut client, "?quorum=true&recursive=false&sorted=true");
    assert_eq!(hears(&mut client, 200, NOBODY), Verdict::Register);
    assert_eq!(client.deadline(), None, "nothing is asked before the record is there");
    assert_eq!(client.to_record().map(|r| r.value.as_str()), Some("a=http://a:1"));
    client.register(Instant::default());
    assert_eq!(client.to_record(), None);
    client
}

fn looks(client: &mut Client, listing: &str) -> Verdict {
    asks_get(client, "/_config/size?quorum=true");
    assert_eq!(hears(client, 200, SIZE), Verdict::Wait);
    asks_get(client, "?quorum=true&recursive=false&sorted=true");
    hears(client, 200, listing)
}

#[test]
fn the_requests_are_those_of_etcd() {
    let mut client = about_to_register();
    let key = key_of_a();
    let create =
        (Method::Put, format!("/{key}?prevExist=false"), "value=a%3Dhttp%3A%2F%2Fa%3A1".to_owned());
    assert_eq!(asks(&mut client), create);
    let created = format!(r#"{{"action":"create","node":{{"key":"/t/{key}","createdIndex":7}}}}"#);
    assert_eq!(hears(&mut client, 201, &created), Verdict::Wait);
    let one = directory(&[(&key, "a=http://a:1")]);
    assert_eq!(looks(&mut client, &one), Verdict::Wait);
    asks_get(&mut client, "?recursive=true&wait=true&waitIndex=8");
    assert_eq!(hears(&mut client, 200, &created), Verdict::Wait);
    let both = directory(&[(&key, "a=http://a:1"), ("1", "b=http://b:1")]);
    let list = InitialCluster::parse("a=http://a:1,b=http://b:1").unwrap();
    assert_eq!(looks(&mut client, &both), Verdict::Complete(list));
    assert_eq!(client.deadline(), None);
    let told = |registered: &[&str], missing| Note::Discovered {
        registered: registered.iter().map(ToString::to_string).collect(),
        missing,
    };
    let (a, b) = ("a=http://a:1", "b=http://b:1");
    assert_eq!(client.news(), [told(&[], 2), told(&[a], 1), told(&[a, b], 0)]);
}

#[test]
fn a_lost_answer_to_the_registration_is_no_conflict_but_a_first_conflict_is() {
    let one = directory(&[(&key_of_a(), "a=http://a:1")]);
    // Nothing was sent before this, so it was somebody else.
    let mut client = about_to_register();
    asks(&mut client);
    assert_eq!(hears(&mut client, 412, EXISTS), Verdict::Wait);
    let Verdict::Refuse(refusal) = looks(&mut client, &one) else { panic!("it is refused") };
    assert!(refusal.message.contains("has previously registered"), "{refusal:?}");
    assert!(client.record_is_wrong());
    // The answer to what was sent is not known.
    let mut client = about_to_register();
    asks(&mut client);
    let lost = client.answered(Instant::default(), CallId(1), Err("reset".to_owned()));
    assert_eq!(lost, Verdict::Wait);
    assert_eq!(asks(&mut client).0, Method::Put);
    assert_eq!(hears(&mut client, 412, EXISTS), Verdict::Wait);
    assert_eq!(looks(&mut client, &one), Verdict::Wait);
    asks_get(&mut client, "?recursive=true&wait=true&waitIndex=8");
    assert!(!client.record_is_wrong());
}

#[test]
fn a_member_that_is_started_again_goes_on_where_it_was() {
    let own = InitialCluster::parse("a=http://a:1").unwrap();
    let record = Registration::new(&token(), &own);
    let one = directory(&[(&key_of_a(), "a=http://a:1")]);
    let mut client = member("a=http://a:1", Some(record.clone()));
    assert_eq!(looks(&mut client, &one), Verdict::Register);
    assert_eq!(client.to_record(), None, "it is recorded");
    client.register(Instant::default());
    asks(&mut client);
    assert_eq!(hears(&mut client, 412, EXISTS), Verdict::Wait);
    assert_eq!(looks(&mut client, &one), Verdict::Wait);
    // Whatever is missing at the end of a life is there at once in the next.
    let both = directory(&[(&key_of_a(), "a=http://a:1"), ("1", "b=http://b:1")]);
    let mut client = member("a=http://a:1", Some(record));
    assert!(matches!(looks(&mut client, &both), Verdict::Complete(_)));
    // Without the record the place is somebody else's.
    let mut client = member("a=http://a:1", None);
    assert!(matches!(looks(&mut client, &one), Verdict::Refuse(_)));
}

#[test]
fn failures_are_answered_with_growing_pauses_and_told() {
    let mut client = looker(1);
    let mut now = Instant::default();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        now = client.deadline().unwrap();
        let call = client.ask(now, || CallId(1)).unwrap().0;
        assert_eq!(client.answered(now, call, Err("connection refused".to_owned())), Verdict::Wait);
        pauses.push(client.deadline().unwrap().since(now).as_millis());
        let [Note::DiscoveryFailed { service, cause, .. }] = &client.news()[..] else {
            panic!("it is told");
        };
        assert_eq!((service.as_str(), cause.as_str()), ("http://h", "connection refused"));
    }
    for (pause, low) in pauses.into_iter().zip([1, 2, 4, 8, 16, 32, 32, 32]) {
        assert!((low * 1000..=low * 1500).contains(&pause), "{pause} {low}");
    }
    // A look that has succeeded begins anew.
    let mut at = |client: &mut Client, result: Result<&str, &str>| {
        now = client.deadline().unwrap();
        let call = client.ask(now, || CallId(1)).unwrap().0;
        let answer = |body: &str| Answer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        client.answered(now, call, result.map(answer).map_err(str::to_owned));
        client.deadline().unwrap().since(now)
    };
    assert_eq!(at(&mut client, Ok(SIZE)), Duration::ZERO);
    assert_eq!(at(&mut client, Ok(NOBODY)), Duration::ZERO);
    assert!(at(&mut client, Err("closed")) >= PAUSE);
    assert!(at(&mut client, Err("closed")) < PAUSE * 2);
}

#[test]
fn what_will_never_succeed_is_final() {
    for (status, body, message) in [
        (
            404,
            MISSING,
            "the cluster doesn't have a size configuration value in http://h/v2/keys/t/_config",
        ),
        (404, "404 page not found\n", "discovery: bad discovery endpoint"),
        (200, "<html>", "discovery: bad discovery endpoint"),
        (
            403,
            "{}",
            "discovery: the service http://h refuses to be asked: it answered with status 403",
        ),
        (
            400,
            r#"{"errorCode":209,"message":"Invalid field"}"#,
            "discovery: the service does not do what it is asked: error 209: Invalid field ()",
        ),
    ] {
        let mut client = looker(1);
        asks(&mut client);
        let Verdict::Refuse(refusal) = hears(&mut client, status, body) else { panic!("{body}") };
        assert_eq!(refusal.message, message);
        assert!(!refusal.hints.is_empty());
        assert_eq!(client.deadline(), None);
    }
    for size in ["0", "-1", "abc", "", "3.5", " 3", "+3", "99999999999999999999999"] {
        let mut client = looker(1);
        asks(&mut client);
        let body = format!(r#"{{"node":{{"key":"/t/_config/size","value":"{size}"}}}}"#);
        let Verdict::Refuse(refusal) = hears(&mut client, 200, &body) else { panic!("{size}") };
        assert_eq!(refusal.message, "discovery: size key is bad");
    }
}

#[test]
fn once_it_was_a_service_strange_answers_pass() {
    let mut client = looker(1);
    assert_eq!(looks(&mut client, NOBODY), Verdict::Wait);
    asks(&mut client);
    assert_eq!(hears(&mut client, 200, "<html>"), Verdict::Wait);
    assert_eq!(looks(&mut client, NOBODY), Verdict::Wait);
    // A watch that comes too late looks anew, and a token that is gone by then is gone.
    asks(&mut client);
    assert_eq!(hears(&mut client, 400, CLEARED), Verdict::Wait);
    asks(&mut client);
    assert!(matches!(hears(&mut client, 404, MISSING), Verdict::Refuse(_)));
}

#[test]
fn redirections_are_followed_and_credentials_stay_at_home() {
    let token = Token::parse("http://u:p@h/t").unwrap();
    let rng = Rng::new([0; 32], Stream::Boot);
    let mut client = Client::new(token, None, String::new(), rng, Instant::default());
    let mut step = |to: Option<&str>| {
        let (call, request) = client.ask(Instant::default(), || CallId(1))?;
        let headers = to.map(|to| ("location".to_owned(), to.to_owned()));
        let answer =
            Answer { status: 307, headers: headers.into_iter().collect(), body: Bytes::new() };
        let _ = client.answered(Instant::default(), call, Ok(answer));
        Some((request.url, request.headers.len()))
    };
    for (to, url, headers) in [
        ("/x", "http://h/t/_config/size?quorum=true", 1),
        ("http://other/y", "http://h/x", 1),
        ("/z", "http://other/y", 0),
        ("http://h/t", "http://other/z", 0),
    ] {
        assert_eq!(step(Some(to)), Some((url.to_owned(), headers)));
    }
    let rounds = (0..20).map_while(|_| step(Some("/t"))).count();
    assert_eq!(rounds, 7, "ten redirections, and no more");
}

#[test]
fn names_that_others_would_take_apart_are_refused() {
    for name in ["a,b", "a=b"] {
        let own = InitialCluster::alone(name, &[Url::parse("http://a:1").unwrap()]);
        assert!(looker(1).member(&own, None).is_err(), "{name}");
    }
}

proptest! {
    /// Members join while the service fails and they are killed. Those that get in agree.
    #[test]
    fn one_token_forms_one_cluster(seed in 1u64.., size in 1usize..4, more in 0usize..3) {
        let mut dice = Dice(seed);
        let mut service = Service::new(size);
        let names: Vec<String> = (0..size + more).map(|n| format!("m{n}=http://m{n}:1")).collect();
        let mut records: Vec<Option<Registration>> = vec![None; names.len()];
        let mut clients: Vec<Client> = names.iter().map(|own| member(own, None)).collect();
        let mut ends: Vec<Option<Verdict>> = vec![None; names.len()];
        let mut now = Instant::default();
        for round in 0.. {
            prop_assert!(round < 20_000, "nobody gets on: {:?}", ends);
            if ends.iter().all(Option::is_some) {
                break;
            }
            let faults = if round < 500 { 4 } else { 0 };
            let n = dice.below(names.len());
            if ends[n].is_some() {
                continue;
            }
            // Killed and started again.
            if dice.below(40) < faults {
                clients[n] = member(&names[n], records[n].clone());
            }
            now = now + Duration::from_millis(200);
            let fate = if dice.below(20) < faults { Fate::draw(&mut dice) } else { Fate::Served };
            let Some((call, request)) = clients[n].ask(now, || CallId(1)) else { continue };
            let result = service.answer(&request, fate);
            match clients[n].answered(now, call, result) {
                Verdict::Wait => {}
                Verdict::Register => {
                    if let Some(registration) = clients[n].to_record() {
                        records[n] = Some(registration.clone());
                    }
                    // Killed between the record and the registration.
                    if dice.below(10) < faults {
                        clients[n] = member(&names[n], records[n].clone());
                    } else {
                        clients[n].register(now);
                    }
                }
                end => ends[n] = Some(end),
            }
        }
        let lists: BTreeSet<String> = ends.iter().flatten().map(|end| match end {
            Verdict::Complete(list) | Verdict::Full(list, _) => list.to_string(),
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(lists.len(), 1, "{:?}", ends);
        let inside = ends.iter().flatten().filter(|end| matches!(end, Verdict::Complete(_))).count();
        prop_assert_eq!(inside, size);
    }
}
