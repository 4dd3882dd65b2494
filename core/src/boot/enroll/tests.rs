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
        Self::begin(endpoints, false)
    }

    fn begin(endpoints: &str, replaces: bool) -> Self {
        let (mut script, mut calls, mut out) = (Script::default(), 0, Vec::new());
        let mut fx = Effects::new(&mut script, &mut calls, &mut out);
        let urls = Url::parse_list("http://h1:2380").unwrap();
        let endpoints = Url::parse_list(endpoints).unwrap();
        let enroll = Enroll::begin("infra1", urls, endpoints, replaces, &mut fx).unwrap();
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
    let now = MEMBERS.replace("]}]}", r#"]},{"id":"b","name":"","peerURLs":["http://h1:2380"]}]}"#);
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

#[test]
fn the_member_that_has_lost_its_data_is_removed_first() {
    let lost =
        MEMBERS.replace("]}]}", r#"]},{"id":"b","name":"infra1","peerURLs":["http://h1:2380"]}]}"#);
    let begun = || Talk::begin("http://h0:2379", true).answer(200, &lost);
    let mut talk = waits(begun());
    assert_eq!(talk.asked(), "GET http://h1:2380/members", "it may run");
    let refusal = talk.answer(200, "[]").err().unwrap();
    assert_eq!(refusal.message, "member b runs: it answers at http://h1:2380");
    let refusal = waits(begun()).answer(503, "starting").err().unwrap();
    assert!(refusal.message.starts_with("member b runs"), "{refusal:?}");

    let mut talk = waits(waits(begun()).answer(0, ""));
    assert_eq!(talk.asked(), "DELETE http://h0:2379/v2/members/b");
    let mut talk = waits(talk.answer(204, ""));
    assert_eq!(talk.asked(), "GET http://h0:2379/v2/members");
    let mut talk = waits(talk.answer(200, MEMBERS));
    assert_eq!(talk.asked(), "POST http://h0:2379/v2/members");
    let list = talk.answer(201, "{}").unwrap().err();
    assert_eq!(list.as_deref(), Some("a=http://h0:2380,infra1=http://h1:2380"));
}

#[test]
fn a_removal_that_is_refused_changes_nothing() {
    let lost = MEMBERS.replace("infra0", "infra1").replace("h0:2380", "h1:2380");
    let removing = || {
        let talk = waits(Talk::begin("http://h0:2379", true).answer(200, &lost));
        waits(talk.answer(0, ""))
    };
    let refusal = removing().answer(403, "not enough started members").err().unwrap();
    assert!(refusal.message.contains("does not remove member a"), "{refusal:?}");
    // An answer that was lost is looked up, but not for ever.
    let mut talk = removing();
    for _ in 1..TRIES {
        talk = waits(waits(waits(talk.answer(0, "")).answer(200, &lost)).answer(0, ""));
    }
    assert!(talk.answer(500, "no leader").is_err());
}
