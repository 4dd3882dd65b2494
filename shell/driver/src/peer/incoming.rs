//! Messages that come as the bodies of requests.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::Body;
use quorate_core::http::Reply;
use quorate_core::raft::Message;
use quorate_core::wire::headers::Local;
use quorate_core::wire::message::{Received, decode_message};
use quorate_core::wire::snapshot::SnapshotDecoder;
use quorate_core::wire::version::Personality;

use crate::http::{Broken, Whole, read_body};

/// Bytes that a message of the pipeline may have: the largest append and room for one large value.
const MESSAGE_LIMIT: usize = 64 << 20;
/// The same where snapshots come as messages, as among members of etcd 2.3.
const SNAPSHOT_LIMIT: usize = 512 << 20;

/// Reads a message that is the whole body.
///
/// # Errors
/// The answer to a body that breaks off, is too long, or holds none.
pub(super) async fn read_message<B>(local: &Local<'_>, body: B) -> Result<Message, Reply>
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
{
    let old = local.personality == Personality::V2_3;
    let limit = if old { SNAPSHOT_LIMIT } else { MESSAGE_LIMIT };
    let Whole::Bytes(bytes) = read_body(body, limit).await else {
        return Err(local.unreadable());
    };
    match decode_message(bytes) {
        Ok(Received::Message(message)) => Ok(message),
        // What a member only sends to itself means nothing from outside, as signs of life do here.
        Ok(_) => Err(local.accepted()),
        Err(_) => Err(local.undecodable()),
    }
}

/// Reads the message and throws the database behind it away.
///
/// # Errors
/// The answer to a body that breaks off, is too long, or holds no snapshot.
pub(super) async fn read_snapshot<B>(local: &Local<'_>, mut body: B) -> Result<Message, Reply>
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
{
    let mut decoder = SnapshotDecoder::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else { break };
        if let Some(data) = frame.data_ref() {
            decoder.push(data);
        }
        if decoder.is_refused() {
            break;
        }
    }
    decoder.finish().map_err(|error| local.not_a_snapshot(&error))
}
