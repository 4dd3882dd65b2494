//! Why a member does not go on with a discovery service: in the words of the guide and of etcd.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::answer::Entry;
use super::registered::Own;
use super::registration::Registration;
use super::token::Token;
use crate::error::Refusal;

const NEW_TOKEN: &str = "a token forms one cluster: make a new one for this one, and give it to all \
                         its members";

/// There is no size. `cause` is the path that the service does not have.
pub(super) fn no_size(token: &Token, cause: &str) -> Refusal {
    let place = token.url("_config");
    let refusal =
        Refusal::new(format!("the cluster doesn't have a size configuration value in {place}"));
    let of_config = ["/_config", "/_config/size"].iter().any(|end| cause.ends_with(end));
    if of_config {
        refusal
            .hint("the service knows the token, but not how many members its cluster is to have")
            .hint(format!("say it: curl -X PUT {place}/size -d value=3"))
    } else {
        refusal
            .hint(format!("the service {} knows no such token", token.place()))
            .hint("compare -discovery with the URL that was made; the service may have dropped it")
            .hint(NEW_TOKEN)
    }
}

pub(super) fn bad_size(token: &Token, value: &str) -> Refusal {
    let key = token.url("_config/size");
    Refusal::new("discovery: size key is bad")
        .hint(format!("{key} is {value:?}, and has to be a whole number from 1"))
        .hint(format!("correct it: curl -X PUT {key} -d value=3"))
}

pub(super) fn not_the_service(token: &Token, url: &str, instead: &str) -> Refusal {
    let refusal = Refusal::new("discovery: bad discovery endpoint")
        .hint(format!("{url} is not answered as a discovery service does: {instead}"));
    if token.url("").contains("/v2/keys/") {
        refusal.hint(format!("what runs at {} has no v2 API of etcd", token.place()))
    } else {
        refusal.hint(
            "a token in a cluster of one's own has /v2/keys in its URL, as in \
             http://HOST:2379/v2/keys/discovery/TOKEN",
        )
    }
}

pub(super) fn denied(token: &Token, cause: &str) -> Refusal {
    Refusal::new(format!("discovery: the service {} refuses to be asked: {cause}", token.place()))
        .hint("credentials may stand in the URL: http://USER:PASSWORD@HOST/TOKEN")
}

pub(super) fn misunderstood(url: &str, cause: &str) -> Refusal {
    Refusal::new(format!("discovery: the service does not do what it is asked: {cause}"))
        .hint(format!("asked was {url}"))
}

/// No place is left for this member.
pub(crate) fn full(token: &Token, size: usize, members: &[Entry]) -> Refusal {
    Refusal::new("discovery: cluster is full")
        .hint(format!("its size is {size}, and as many are registered: {}", describe(members)))
        .hint("with -discovery-fallback proxy this process forwards requests to that cluster")
        .hint("to add a member to a cluster that runs, see -initial-cluster-state existing")
        .hint(format!("{token} is used up. {NEW_TOKEN}"))
}

/// The key is taken, and nothing in the data directory says that it was this member.
pub(super) fn registered_before(own: &Own, token: &Token, data_dir: &str) -> Refusal {
    Refusal::new(format!(
        "member {:?} has previously registered with discovery service token ({token}).",
        own.name
    ))
    .hint(format!(
        "{} is registered under {}, but the data directory {data_dir} holds neither a log nor the \
         record of a registration",
        own.registration.value, own.registration.key
    ))
    .hint("if its data directory is elsewhere, start with that -data-dir")
    .hint("if it is lost, or the bootstrap has failed, use a new discovery token for all members")
}

/// The key is taken by somebody with the same peer URLs and another name.
pub(super) fn other_name(own: &Own, token: &Token, entry: &Entry) -> Refusal {
    let Registration { key, value, .. } = &own.registration;
    Refusal::new(format!(
        "member ID {key} is registered by another member with discovery service token ({token})."
    ))
    .hint(format!("registered is {}, this member would register {value}", entry.value))
    .hint(
        "IDs are made from the peer URLs: give each member -initial-advertise-peer-urls of its \
         own, or this one the -name that it had",
    )
}

/// The flags have changed since this directory registered.
pub(super) fn changed(own: &Own, token: &Token, recorded: &Registration) -> Refusal {
    Refusal::new(format!(
        "this data directory has registered another member with discovery service token ({token})."
    ))
    .hint(format!(
        "registered is {} under {}; the flags say {}",
        recorded.value, recorded.key, own.registration.value
    ))
    .hint("start it with the -name and -initial-advertise-peer-urls that it had")
    .hint("or begin anew: an empty -data-dir, and a new discovery token for all members")
}

pub(super) fn same_name(token: &Token, name: &str, owners: &[&str]) -> Refusal {
    Refusal::new(format!(
        "member with duplicated name has registered with discovery service token({token})."
    ))
    .hint(format!("{name:?} is the name of {}", owners.join(" and of ")))
    .hint(format!("curl {} shows who is registered", token.url("")))
    .hint("give each member a -name of its own, and all of them a new discovery token")
}

pub(super) fn same_url(token: &Token, list: &[Entry], url: &str) -> Refusal {
    let values: Vec<&str> = list.iter().map(|entry| entry.value.as_str()).collect();
    Refusal::new(format!("discovery cluster {} has duplicate url", values.join(",")))
        .hint(format!("{url} is registered by more than one member with {token}"))
        .hint("give each member peer URLs of its own, and all of them a new discovery token")
}

pub(super) fn bad_value(token: &Token, entry: &Entry, cause: &str) -> Refusal {
    Refusal::new("discovery: invalid URL")
        .hint(format!(
            "{} holds {:?}, which is not NAME=http://HOST:PORT: {cause}",
            token.url(&entry.key),
            entry.value
        ))
        .hint(format!("it counts as one of the members. {NEW_TOKEN}"))
}

fn describe(members: &[Entry]) -> String {
    let values: Vec<&str> = members.iter().map(|entry| entry.value.as_str()).collect();
    values.join(", ")
}
