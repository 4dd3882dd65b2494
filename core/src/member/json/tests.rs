use std::string::ToString;
use std::vec;

use proptest::prelude::*;

use super::*;

fn member(id: u64, name: &str, client: &[&str]) -> Member {
    Member {
        id: MemberId(id),
        name: name.to_string(),
        peer_urls: vec![Url::parse("http://127.0.0.1:23002").unwrap()],
        client_urls: client.iter().map(ToString::to_string).collect(),
        learner: false,
    }
}

#[test]
fn texts_are_those_of_etcd() {
    let url = Url::parse("http://10.0.0.1:2380").unwrap();
    let mut attributes = RaftAttributes { peer_urls: vec![url], learner: false };
    assert_eq!(attributes.encode(), r#"{"peerURLs":["http://10.0.0.1:2380"]}"#);
    attributes.learner = true;
    assert_eq!(attributes.encode(), r#"{"peerURLs":["http://10.0.0.1:2380"],"isLearner":true}"#);
    assert_eq!(RaftAttributes::decode(attributes.encode().as_bytes()).unwrap(), attributes);

    let mut published = Attributes { name: "n1".into(), client_urls: vec!["http://h:1".into()] };
    assert_eq!(published.encode(), r#"{"name":"n1","clientURLs":["http://h:1"]}"#);
    published.name.clear();
    assert_eq!(published.encode(), r#"{"clientURLs":["http://h:1"]}"#);
    assert_eq!(Attributes::default().encode(), "{}");
    assert_eq!(Attributes::decode(br#"{"clientURLs":null}"#).unwrap(), Attributes::default());
}

#[test]
fn strings_are_escaped_as_go_does() {
    let mut out = String::new();
    push_string(&mut out, "a\"\\\n\r\t\u{8}\u{c}\u{1f}\u{7f}<>&\u{2028}é🦀/");
    assert_eq!(
        out,
        "\"a\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u001f\u{7f}\\u003c\\u003e\\u0026\\u2028é🦀/\""
    );
}

#[test]
fn member_lists_are_read_and_written_with_whole_ids() {
    let n1 = member(12_087_160_956_821_666_428, "n1", &["http://127.0.0.1:23001"]);
    let text = r#"[{"id":12087160956821666428,"peerURLs":["http://127.0.0.1:23002"],"name":"n1","clientURLs":["http://127.0.0.1:23001"]}]"#;
    assert_eq!(encode_members([&n1]), text);
    assert_eq!(decode_members(text.as_bytes()).unwrap(), core::slice::from_ref(&n1));
    let two = [n1, member(u64::MAX, "", &[])];
    assert_eq!(decode_members(encode_members([&two[1], &two[0]]).as_bytes()).unwrap(), two);
    assert_eq!(decode_members(b"null").unwrap(), []);
    for bad in ["", "{}", "[{}]", r#"[{"id":0}]"#, r#"[{"id":1.5}]"#, r#"[{"id":-1}]"#] {
        decode_members(bad.as_bytes()).unwrap_err();
    }
    let long = alloc::format!("[{}]", " ".repeat(TEXT_MAX));
    assert_eq!(decode_members(long.as_bytes()), Err(JsonError::TooLong));
}

#[test]
fn contexts_of_changes_are_read_leniently() {
    let promote =
        Context { member: Member { peer_urls: vec![], ..member(123, "", &[]) }, promote: true };
    assert_eq!(promote.encode(), r#"{"id":123,"peerURLs":null,"isPromote":true}"#);
    assert_eq!(Context::decode(promote.encode().as_bytes()).unwrap(), promote);
    let mut add = Context { member: member(123, "", &[]), promote: false };
    assert_eq!(add.encode(), r#"{"id":123,"peerURLs":["http://127.0.0.1:23002"]}"#);
    add.member.learner = true;
    assert_eq!(
        add.encode(),
        r#"{"id":123,"peerURLs":["http://127.0.0.1:23002"],"isLearner":true}"#
    );
    assert_eq!(Context::decode(add.encode().as_bytes()).unwrap(), add);
    Context::decode(br#"{"id":1,"peerURLs":null,"name":null,"new":[{}]}"#).unwrap();
}

proptest! {
    #[test]
    fn any_name_comes_back(name in "\\PC{0,20}|[\\x00-\\x7f]{0,20}") {
        let published = Attributes { name, client_urls: vec![] };
        prop_assert_eq!(Attributes::decode(published.encode().as_bytes()).unwrap(), published);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in "[\\[\\]{}\":,a-z0-9\\\\]{0,60}") {
        let _ = decode_members(text.as_bytes());
        let _ = Context::decode(text.as_bytes());
    }
}
