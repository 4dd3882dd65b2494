//! The members of a cluster as its client API lists them, and how they are asked for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::TIMEOUT;
use crate::error::Refusal;
use crate::http::{Answer, Call};
use crate::node::{CallId, Effects, Output};
use crate::tls::Role;
use crate::url::Url;

/// A member as `/v2/members` has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(rename = "peerURLs", default)]
    pub(super) peer_urls: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    members: Vec<Listed>,
}

pub(super) fn place(endpoint: &Url) -> String {
    format!("{endpoint}/v2/members")
}

pub(super) fn ask(endpoint: &Url, fx: &mut Effects<'_>) -> CallId {
    let call = fx.call();
    let request = Call::get(place(endpoint), Role::Client, TIMEOUT);
    fx.out.push(Output::Http { call, request });
    call
}

pub(super) fn read(answer: &Answer) -> Result<Vec<Listed>, String> {
    if answer.status != 200 {
        return Err(format!("it answered with {}", answer.outline()));
    }
    let body: Body = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("its answer is no list of members: {error}"))?;
    if body.members.is_empty() {
        return Err("it has no members yet".into());
    }
    Ok(body.members)
}

pub(super) fn unreachable(failed: &[String]) -> Refusal {
    let refusal = Refusal::new("no member of the cluster to join could be asked");
    let refusal = failed.iter().fold(refusal, |refusal, cause| refusal.hint(cause.clone()));
    refusal.hint("-endpoints takes client URLs of members that run: http://10.0.1.10:2379")
}
