//! What is made of the answers of all.

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec;

use bytes::Bytes;

use super::unlisted::UNLISTED_HEADER;
use super::*;
use crate::boot::list::InitialCluster;
use crate::member::json;

const LIST: &str = "a=http://a:1,b=http://b:1,c=http://c:1";
const TOKEN: &str = "t";

/// What the last of a list asks the others.
struct Asked {
    forming: Forming,
    calls: BTreeMap<String, CallId>,
    made: u64,
}

fn id(name: &str) -> MemberId {
    InitialCluster::parse(LIST).unwrap().member_id(name, TOKEN).unwrap()
}

impl Asked {
    fn begin() -> Self {
        let list = InitialCluster::parse(LIST).unwrap();
        let own = Member::listed("c", list.urls("c").unwrap(), TOKEN);
        let here = ("dir".to_owned(), Incarnation::new(&[1; 32]));
        let cluster = list.cluster_id(TOKEN);
        let forming = Forming::new(own, list.members(TOKEN), cluster, here, Instant::default());
        let mut asked = Self { forming, calls: BTreeMap::new(), made: 0 };
        asked.ask();
        asked
    }

    fn ask(&mut self) {
        let Self { forming, calls, made } = self;
        let fresh = || {
            *made += 1;
            CallId(*made)
        };
        let due = forming.ask(Instant::default() + LISTEN + AGAIN * 2, fresh);
        calls.extend(due.into_iter().map(|(call, request)| (request.url, call)));
    }

    /// A member answers that it is empty and has the same list, and that these have spoken to it.
    fn is_ready(&mut self, name: &str, now: Instant, unlisted: &str) -> Verdict {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cluster = self.forming.owner().cluster.to_string();
        let headers = vec![
            header("x-etcd-cluster-id", &cluster),
            header(STATE_HEADER, STATE_FORMING),
            header(MEMBER_HEADER, &id(name).to_string()),
            header(UNLISTED_HEADER, unlisted),
        ];
        let body = Bytes::from(json::encode_members(&members()));
        self.take(name, now, Answer { status: 200, headers, body })
    }

    fn take(&mut self, name: &str, now: Instant, answer: Answer) -> Verdict {
        let call = self.calls.remove(&format!("http://{name}:1/members")).expect("it was asked");
        self.forming.answered(now, call, Ok(answer))
    }

    /// For whom it waits before it forms.
    fn waits_to_form(&mut self) -> Vec<(String, String)> {
        match self.forming.report(later() + REPORT) {
            Some(Note::WaitingToForm { missing }) => missing,
            note => panic!("{note:?}"),
        }
    }

    /// A member that runs answers with these members.
    fn hears(&mut self, name: &str, by: MemberId, members: &[Member]) -> Verdict {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let headers = vec![
            header("x-etcd-cluster-id", self.forming.owner().cluster.to_string()),
            header(STATE_HEADER, STATE_FORMED.to_owned()),
            header(MEMBER_HEADER, by.to_string()),
        ];
        let body = Bytes::from(json::encode_members(members));
        self.take(name, Instant::default(), Answer { status: 200, headers, body })
    }
}

fn members() -> Vec<Member> {
    InitialCluster::parse(LIST).unwrap().members(TOKEN)
}

fn added(name: &str, by: u64, learner: bool) -> Member {
    let peer_urls = Vec::from([Url::parse(&format!("http://{name}:1")).unwrap()]);
    let (client_urls, name) = (vec!["http://x:2".to_owned()], String::new());
    Member { id: MemberId(by), name, peer_urls, client_urls, learner }
}

/// When a member that asks has listened long enough.
fn later() -> Instant {
    Instant::default() + LISTEN
}

#[test]
fn all_form_once_they_are_empty_and_have_listened() {
    let mut asked = Asked::begin();
    assert_eq!(asked.is_ready("a", Instant::default(), ""), Verdict::Wait);
    assert_eq!(asked.is_ready("b", Instant::default(), ""), Verdict::Wait);
    asked.ask();
    assert_eq!(asked.is_ready("a", later(), ""), Verdict::Form);
}

#[test]
fn who_is_spoken_to_by_a_member_that_is_not_on_the_list_does_not_form() {
    let mut asked = Asked::begin();
    asked.forming.spoken_to(MemberId(0xd));
    assert_eq!(asked.is_ready("a", later(), ""), Verdict::Wait);
    assert_eq!(asked.is_ready("b", later(), ""), Verdict::Wait);
    let missing = asked.waits_to_form();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].0, MemberId(0xd).to_string());
    assert!(missing[0].1.contains("-force-new-cluster"), "{missing:?}");
    (0x100..0x200).for_each(|by| asked.forming.spoken_to(MemberId(by)));
    assert_eq!(asked.forming.unlisted().len(), 16, "what is remembered is bounded");
    // Somebody who knows the cluster decides.
    asked.ask();
    assert_eq!(asked.hears("a", id("a"), &members()), Verdict::Late);
}

#[test]
fn nor_does_one_that_hears_of_it_from_another() {
    let mut asked = Asked::begin();
    assert_eq!(asked.is_ready("a", later(), "d"), Verdict::Wait);
    assert_eq!(asked.is_ready("b", later(), ""), Verdict::Wait);
    let missing = asked.waits_to_form();
    assert_eq!(missing, [("a".to_owned(), "d speaks to it, and is not on the list".to_owned())]);
    asked.ask();
    assert_eq!(asked.is_ready("a", later(), ""), Verdict::Form, "it was started again");
}

#[test]
fn late_starters_do_not_wait_for_each_other_though_those_that_were_added_speak_to_them() {
    let mut asked = Asked::begin();
    asked.forming.spoken_to(MemberId(0xd));
    assert_eq!(asked.is_ready("a", later(), "d"), Verdict::Wait);
    assert_eq!(asked.hears("b", id("b"), &members()), Verdict::Late);
}

#[test]
fn those_on_the_list_may_speak() {
    let mut asked = Asked::begin();
    for name in ["a", "b", "c"] {
        asked.forming.spoken_to(id(name));
    }
    assert_eq!(asked.is_ready("a", later(), ""), Verdict::Wait);
    assert_eq!(asked.is_ready("b", later(), ""), Verdict::Form);
}

#[test]
fn who_is_late_hears_all_others() {
    let mut asked = Asked::begin();
    asked.forming.spoken_to(MemberId(0xd));
    assert_eq!(asked.hears("a", id("a"), &members()), Verdict::Wait);
    let missing = vec![("b".to_owned(), "not asked yet".to_owned())];
    let waits = Some(Note::WaitingToComeLate { missing });
    assert_eq!(asked.forming.report(later() + REPORT), waits, "and for nobody who is on no list");
    assert_eq!(asked.forming.report(later() + REPORT * 2), None, "that was said");
    assert_eq!(asked.hears("b", id("b"), &members()), Verdict::Late);
}

#[test]
fn who_is_late_hears_those_who_were_added_since_and_vote() {
    let mut asked = Asked::begin();
    let now = [members(), vec![added("d", 0xd, false), added("e", 0xe, true)]].concat();
    assert_eq!(asked.hears("a", id("a"), &now), Verdict::Wait);
    assert_eq!(asked.hears("b", id("b"), &now), Verdict::Wait);
    asked.ask();
    assert!(!asked.calls.contains_key("http://e:1/members"), "a learner has counted nobody");
    assert_eq!(asked.hears("d", MemberId(0xd), &now), Verdict::Late);
}

#[test]
fn who_was_added_is_heard_until_nobody_lists_it_any_more() {
    let mut asked = Asked::begin();
    let now = [members(), vec![added("d", 0xd, false)]].concat();
    assert_eq!(asked.hears("a", id("a"), &now), Verdict::Wait);
    assert_eq!(asked.hears("b", id("b"), &members()), Verdict::Wait, "b may lag");
    asked.ask();
    assert_eq!(asked.hears("a", id("a"), &members()), Verdict::Late);
}

#[test]
fn who_is_late_does_not_wait_for_those_who_were_removed() {
    let mut asked = Asked::begin();
    let without_b: Vec<Member> = members().into_iter().filter(|m| m.id != id("b")).collect();
    assert_eq!(asked.hears("a", id("a"), &without_b), Verdict::Late);
}

#[test]
fn a_member_without_a_url_is_not_asked() {
    let mut asked = Asked::begin();
    let nowhere = Member { peer_urls: Vec::new(), ..added("d", 0xd, false) };
    let now = [members(), vec![nowhere]].concat();
    assert_eq!(asked.hears("a", id("a"), &now), Verdict::Wait);
    asked.ask();
    assert_eq!(asked.hears("b", id("b"), &now), Verdict::Late);
}
