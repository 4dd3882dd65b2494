//! The two streams in one shape: the core has a codec for each.

use bytes::BytesMut;
use hyper::{Response, StatusCode};
use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::LinkEvent;
use quorate_core::raft::Message;
use quorate_core::view::View;
use quorate_core::wire::WireError;
use quorate_core::wire::headers::{KNOWN_INCARNATION, Local, StreamKind};
use quorate_core::wire::message::Received;
use quorate_core::wire::stream::{
    MessageStreamDecoder, MessageStreamEncoder, MsgAppStreamDecoder, MsgAppStreamEncoder,
};

/// Writes a stream.
pub(super) enum Encoder {
    MsgApp(MsgAppStreamEncoder),
    Message(MessageStreamEncoder),
}

/// Reads a stream.
pub(super) enum Decoder {
    MsgApp(MsgAppStreamDecoder),
    Message(MessageStreamDecoder),
}

impl Encoder {
    pub(super) fn new(kind: StreamKind) -> Self {
        match kind {
            StreamKind::MsgApp => Self::MsgApp(MsgAppStreamEncoder::new()),
            StreamKind::Message => Self::Message(MessageStreamEncoder),
        }
    }

    pub(super) fn encode(&mut self, message: &Message, out: &mut BytesMut) {
        match self {
            Self::MsgApp(encoder) => encoder.encode(message, out),
            Self::Message(encoder) => encoder.encode(message, out),
        }
    }

    pub(super) fn heartbeat(&self, out: &mut BytesMut) {
        match self {
            Self::MsgApp(encoder) => encoder.link_heartbeat(out),
            Self::Message(encoder) => encoder.link_heartbeat(out),
        }
    }
}

impl Decoder {
    /// A decoder for what `peer` writes to `local`.
    pub(super) fn new(kind: StreamKind, local: MemberId, peer: MemberId) -> Self {
        match kind {
            StreamKind::MsgApp => Self::MsgApp(MsgAppStreamDecoder::new(local, peer)),
            StreamKind::Message => Self::Message(MessageStreamDecoder::new()),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::MsgApp(decoder) => decoder.push(bytes),
            Self::Message(decoder) => decoder.push(bytes),
        }
    }

    pub(super) fn decode(&mut self) -> Result<Option<Received>, WireError> {
        match self {
            Self::MsgApp(decoder) => decoder.decode(),
            Self::Message(decoder) => decoder.decode(),
        }
    }
}

/// This member as the headers between peers show it; nothing before it has an identity.
pub(super) fn local(view: &View) -> Option<Local<'_>> {
    Some(Local {
        member: view.member?,
        cluster_id: view.cluster_id?,
        personality: view.personality,
        cluster: &view.cluster,
        said: view.said,
        peers: &view.peers,
    })
}

/// What a peer says of itself in an answer.
pub(super) fn said<B>(response: &Response<B>) -> Said {
    Said::read(|name| response.headers().get(name)?.to_str().ok())
}

/// What an answer says about this member as a whole, if it says anything.
pub(super) fn verdict<B>(response: &Response<B>) -> Option<LinkEvent> {
    match response.status() {
        StatusCode::FORBIDDEN | StatusCode::GONE => Some(LinkEvent::SaysRemoved),
        StatusCode::PRECONDITION_FAILED
            if response.headers().contains_key(KNOWN_INCARNATION.to_ascii_lowercase()) =>
        {
            Some(LinkEvent::SaysReplaced)
        }
        _ => None,
    }
}
