use std::string::ToString as _;
use std::vec;

use proptest::prelude::*;

use super::*;

fn list(text: &str) -> InitialCluster {
    InitialCluster::parse(text).unwrap()
}

fn urls(text: &str) -> Vec<Url> {
    Url::parse_list(text).unwrap()
}

const GUIDE: &str =
    "infra0=http://10.0.1.10:2380,infra1=http://10.0.1.11:2380,infra2=http://10.0.1.12:2380";

#[test]
fn the_grammar_is_etcd_s() {
    let table = [
        (",a=http://h:1,,b=http://h:2,", "a=http://h:1,b=http://h:2"),
        ("b=http://h:2,a=http://h:3,b=http://h:1", "a=http://h:3,b=http://h:1,b=http://h:2"),
        ("a= http://h:1 ", "a=http://h:1"),
        ("a=http://h:1, b=http://h:2", " b=http://h:2,a=http://h:1"),
        ("a%62=http://h:1", "a%62=http://h:1"),
        ("=http://h:1", "=http://h:1"),
        ("", ""),
    ];
    for (text, printed) in table {
        assert_eq!(list(text).to_string(), printed, "{text}");
    }
}

#[test]
fn malformed_pieces_are_refused_in_etcd_s_words() {
    let table = [
        ("a", "URL scheme must be http or https: "),
        ("a=", "URL scheme must be http or https: "),
        ("=", "URL scheme must be http or https: "),
        ("a=foo", "URL scheme must be http or https: foo"),
        ("a=http://h:1,http://h:2", "URL scheme must be http or https: "),
        ("a=http://h:1/", "URL must not contain a path: http://h:1/"),
        ("a=http://h", "URL address does not have the form \"host:port\": http://h"),
        ("a=1.2.3.4:5", "parse \"1.2.3.4:5\": first path segment in URL cannot contain colon"),
    ];
    for (text, cause) in table {
        let refusal = InitialCluster::parse(text).unwrap_err();
        assert_eq!(refusal.message, format!("error setting up initial cluster: {cause}"));
        assert!(!refusal.hints.is_empty(), "{text}");
    }
}

#[test]
fn a_member_that_is_not_listed_is_refused_in_the_guide_s_words() {
    let refusal = list("infra0=http://10.0.1.10:2380").check("infra1", "t").unwrap_err();
    assert_eq!(refusal.message, "infra1 not listed in the initial cluster config");
    assert!(refusal.hints[0].contains("infra1") && refusal.hints[0].contains("infra0"));
    let refusal = list("A=http://h:1").check("a", "t").unwrap_err();
    assert!(refusal.hints.iter().any(|hint| hint.contains("case or blanks")), "{refusal:?}");
}

#[test]
fn nobody_is_listed_without_a_name() {
    let refusal = list("a=http://h:1,=http://h:2").check("a", "t").unwrap_err();
    assert!(refusal.message.ends_with("a member has no name: =http://h:2"), "{refusal:?}");
}

#[test]
fn a_url_belongs_to_one_member() {
    let refusal = list("a=http://h:1,b=http://h:1").check("a", "t").unwrap_err();
    assert_eq!(refusal.message, "initial cluster a=http://h:1,b=http://h:1 has duplicate url");
    assert!(refusal.hints[0].contains("a and b"), "{refusal:?}");
    let refusal = list("a=http://h:1,a=http://h:1").check("a", "t").unwrap_err();
    assert!(refusal.hints[0].contains("a is listed"), "{refusal:?}");
    let spelt = "a=http://[2001:db8::1]:1,b=http://[2001:DB8:0::1]:01";
    assert!(list(spelt).check("a", "t").unwrap_err().message.ends_with("has duplicate url"));
}

#[test]
fn equal_ids_are_refused_by_name() {
    // Without a separator the texts of two URLs can read like one with a query.
    let text = "a=http://h:1?,a=http://h:2,b=http://h:1?http://h:2";
    let refusal = list(text).check("a", "t").unwrap_err();
    assert!(refusal.message.contains("member exists with identical ID"), "{refusal:?}");
    assert!(refusal.hints[0].contains("a and b"), "{refusal:?}");
}

#[test]
fn unspecified_addresses_are_refused_where_others_have_to_connect() {
    for text in ["http://0.0.0.0:1", "http://[::]:1", "http://:1"] {
        list(&format!("a={text}")).check("a", "t").unwrap();
        let refusal = list(&format!("a=http://h:1,b={text}")).check("a", "t").unwrap_err();
        assert!(refusal.message.contains(&format!("b is listed at {text}")), "{refusal:?}");
        assert!(refusal.hints[0].contains("-listen-peer-urls"));
    }
}

#[test]
fn the_guide_s_list_makes_sense_to_each_of_its_members() {
    for name in ["infra0", "infra1", "infra2"] {
        list(GUIDE).check(name, "etcd-cluster").unwrap();
    }
}

#[test]
fn equal_sets_need_no_look_up() {
    let two = list("a=http://X.example:2,a=http://[::1]:01,b=http://h:3");
    let advertised = urls("http://[0::1]:1,http://x.EXAMPLE:2");
    assert!(two.hosts_to_resolve("a", &advertised).is_empty());
    two.advertised_matches("a", &advertised, &Resolved::new()).unwrap();
}

#[test]
fn a_different_set_is_refused_in_the_guide_s_words() {
    let refusal = list(GUIDE)
        .advertised_matches("infra0", &urls("http://127.0.0.1:2380"), &Resolved::new())
        .unwrap_err();
    assert_eq!(
        refusal.message,
        "error setting up initial cluster: infra0 has different advertised URLs in the cluster \
         and advertised peer URLs list"
    );
    assert_eq!(refusal.hints[0], "-initial-cluster lists infra0 at http://10.0.1.10:2380");
    assert_eq!(refusal.hints[1], "-initial-advertise-peer-urls is http://127.0.0.1:2380");
    assert_eq!(
        refusal.hints[2],
        "only in -initial-cluster: http://10.0.1.10:2380; only in -initial-advertise-peer-urls: \
         http://127.0.0.1:2380"
    );
    assert!(list(GUIDE).hosts_to_resolve("infra0", &urls("http://127.0.0.1:2380")).is_empty());
}

#[test]
fn names_are_resolved_only_where_that_can_help() {
    let named = list("a=http://Infra0.example.com:2380");
    let hosts = |advertised: &str| {
        named.hosts_to_resolve("a", &urls(advertised)).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(hosts("http://10.0.1.10:2380"), ["infra0.example.com"]);
    assert_eq!(hosts("http://other.com:2380"), ["infra0.example.com", "other.com"]);
    for hopeless in [
        "http://10.0.1.10:2381",
        "https://10.0.1.10:2380",
        "http://localhost:2380",
        "http://:2380",
        "http://10.0.1.10:2380,http://10.0.1.11:2380",
        "http://10.0.1.10:2380?x",
    ] {
        assert!(hosts(hopeless).is_empty(), "{hopeless}");
    }
}

#[test]
fn what_resolves_to_the_same_address_is_the_same() {
    let named = list("a=http://Infra0.example.com:2380");
    let advertised = urls("http://10.0.1.10:2380");
    let mut resolved = Resolved::new();
    resolved.insert("infra0.EXAMPLE.com", Ok(vec!["10.9.9.9".into(), "10.0.1.10".into()]));
    named.advertised_matches("a", &advertised, &resolved).unwrap();

    resolved.insert("infra0.example.com", Ok(vec!["10.9.9.9".into()]));
    let refusal = named.advertised_matches("a", &advertised, &resolved).unwrap_err();
    assert!(refusal.hints[0].contains("infra0.example.com:2380 (resolved: 10.9.9.9)"));

    resolved.insert("infra0.example.com", Err("no such host".into()));
    let refusal = named.advertised_matches("a", &advertised, &resolved).unwrap_err();
    assert!(refusal.hints[0].contains("not resolved: no such host"), "{refusal:?}");
}

#[test]
fn addresses_are_compared_as_addresses() {
    let matches = |listed: &str, advertised: &str| {
        list(&format!("a={listed}"))
            .advertised_matches("a", &urls(advertised), &Resolved::new())
            .is_ok()
    };
    assert!(matches("http://[::ffff:10.0.1.10]:1", "http://10.0.1.10:1"));
    assert!(!matches("http://[fe80::1%25eth0]:1", "http://[fe80::1%25eth1]:1"));
    assert!(!matches("http://[fe80::1%25eth0]:1", "http://[fe80::1]:1"));
    assert!(!matches("http://localhost:1", "http://127.0.0.1:1"));
}

#[test]
fn a_new_cluster_begins_with_one_addition_per_member() {
    let entries = list(GUIDE).bootstrap_entries("etcd-cluster");
    let ids = [0x794a_ea3b_a77a_1d64_u64, 0x9d48_0e1d_b4dd_ec45, 0xe259_3837_7bdd_2340];
    let rest = [
        "10.0.1.10:2380\"],\"name\":\"infra0",
        "10.0.1.12:2380\"],\"name\":\"infra2",
        "10.0.1.11:2380\"],\"name\":\"infra1",
    ];
    assert_eq!(entries.len(), 3);
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!((entry.term, entry.index), (1, i as u64 + 1));
        assert_eq!(entry.kind, crate::raft::EntryKind::ConfChange);
        let change = crate::wire::conf_change::ConfChange::decode(entry.data.clone()).unwrap();
        assert_eq!(change.node, MemberId(ids[i]));
        let text = format!("{{\"id\":{},\"peerURLs\":[\"http://{}\"}}", ids[i], rest[i]);
        assert_eq!(change.context, text.as_bytes());
    }
    // id 0, type 0, node_id, context
    assert_eq!(entries[0].data[..5], [0x08, 0x00, 0x10, 0x00, 0x18]);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ab=,:/ http\\[\\]0-9.é]{0,60}") {
        if let Ok(list) = InitialCluster::parse(&text) {
            let _ = list.check("a", "t");
            let _ = list.hosts_to_resolve("a", &[]);
            let _ = list.bootstrap_entries("t");
        }
    }

    #[test]
    fn order_does_not_matter(
        mut pairs in proptest::collection::vec(("[a-d]", 1u16..9), 1..8),
    ) {
        let text = |pairs: &[(String, u16)]| {
            let pieces: Vec<String> =
                pairs.iter().map(|(name, port)| format!("{name}=http://h:{port}")).collect();
            pieces.join(",")
        };
        let one = list(&text(&pairs));
        pairs.reverse();
        let other = list(&text(&pairs));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(list(&one.to_string()), one);
    }
}
