//! What is made of the answers of all.

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec;

use bytes::Bytes;

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
        let due = forming.ask(Instant::default() + AGAIN * 2, fresh);
        calls.extend(due.into_iter().map(|(call, request)| (request.url, call)));
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
        let call = self.calls.remove(&format!("http://{name}:1/members")).expect("it was asked");
        let answer = Answer { status: 200, headers, body };
        self.forming.answered(Instant::default(), call, Ok(answer))
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

#[test]
fn who_is_late_hears_all_others() {
    let mut asked = Asked::begin();
    assert_eq!(asked.hears("a", id("a"), &members()), Verdict::Wait);
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
