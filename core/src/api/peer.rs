//! What the peer port answers from the view: the questions that members ask each other before
//! they talk Raft.

use alloc::string::ToString as _;

use super::json::Writer;
use super::reply;
use super::version;
use crate::boot::forming::known;
use crate::http::{Head, Method, Reply};
use crate::member::Member;
use crate::time::Wall;
use crate::time::rfc3339::Rfc3339;
use crate::view::View;

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
/// is formed (`X-Quorate-State`), which data directory answers (`X-Quorate-Incarnation`) and by which
/// ones it knows the others (`X-Quorate-Known`).
pub fn members(view: &View) -> Reply {
    if view.member.is_none() {
        return reply::failure(503, "this member has not decided yet how to start\n");
    }
    let mut body = Writer::default();
    body.array(view.cluster.members.values(), member);
    let mut reply = reply::with_cluster(reply::json(200, body.finish_line()), view.cluster_id);
    let state = if view.formed { "formed" } else { "forming" };
    reply.headers.push(("X-Quorate-State", state.to_string()));
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
