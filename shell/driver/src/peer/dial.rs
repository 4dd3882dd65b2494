//! Dialling the streams on which a peer writes to this member.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::{Method, StatusCode};
use quorate_core::id::MemberId;
use quorate_core::node::LinkEvent;
use quorate_core::url::Url;
use quorate_core::wire::headers::StreamKind;
use quorate_core::wire::message::Received;
use tracing::debug;

use super::codec::{Decoder, local};
use super::links::Line;
use super::target::{Rotation, connect, request};
use super::{READ_TIMEOUT, REDIAL, REDIAL_REMOVED};
use crate::http::{Body, Failure};
use crate::platform::Platform;

/// Why an attempt ended.
enum End {
    /// The connection could not be made, or was lost.
    Failed(Failure),
    /// The peer says that this member was removed.
    Removed,
}

/// Keeps one stream dialled for as long as the link lives.
pub(super) async fn keep_dialled<P: Platform>(line: Line<P>, kind: StreamKind) {
    let mut rotation = Rotation::default();
    loop {
        let end = match rotation.url(&line.urls()) {
            Some(url) => attempt(&line, kind, &url).await,
            None => End::Failed("no URL is known".to_owned()),
        };
        let pause = match end {
            End::Failed(cause) => {
                debug!(peer = %line.peer, stream = ?kind, cause, "stream ended");
                rotation.next();
                REDIAL
            }
            End::Removed => {
                line.tell(LinkEvent::SaysRemoved);
                REDIAL_REMOVED
            }
        };
        line.ground.platform.sleep(pause).await;
    }
}

async fn attempt<P: Platform>(line: &Line<P>, kind: StreamKind, url: &Url) -> End {
    let view = line.ground.shared.published.identified().await;
    let Some(local) = local(&view) else { return End::Failed("no identity yet".to_owned()) };
    let me = local.member;
    let platform = &line.ground.platform;
    let answer = async {
        let mut connection = connect(line, url).await?;
        let headers = local.stream_headers(line.peer);
        let request = request(url, Method::GET, &kind.path(me), headers, Body::empty())?;
        let response = connection.send(request).await?;
        // The connection lives for as long as the body is read; no request follows.
        Ok((connection, response))
    };
    let answer = tokio::select! {
        biased;
        answer = answer => answer,
        () = platform.sleep(READ_TIMEOUT) => Err("no answer".to_owned()),
    };
    match answer {
        Err(cause) => End::Failed(cause),
        Ok((_, response)) if response.status() == StatusCode::GONE => End::Removed,
        Ok((connection, response)) if response.status() == StatusCode::OK => {
            line.tell(LinkEvent::Connected);
            let end = read(line, Decoder::new(kind, me, line.peer), me, response.into_body()).await;
            drop(connection);
            end
        }
        Ok((_, response)) => End::Failed(format!("status {}", response.status().as_u16())),
    }
}

/// Hands the messages of a stream to the loop, in their order, until the stream ends.
async fn read<P: Platform>(
    line: &Line<P>,
    mut decoder: Decoder,
    me: MemberId,
    mut body: Incoming,
) -> End {
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = line.ground.platform.sleep(READ_TIMEOUT) => {
                return End::Failed("nothing was heard".to_owned());
            }
        };
        let data = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => data,
            Some(Ok(Err(_trailers))) => continue,
            Some(Err(error)) => return End::Failed(error.to_string()),
            None => return End::Failed("closed by the peer".to_owned()),
        };
        decoder.push(&data);
        loop {
            match decoder.decode() {
                Ok(None) => break,
                Err(error) => return End::Failed(error.to_string()),
                Ok(Some(Received::Message(message))) if message.to == me => {
                    if line.ground.shared.mailbox.peers.send(message).await.is_err() {
                        return End::Failed("this member has stopped".to_owned());
                    }
                }
                // Signs of life, and what is not meant for this member.
                Ok(Some(_)) => {}
            }
        }
        if body.is_end_stream() {
            return End::Failed("closed by the peer".to_owned());
        }
    }
}
