use alloc::string::ToString as _;
use alloc::vec;

use super::{leader, list, unknown, without_id};
use crate::api::fixture::{CLUSTER, header, text, view, with_cluster};
use crate::api::{health, machines, version};
use crate::id::MemberId;
use crate::member::Member;
use crate::url::Url;
use crate::view::View;

const N1: &str = concat!(
    r#"{"id":"8211f1d0f64f3269","name":"n1","peerURLs":["http://127.0.0.1:2380"],"#,
    r#""clientURLs":["http://127.0.0.1:2379"]}"#
);

/// Two members, the second of which has not started.
fn pair() -> View {
    with_cluster(&view(), |cluster| {
        let id = MemberId(0x11);
        let urls = ["http://10.0.0.2:2380", "http://10.0.0.3:2380"];
        let peer_urls = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
        let (name, client_urls) = ("".to_string(), vec![]);
        cluster.members.insert(id, Member { id, name, peer_urls, client_urls, learner: true });
    })
}

#[test]
fn members_are_listed_by_id() {
    let reply = list(&pair());
    let second = concat!(
        r#"{"id":"11","name":"","#,
        r#""peerURLs":["http://10.0.0.2:2380","http://10.0.0.3:2380"],"clientURLs":[]}"#
    );
    assert_eq!(text(&reply), ["{\"members\":[", second, ",", N1, "]}\n"].concat());
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "Content-Type"), Some("application/json"));
    assert_eq!(header(&reply, "X-Etcd-Cluster-ID"), Some(&*CLUSTER.to_string()));
}

#[test]
fn the_leader_is_one_of_them() {
    assert_eq!(text(&leader(&pair())), [N1, "\n"].concat());
    for nobody in [None, Some(MemberId(9))] {
        let reply = leader(&View { leader: nobody, ..view() });
        assert_eq!((reply.status, text(&reply)), (503, "{\"message\":\"During election\"}"));
        assert!(header(&reply, "X-Etcd-Cluster-ID").is_some());
    }
}

#[test]
fn single_members_are_not_found() {
    let reply = unknown(&view());
    assert_eq!((reply.status, text(&reply)), (404, "{\"message\":\"Not found\"}"));
    let reply = without_id(&view());
    assert_eq!((reply.status, header(&reply, "Allow")), (405, None));
    assert!(header(&reply, "X-Etcd-Cluster-ID").is_some());
}

#[test]
fn machines_are_client_urls() {
    let view = with_cluster(&pair(), |cluster| {
        let first = cluster.members.get_mut(&MemberId(0x11)).unwrap();
        first.client_urls = vec!["http://b".to_string(), "http://1".to_string()];
    });
    let reply = machines::list(&view);
    assert_eq!(text(&reply), "http://1, http://127.0.0.1:2379, http://b");
    assert_eq!(header(&reply, "Content-Type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn versions() {
    let reply = version::reply(&view());
    assert_eq!(text(&reply), r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#);
    let early = with_cluster(&view(), |cluster| cluster.version = None);
    let reply = version::reply(&early);
    assert_eq!(text(&reply), r#"{"etcdserver":"3.4.23","etcdcluster":"not_decided"}"#);
}

#[test]
fn health_is_a_leader() {
    let reply = health::reply(&view());
    assert_eq!((reply.status, text(&reply)), (200, r#"{"health":"true"}"#));
    let reply = health::reply(&View { leader: None, ..view() });
    assert_eq!((reply.status, text(&reply)), (503, "{\"health\":\"false\"}\n"));
}

#[test]
fn there_are_no_members_before_the_start_is_decided() {
    let view = View::new([]);
    assert_eq!(list(&view).status, 503);
}
