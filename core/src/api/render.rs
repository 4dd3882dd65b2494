//! Responses as clients see them.

use alloc::string::ToString as _;

use bytes::Bytes;

use super::error::{Code, Error};
use super::json::Writer;
use super::keys::ROOT;
use super::reply;
use super::response::{Response, Stamp, failure_text};
use crate::http::Reply;
use crate::id::ClusterId;
use crate::store::{Action, Event, NodeView};
use crate::time::Wall;
use crate::time::rfc3339::Rfc3339;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// What shapes an answer besides the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// This member's cluster, as soon as it is known.
    pub cluster: Option<ClusterId>,
    /// The time from which times to live are counted down.
    pub now: Wall,
    /// [`KeysRequest::no_value_on_success`](super::KeysRequest::no_value_on_success); `false` for
    /// anything else.
    pub no_value_on_success: bool,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// A whole answer.
    Whole(Reply),
    /// The head of an answer, to be flushed at once. Its body is empty here, and comes in parts.
    Head(Reply),
    /// A part of the body, to be flushed at once.
    Part(Bytes),
    /// The end of the body.
    End,
}

/// Renders a response to a request of `/v2/keys`.
pub fn render(response: &Response, context: Context) -> Rendered {
    match response {
        Response::Keys { result: Ok(event), stamp } => {
            Rendered::Whole(success(event, *stamp, context))
        }
        Response::Keys { result: Err(error), .. } | Response::WatchRefused(error) => {
            Rendered::Whole(Error::from(error).reply(context.cluster))
        }
        Response::Watching { stamp } => {
            Rendered::Head(stamped(200, stamp.store_index, *stamp, Bytes::new(), context.cluster))
        }
        Response::Event(event) => Rendered::Part(line(event, context.now, true)),
        Response::WatchEnded => Rendered::End,
        Response::Failed(failure) => {
            let error = Error::new(Code::RaftInternal, failure_text(failure));
            Rendered::Whole(error.reply(context.cluster))
        }
        // Rendered by their own resources; the node gives none of them for a key.
        Response::Members(_) | Response::Progress(_) | Response::Confirmed(_) => Rendered::End,
    }
}

fn success(event: &Event, stamp: Stamp, context: Context) -> Reply {
    let status = match event.action {
        Action::Create => 201,
        Action::Set if event.prev.is_none() => 201,
        _ => 200,
    };
    let writes = matches!(
        event.action,
        Action::Set | Action::Create | Action::Update | Action::CompareAndSwap
    );
    let body = line(event, context.now, !(context.no_value_on_success && writes));
    // The index of the event itself: by the time of the answer the store may have moved on.
    stamped(status, event.index, stamp, body, context.cluster)
}

fn stamped(
    status: u16,
    index: u64,
    stamp: Stamp,
    body: Bytes,
    cluster: Option<ClusterId>,
) -> Reply {
    let mut reply = reply::json(status, body);
    reply.headers.reserve_exact(4);
    reply.headers.push(("X-Etcd-Index", index.to_string()));
    reply.headers.push(("X-Raft-Index", stamp.raft_index.to_string()));
    reply.headers.push(("X-Raft-Term", stamp.raft_term.to_string()));
    reply::with_cluster(reply, cluster)
}

/// An event as one line of JSON, with or without its nodes.
fn line(event: &Event, now: Wall, nodes: bool) -> Bytes {
    const ROOM_PER_NODE: usize = 160;
    let values = [Some(&event.node), event.prev.as_ref()];
    let values = values.into_iter().flatten().filter_map(|node| node.value.as_ref());
    let room = ROOM_PER_NODE * (2 + event.node.nodes.len()) + values.map(Bytes::len).sum::<usize>();
    let mut writer = Writer::with_capacity(if nodes { room } else { 0 });
    writer.object(|fields| {
        fields.plain_string("action", event.action.name());
        if nodes {
            fields.value("node", |writer| node(writer, &event.node, now));
            if let Some(prev) = &event.prev {
                fields.value("prevNode", |writer| node(writer, prev, now));
            }
        }
    });
    writer.finish_line()
}

fn node(writer: &mut Writer, view: &NodeView, now: Wall) {
    writer.object(|fields| {
        let key = view.path.strip_prefix(ROOT).unwrap_or(&view.path);
        if !key.is_empty() {
            fields.string("key", key.as_bytes());
        }
        if let Some(value) = &view.value {
            fields.string("value", value);
        }
        if view.dir {
            fields.yes("dir");
        }
        if let Some(expiration) = view.expiration {
            fields.plain_string("expiration", Rfc3339(expiration));
            let seconds = seconds_left(expiration, now);
            if seconds != 0 {
                fields.int("ttl", seconds);
            }
        }
        if !view.nodes.is_empty() {
            fields.value("nodes", |w| w.array(&view.nodes, |w, child| node(w, child, now)));
        }
        if view.modified_index != 0 {
            fields.uint("modifiedIndex", view.modified_index);
        }
        if view.created_index != 0 {
            fields.uint("createdIndex", view.created_index);
        }
    });
}

/// Whole seconds until `expiration`, rounded up; negative once a second has gone by since.
fn seconds_left(expiration: i64, now: Wall) -> i64 {
    // In 128 bits, because times to live that overflow wrap into the distant past. Rounding up is
    // rounding down the other way round.
    let left = i128::from(expiration) - i128::from(now.unix_nanos());
    i64::try_from(-(-left).div_euclid(NANOS_PER_SECOND)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
