//! Changes of the membership, as an operator makes them.

use std::process::Command;

use serde_json::{Value, json};

use super::client::Answer;
use super::cluster::Cluster;
use super::wait::wait_for;

/// The members as one of them lists them.
pub(crate) fn listed(cluster: &Cluster, asked: usize) -> Vec<Value> {
    let listed = cluster.client.get(&cluster.url(asked, "/v2/members")).expect("answered");
    listed.at("/members").as_array().expect("a list").clone()
}

/// The ID of the member at the peer URL that the test has for it.
pub(crate) fn id_of(cluster: &Cluster, asked: usize, member: usize) -> String {
    let (listed, url) = (listed(cluster, asked), cluster.peer_url(member));
    let found = listed.iter().find(|member| member["peerURLs"] == json!([url]));
    found.expect("it is listed")["id"].as_str().expect("an ID").to_owned()
}

/// How many members only receive the log, as one of them knows it.
pub(crate) fn learners(cluster: &Cluster, asked: usize) -> usize {
    let listed = cluster.client.get(&format!("{}/members", cluster.peer_url(asked)));
    listed.expect("answered").body.matches("\"isLearner\":true").count()
}

/// Asks a member to change the membership, with patience: a leader may just have gone.
fn change(what: &str, mut ask: impl FnMut() -> Option<Answer>) -> Answer {
    wait_for(what, || ask().filter(|answer| answer.status != 500))
}

/// Adds a member by the API, and gives its ID.
pub(crate) fn add(cluster: &Cluster, asked: usize, member: usize) -> String {
    let body = format!("{{\"peerURLs\":[\"{}\"]}}", cluster.peer_url(member));
    let url = cluster.url(asked, "/v2/members");
    let answer = change("the addition is answered", || cluster.client.post_json(&url, &body).ok());
    assert_eq!((answer.status, answer.at("/name")), (201, json!("")), "{answer:?}");
    answer.at("/id").as_str().expect("an ID").to_owned()
}

/// Removes a member by the API, and gives the answer.
pub(crate) fn remove(cluster: &Cluster, asked: usize, id: &str) -> Answer {
    let url = cluster.url(asked, &format!("/v2/members/{id}"));
    change("the removal is answered", || cluster.client.delete(&url).ok())
}

/// The command of a member that joins with a list of its own.
pub(crate) fn joining(cluster: &Cluster, member: usize, list: &str) -> Command {
    let mut command = cluster.command(member);
    command.args(["-initial-cluster", list, "-initial-cluster-state", "existing"]);
    command
}

/// Starts a member that joins with a list of these members.
pub(crate) fn join(cluster: &mut Cluster, member: usize, members: &[usize]) {
    let command = joining(cluster, member, &cluster.list_of(members));
    cluster.start_as(member, command);
}
