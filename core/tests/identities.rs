//! Identities against those that etcd 2.0, 2.3 and 3.4 made for the same configurations.

use quorate_core::boot::list::InitialCluster;
use quorate_core::id::{ClusterId, MemberId};
use quorate_core::url::Url;
use serde_json::Value;

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the file is JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn urls(value: &Value) -> Vec<Url> {
    let texts = value["peer_urls"].as_array().into_iter().flatten();
    texts
        .map(|text| Url::parse(text.as_str().unwrap_or_default()).expect("etcd took the URL"))
        .collect()
}

#[test]
fn initial_members_have_the_ids_that_etcd_gives_them() {
    let vectors = vectors(include_str!("data/id-vectors.json"));
    assert_eq!(vectors.len(), 74);
    for vector in vectors {
        let (name, token) = (text(&vector, "name"), text(&vector, "token"));
        let list = InitialCluster::parse(text(&vector, "initial_cluster")).unwrap();
        let members = vector["members"].as_array().unwrap();
        assert_eq!(list.len(), members.len(), "{name}");
        let mut ids = Vec::new();
        for member in members {
            let id = MemberId::derive(&urls(member), token);
            assert_eq!(id.to_string(), text(member, "id_hex"), "{name}");
            assert_eq!(list.member_id(text(member, "name"), token), Some(id), "{name}");
            ids.push(id);
        }
        let cluster = text(&vector, "cluster_id_hex");
        assert_eq!(ClusterId::derive(ids.iter().rev().copied()).to_string(), cluster, "{name}");
        assert_eq!(list.cluster_id(token).to_string(), cluster, "{name}");
    }
}

#[test]
fn members_added_at_run_time_have_the_ids_that_etcd_gives_them() {
    let vectors = vectors(include_str!("data/member-add-vectors.json"));
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let seconds = vector["unix_time_seconds"].as_i64().unwrap();
        let id = MemberId::derive_added(&urls(&vector), seconds);
        assert_eq!(id.to_string(), text(&vector, "id_hex"), "{vector}");
    }
}
