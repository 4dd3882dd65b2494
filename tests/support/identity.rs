//! The IDs that etcd gives: what it said on real command lines.

use serde_json::Value;

const VECTORS: &str = include_str!("../../core/tests/data/id-vectors.json");

/// What a command line leads to.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) cluster: String,
    /// Name and ID of each member, by name.
    pub(crate) members: Vec<(String, String)>,
}

/// The recorded identity of the cluster with this list and token.
///
/// # Panics
/// If none was recorded.
pub(crate) fn recorded(initial_cluster: &str, token: &str) -> Identity {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let wanted =
        |vector: &&Value| vector["initial_cluster"] == initial_cluster && vector["token"] == token;
    let vector = vectors.iter().find(wanted);
    let vector = vector.unwrap_or_else(|| panic!("no vector for {initial_cluster} and {token}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let members = vector["members"].as_array().expect("members");
    let mut members: Vec<_> =
        members.iter().map(|m| (text(&m["name"]), text(&m["id_hex"]))).collect();
    members.sort_unstable();
    Identity { cluster: text(&vector["cluster_id_hex"]), members }
}
