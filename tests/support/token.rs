//! Discovery tokens in a cluster of one's own, and members that use them.

use std::process::Command;

use super::client::Client;
use super::cluster::Cluster;

/// A cluster of one member that hosts tokens.
pub(crate) fn service() -> Cluster {
    Cluster::started(1)
}

/// Makes a token for `size` members, as the guide does with curl; gives its URL.
pub(crate) fn token(service: &Cluster, name: &str, size: &str) -> String {
    let path = format!("/v2/keys/discovery/{name}");
    let url = service.url(0, &format!("{path}/_config/size"));
    service.client.put(&url, &format!("value={size}")).expect("the service answers").ok();
    service.url(0, &path)
}

/// What is registered with a token, in the order of registration.
pub(crate) fn registered(service: &Cluster, url: &str) -> Vec<String> {
    registered_at(&service.client, url)
}

/// The same, of any service.
pub(crate) fn registered_at(client: &Client, url: &str) -> Vec<String> {
    let answer = client.get(&format!("{url}?sorted=true")).expect("the service answers");
    let nodes = answer.at("/node/nodes");
    let mut nodes: Vec<_> = nodes.as_array().into_iter().flatten().collect();
    nodes.sort_by_key(|node| node["createdIndex"].as_u64());
    nodes.iter().map(|node| node["value"].as_str().expect("a value").to_owned()).collect()
}

/// The command line of a member that goes through a token.
pub(crate) fn through(cluster: &Cluster, member: usize, url: &str) -> Command {
    let mut command = cluster.command(member);
    command.args(["-discovery", url]);
    command
}
