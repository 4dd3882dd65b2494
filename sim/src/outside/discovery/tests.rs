use bytes::Bytes;
use quorate_core::http::{Answer, Call, Method};
use quorate_core::time::Duration;
use serde_json::Value;

use super::{Discovery, Served, Trouble};

fn call(method: Method, rest: &str, body: &str) -> Call {
    Call {
        method,
        url: format!("http://discovery:2379/token{rest}"),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        timeout: Duration::from_millis(1000),
        role: quorate_core::tls::Role::Public,
        via: None,
    }
}

fn get(rest: &str) -> Call {
    call(Method::Get, rest, "")
}

fn put(member: &str) -> Call {
    let body = format!("value={member}%3Dhttp%3A%2F%2F{member}%3A2380");
    call(Method::Put, &format!("/{member}?prevExist=false"), &body)
}

fn answer(served: Served) -> Answer {
    match served {
        Served::Answered(answer, 0) => answer,
        other => panic!("not simply answered: {other:?}"),
    }
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// The values that the service lists.
fn listed(service: &mut Discovery) -> Vec<String> {
    let body = json(&answer(service.serve(&get(""))));
    let nodes = body["node"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().map(|node| node["value"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_sound_service_gives_the_size_and_lists_who_registered() {
    let mut service = Discovery::new("/token", Some("2"));
    let size = json(&answer(service.serve(&get("/_config/size"))));
    assert_eq!(size["node"]["value"], "2");
    assert_eq!(listed(&mut service), [""; 0]);
    for member in ["b", "a"] {
        let made = answer(service.serve(&put(member)));
        assert_eq!(made.status, 201);
        assert_eq!(json(&made)["action"], "create");
    }
    assert_eq!(listed(&mut service), ["a=http://a:2380", "b=http://b:2380"]);
    let one = json(&answer(service.serve(&get("/b"))));
    assert_eq!(
        (one["node"]["createdIndex"].as_u64(), &one["node"]["key"]),
        (Some(2), &Value::from("/token/b"))
    );
}

#[test]
fn a_second_registration_of_one_member_is_refused() {
    let mut service = Discovery::new("/token", Some("2"));
    answer(service.serve(&put("a")));
    let again = answer(service.serve(&put("a")));
    assert_eq!((again.status, json(&again)["errorCode"].as_u64()), (412, Some(105)));
}

#[test]
fn a_call_that_waits_is_answered_by_the_next_registration() {
    let mut service = Discovery::new("/token", Some("2"));
    answer(service.serve(&put("a")));
    let wait = "?wait=true&recursive=true&waitIndex=3";
    let Served::Waits(number) = service.serve(&get(wait)) else { panic!("nothing to see yet") };
    assert_eq!(service.woken(), []);
    answer(service.serve(&put("b")));
    let woken = service.woken();
    assert_eq!(woken.len(), 1);
    assert_eq!((woken[0].0, &json(&woken[0].1)["node"]["key"]), (number, &Value::from("/token/b")));
    assert_eq!(service.woken(), []);
    let late = json(&answer(service.serve(&get(wait))));
    assert_eq!(late["node"]["key"], "/token/b");
}

#[test]
fn what_is_not_there_is_an_error_of_the_api() {
    let mut service = Discovery::new("/token", None);
    for rest in ["/_config/size", "/nobody", "s/_config/size"] {
        let missing = answer(service.serve(&get(rest)));
        assert_eq!((missing.status, json(&missing)["errorCode"].as_u64()), (404, Some(100)));
    }
    assert_eq!(answer(service.serve(&call(Method::Delete, "/a", ""))).status, 405);
}

#[test]
fn a_full_service_lists_more_members_than_its_size() {
    let mut service = Discovery::new("/token", Some("1"));
    for member in ["a", "b"] {
        answer(service.serve(&put(member)));
    }
    assert_eq!(listed(&mut service).len(), 2);
}

#[test]
fn a_slow_service_answers_late_and_one_that_is_down_does_nothing() {
    let mut service = Discovery::new("/token", Some("1"));
    service.trouble(Some(Trouble::Slow(700)));
    assert!(
        matches!(service.serve(&put("a")), Served::Answered(answer, 700) if answer.status == 201)
    );
    service.trouble(Some(Trouble::Unavailable));
    assert_eq!(answer(service.serve(&put("b"))).status, 503);
    service.trouble(None);
    assert_eq!(listed(&mut service), ["a=http://a:2380"]);
}

#[test]
fn a_lost_answer_was_carried_out_and_a_forgotten_one_was_not() {
    let mut service = Discovery::new("/token", Some("1"));
    service.trouble(Some(Trouble::LosesAnswers));
    assert_eq!(service.serve(&put("a")), Served::Lost);
    service.trouble(Some(Trouble::Forgets));
    assert_eq!(answer(service.serve(&put("b"))).status, 201);
    service.trouble(None);
    assert_eq!(listed(&mut service), ["a=http://a:2380"]);
}

#[test]
fn a_service_that_duplicates_lists_everybody_twice() {
    let mut service = Discovery::new("/token", Some("1"));
    answer(service.serve(&put("a")));
    service.trouble(Some(Trouble::Duplicates));
    assert_eq!(listed(&mut service).len(), 2);
}
