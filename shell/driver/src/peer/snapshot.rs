//! Sending snapshots, each over a connection of its own.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use quorate_core::node::LinkEvent;
use quorate_core::raft::{Body, Message};
use quorate_core::wire::channel::{Channel, Open};
use quorate_core::wire::headers::{Local, PIPELINE_PATH, SNAPSHOT_PATH};
use quorate_core::wire::message::encode_message;
use quorate_core::wire::snapshot::encode_snapshot_body;
use tokio::sync::mpsc;
use tracing::warn;

use super::codec::{local, verdict};
use super::links::Line;
use super::target::{Rotation, connect, request};
use crate::http::{self, Failure};
use crate::platform::Platform;

/// For a snapshot to arrive: a base, and the time that its bytes take on a slow line.
const TIMEOUT_BASE: Duration = Duration::from_secs(30);
const SLOWEST_BYTES_PER_SECOND: usize = 1 << 20;

type Headers = Vec<(String, String)>;

/// Sends the snapshots of a queue one after the other and reports what became of each.
pub(super) async fn work<P: Platform>(line: Line<P>, mut snapshots: mpsc::Receiver<Message>) {
    let mut rotation = Rotation::default();
    while let Some(message) = snapshots.recv().await {
        let Body::Snapshot(snapshot) = &message.body else { continue };
        let bytes = snapshot.data.len();
        let seconds = u64::try_from(bytes / SLOWEST_BYTES_PER_SECOND).unwrap_or(u64::MAX);
        let timeout = TIMEOUT_BASE.saturating_add(Duration::from_secs(seconds));
        let posted = tokio::select! {
            biased;
            posted = post(&line, &rotation, &message) => posted,
            () = line.ground.platform.sleep(timeout) => Err("no answer".to_owned()),
        };
        match posted {
            Ok((StatusCode::NO_CONTENT, _)) => {
                line.tell(LinkEvent::SnapshotDelivered);
                continue;
            }
            Ok((_, Some(event))) => line.tell(event),
            Ok((status, None)) => warn!(peer = %line.peer, %status, "snapshot refused"),
            Err(cause) => {
                warn!(peer = %line.peer, cause, "snapshot not delivered");
                rotation.next();
            }
        }
        line.tell(LinkEvent::SnapshotFailed);
    }
}

async fn post<P: Platform>(
    line: &Line<P>,
    rotation: &Rotation,
    message: &Message,
) -> Result<(StatusCode, Option<LinkEvent>), Failure> {
    let view = line.ground.shared.published.identified().await;
    let url = rotation.url(&line.urls()).ok_or_else(|| "no URL is known".to_owned())?;
    let local = local(&view).ok_or_else(|| "no identity yet".to_owned())?;
    let (path, headers, body) = form(&local, message);
    let mut connection = connect(line, &url).await?;
    let request = request(&url, Method::POST, path, headers, http::Body::Whole(body))?;
    let response = connection.send(request).await?;
    Ok((response.status(), verdict(&response)))
}

/// Where a snapshot goes, and in which form.
fn form(local: &Local<'_>, message: &Message) -> (&'static str, Headers, Bytes) {
    let by_pipeline = local.takes_snapshots_by_pipeline(message.to);
    match Channel::choose(&message.body, Open::default(), by_pipeline) {
        Channel::Pipeline => {
            (PIPELINE_PATH, local.pipeline_headers(message.to), encode_message(message))
        }
        _ => (SNAPSHOT_PATH, local.snapshot_headers(message.to), encode_snapshot_body(message)),
    }
}
