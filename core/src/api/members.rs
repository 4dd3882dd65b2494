//! `/v2/members`: who is in the cluster, and changes of that.

pub mod change;

use super::json::Writer;
use super::reply;
use crate::http::Reply;
use crate::member::Member;
use crate::view::View;

/// `GET /v2/members`: all members, by ID. Nobody is a member before it is decided how to start.
pub(crate) fn list(view: &View) -> Reply {
    if view.cluster_id.is_none() {
        return reply::message(503, "this member has not decided yet how to start");
    }
    let mut body = Writer::default();
    body.object(|fields| {
        fields.value("members", |w| w.array(view.cluster.members.values(), member));
    });
    reply::with_cluster(reply::json(200, body.finish_line()), view.cluster_id)
}

/// `GET /v2/members/leader`
pub(crate) fn leader(view: &View) -> Reply {
    let leader = view.leader.and_then(|id| view.cluster.members.get(&id));
    let reply = match leader {
        Some(leader) => {
            let mut body = Writer::default();
            member(&mut body, leader);
            reply::json(200, body.finish_line())
        }
        None => reply::message(503, "During election"),
    };
    reply::with_cluster(reply, view.cluster_id)
}

/// `GET /v2/members/` and anything else: single members cannot be read.
pub(crate) fn unknown(view: &View) -> Reply {
    reply::with_cluster(reply::message(404, "Not found"), view.cluster_id)
}

/// A change of nobody. etcd leaves `Allow` out here.
pub(crate) fn without_id(view: &View) -> Reply {
    reply::with_cluster(reply::method_not_allowed(&[]), view.cluster_id)
}

/// All four fields are always there.
fn member(writer: &mut Writer, member: &Member) {
    writer.object(|fields| {
        fields.plain_string("id", member.id);
        fields.string("name", member.name.as_bytes());
        fields.strings("peerURLs", member.peer_urls.iter().map(|url| url.as_str()));
        fields.strings("clientURLs", member.client_urls.iter().map(|url| url.as_str()));
    });
}

#[cfg(test)]
mod tests;
