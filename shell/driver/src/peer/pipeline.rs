//! The pipeline: messages that found no stream, one request each.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use quorate_core::node::LinkEvent;
use quorate_core::raft::{self, Message};
use quorate_core::wire::headers::PIPELINE_PATH;
use quorate_core::wire::message::encode_message;
use tokio::sync::{Mutex, mpsc};
use tracing::debug;

use super::POST_TIMEOUT;
use super::codec::{local, verdict};
use super::links::Line;
use super::target::{Rotation, connect, request};
use crate::http::{Body, Connection, Failure, Whole, read_body};
use crate::platform::Platform;

/// Bytes of an answer that are read so that the connection can be used again.
const ANSWER_LIMIT: usize = 64 << 10;

/// One worker. It shares the queue with its siblings.
pub(super) async fn work<P: Platform>(
    line: Line<P>,
    messages: Arc<Mutex<mpsc::Receiver<Message>>>,
) {
    let mut rotation = Rotation::default();
    let mut connection = None;
    loop {
        let Some(message) = messages.lock().await.recv().await else { return };
        let posted = tokio::select! {
            biased;
            posted = post(&line, &rotation, &mut connection, &message) => posted,
            () = line.ground.platform.sleep(POST_TIMEOUT) => Err("no answer".to_owned()),
        };
        match posted {
            Ok((StatusCode::NO_CONTENT, _)) => continue,
            Ok((_, Some(event))) => line.tell(event),
            Ok((status, None)) => debug!(peer = %line.peer, %status, "message refused"),
            Err(cause) => {
                debug!(peer = %line.peer, cause, "message not delivered");
                connection = None;
                rotation.next();
            }
        }
        line.tell(LinkEvent::Unreachable);
    }
}

async fn post<P: Platform>(
    line: &Line<P>,
    rotation: &Rotation,
    connection: &mut Option<Connection>,
    message: &Message,
) -> Result<(StatusCode, Option<LinkEvent>), Failure> {
    let view = line.ground.shared.published.identified().await;
    let url = rotation.url(&line.urls()).ok_or_else(|| "no URL is known".to_owned())?;
    let body = encode_message(message);
    line.ground.shared.counted.metrics.peer_sent(line.peer, body.len());
    let local = local(&view).ok_or_else(|| "no identity yet".to_owned())?;
    loop {
        let kept = connection.take().filter(Connection::is_open);
        let reused = kept.is_some();
        let mut used = match kept {
            Some(kept) => kept,
            None => connect(line, &url).await?,
        };
        let body = Body::Whole(body.clone());
        let request =
            request(&url, Method::POST, PIPELINE_PATH, local.pipeline_headers(line.peer), body)?;
        match used.send(request).await {
            Ok(response) => {
                let told = (response.status(), verdict(&response));
                if let Whole::Bytes(_) = read_body(response.into_body(), ANSWER_LIMIT).await {
                    *connection = Some(used);
                }
                return Ok(told);
            }
            // The peer may have closed a connection that lay idle. A message that arrives twice
            // does no harm, unless it proposes something: each copy would be carried out.
            Err(_) if reused && !matches!(message.body, raft::Body::Propose { .. }) => {}
            Err(cause) => return Err(cause),
        }
    }
}
