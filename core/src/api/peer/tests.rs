use alloc::string::ToString as _;
use alloc::vec;

use super::{CONFIRM_QUERY, answer, confirmed, wants_confirmation};
use crate::api::fixture::{head, header, text, view, with_cluster};
use crate::api::{Confirmed, Failure, Response};
use crate::http::{Method, Reply};
use crate::id::MemberId;
use crate::member::Member;
use crate::member::identity::{Incarnation, Said};
use crate::time::Wall;
use crate::url::Url;
use crate::view::View;

fn ask(method: Method, path: &str, view: &View) -> Option<Reply> {
    answer(&head(method, path), view, Wall::from_unix_nanos(1_700_000_000_120_000_000))
}

#[test]
fn members_have_decimal_ids() {
    let view = with_cluster(&view(), |cluster| {
        let id = MemberId(u64::MAX);
        let peer_urls = vec![Url::parse("http://10.0.0.2:2380").unwrap()];
        let (name, client_urls) = ("".to_string(), vec![]);
        cluster.members.insert(id, Member { id, name, peer_urls, client_urls, learner: true });
    });
    let reply = ask(Method::Get, "/members", &view).unwrap();
    let body = concat!(
        r#"[{"id":9372538179322589801,"peerURLs":["http://127.0.0.1:2380"],"name":"n1","#,
        r#""clientURLs":["http://127.0.0.1:2379"]},"#,
        r#"{"id":18446744073709551615,"peerURLs":["http://10.0.0.2:2380"],"isLearner":true}]"#,
        "\n"
    );
    assert_eq!((reply.status, text(&reply)), (200, body));
    assert_eq!(header(&reply, "Content-Type"), Some("application/json"));
    assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), Some("ef37ad9dc622a7c4"));
    assert_eq!(header(&reply, "X-Quorate-State"), Some("formed"));
    assert_eq!(header(&reply, "X-Quorate-Incarnation"), None);
}

#[test]
fn members_tell_who_is_forming() {
    let incarnation = Incarnation::new(&[1; 32]);
    let said = Said { incarnation: Some(incarnation), ..Said::default() };
    let view = View { formed: false, said, ..view() };
    let reply = ask(Method::Get, "/members", &view).unwrap();
    assert_eq!(header(&reply, "X-Quorate-State"), Some("forming"));
    assert_eq!(header(&reply, "X-Quorate-Incarnation"), Some(&*incarnation.to_string()));
}

#[test]
fn who_asks_for_it_is_told_whether_a_quorum_confirms() {
    let mut asked = head(Method::Get, "/members");
    assert!(!wants_confirmation(&asked, &view()));
    asked.query = CONFIRM_QUERY.to_string();
    assert!(wants_confirmation(&asked, &view()));
    assert!(!wants_confirmation(&asked, &View { formed: false, ..view() }));
    let plain = ask(Method::Get, "/members", &view()).unwrap();
    for (answered, word) in [
        (Response::Confirmed(Confirmed::Quorum), "quorum"),
        (Response::Confirmed(Confirmed::Mixed), "mixed"),
        (Response::Failed(Failure::TimedOut), "etcdserver: request timed out"),
    ] {
        let mut reply = confirmed(&view(), &answered);
        assert_eq!(reply.headers.pop(), Some(("X-Quorate-Confirmed", word.to_string())));
        assert_eq!(reply, plain, "nothing else differs");
    }
}

#[test]
fn before_the_boot_decision_there_is_no_list() {
    let view = View { member: None, cluster_id: None, formed: false, ..view() };
    assert_eq!(ask(Method::Get, "/members", &view).unwrap().status, 503);
    assert_eq!(ask(Method::Get, "/version", &view).unwrap().status, 200);
}

#[test]
fn probing_tells_the_time() {
    for method in [Method::Get, Method::Post, Method::Other] {
        let reply = ask(method, "/raft/probing", &view()).unwrap();
        assert_eq!(text(&reply), "{\"OK\":true,\"Now\":\"2023-11-14T22:13:20.12Z\"}\n");
        assert_eq!(header(&reply, "Content-Type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn the_rest_is_for_others() {
    for path in ["/raft", "/members/", "/members/promote/1", "/v2/keys", "/"] {
        assert_eq!(ask(Method::Get, path, &view()), None);
    }
    for path in ["/members", "/version"] {
        let reply = ask(Method::Post, path, &view()).unwrap();
        assert_eq!((reply.status, header(&reply, "Allow")), (405, Some("GET")));
    }
}
