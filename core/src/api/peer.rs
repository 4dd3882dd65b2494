//! What the peer port answers from the view: the questions that members ask each other before
//! they talk Raft.

use alloc::string::ToString as _;

use super::json::Writer;
use super::reply;
use super::response::failure_text;
use super::version;
use super::{Confirmed, Response};
use crate::boot::forming::{known, unlisted};
use crate::http::{Head, Method, Reply};
use crate::member::Member;
use crate::time::Wall;
use crate::time::rfc3339::Rfc3339;
use crate::view::View;

/// The query with which `GET /members` has a quorum confirm the answer. etcd does not look at it.
pub const CONFIRM_QUERY: &str = "quorum=true";
/// The header that says what came of that: one of the two words below, or why nobody confirms it.
pub const CONFIRMED_HEADER: &str = "x-quorate-confirmed";
/// A quorum has confirmed what the answer says.
pub const CONFIRMED_BY_QUORUM: &str = "quorum";
/// The cluster has members of etcd, which confirm nothing.
pub const UNCONFIRMED_AS_MIXED: &str = "mixed";

/// Whether a request is to be answered by [`confirmed`], once the node has answered
/// [`Request::Confirm`](super::Request::Confirm). As long as there is no cluster, nobody can confirm
/// anything.
pub fn wants_confirmation(head: &Head, view: &View) -> bool {
    let asks = head.path == "/members" && head.query == CONFIRM_QUERY;
    asks && head.method == Method::Get && view.formed && view.member.is_some()
}

/// `GET /members?quorum=true`, from the view that was published before the node's answer.
pub fn confirmed(view: &View, answered: &Response) -> Reply {
    let word = match answered {
        Response::Confirmed(Confirmed::Quorum) => CONFIRMED_BY_QUORUM,
        Response::Confirmed(Confirmed::Mixed) => UNCONFIRMED_AS_MIXED,
        Response::Failed(failure) => failure_text(failure),
        _ => "it was not asked for",
    };
    let mut reply = members(view);
    reply.headers.push(("X-Quorate-Confirmed", word.to_string()));
    reply
}

/// Answers a request to the peer port, at the time `now`. Nothing if it is about none of the
/// resources here: `/members`, `/version` and `/raft/probing`.
pub fn answer(head: &Head, view: &View, now: Wall) -> Option<Reply> {
    let resource = match head.path.as_str() {
        "/raft/probing" => return Some(probing(now)),
        "/members" => members,
        "/version" => version,
        _ => return None,
    };
    if head.method != Method::Get {
        return Some(reply::method_not_allowed(&[Method::Get]));
    }
    Some(resource(view))
}

/// `GET /members`: all members, by ID. Unlike in the client API the ID is a decimal number.
///
/// More headers tell other Quorate members, which ask before they form a cluster, whether it
/// is formed (`X-Quorate-State`), who answers (`X-Quorate-Member`), from which data directory
/// (`X-Quorate-Incarnation`), by which ones it knows the others (`X-Quorate-Known`), and who speaks
/// to it that is not on its list (`X-Quorate-Unlisted`).
pub fn members(view: &View) -> Reply {
    if view.member.is_none() {
        return reply::failure(503, "this member has not decided yet how to start\n");
    }
    let mut body = Writer::default();
    body.array(view.cluster.members.values(), member);
    let mut reply = reply::with_cluster(reply::json(200, body.finish_line()), view.cluster_id);
    reply.headers.extend(view.member.map(|member| ("X-Quorate-Member", member.to_string())));
    let state = if view.formed { "formed" } else { "forming" };
    reply.headers.push(("X-Quorate-State", state.to_string()));
    if !view.unlisted.is_empty() {
        reply.headers.push(("X-Quorate-Unlisted", unlisted::header(&view.unlisted)));
    }
    if view.formed {
        reply.headers.push((
            "X-Quorate-Known",
            known::header(view.peers.iter().map(|(id, known)| (*id, known.incarnation))),
        ));
    }
    reply.headers.extend(view.said.headers());
    reply
}

/// `GET /version`
pub fn version(view: &View) -> Reply {
    version::reply(view)
}

/// `/raft/probing`: this member is alive, and this is its clock.
pub fn probing(now: Wall) -> Reply {
    let mut body = Writer::default();
    body.object(|fields| {
        fields.yes("OK");
        fields.plain_string("Now", Rfc3339(now.unix_nanos()));
    });
    reply::text(200, body.finish_line())
}

fn member(writer: &mut Writer, member: &Member) {
    writer.object(|fields| {
        fields.uint("id", member.id.0);
        fields.strings("peerURLs", member.peer_urls.iter().map(|url| url.as_str()));
        if member.learner {
            fields.yes("isLearner");
        }
        if !member.name.is_empty() {
            fields.string("name", member.name.as_bytes());
        }
        if !member.client_urls.is_empty() {
            fields.strings("clientURLs", member.client_urls.iter().map(|url| url.as_str()));
        }
    });
}

#[cfg(test)]
mod tests;
