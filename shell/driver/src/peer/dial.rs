//! Dialling the streams on which a peer writes to this member.

use std::collections::BTreeSet;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::{Method, StatusCode};
use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::LinkEvent;
use quorate_core::url::Url;
use quorate_core::wire::headers::StreamKind;
use quorate_core::wire::message::Received;
use tracing::{debug, warn};

use super::codec::{Decoder, local, said, verdict};
use super::links::Line;
use super::target::{Rotation, connect, request};
use super::{READ_TIMEOUT, REDIAL, REDIAL_REFUSED};
use crate::http::{Body, Failure, Whole, read_body};
use crate::platform::Platform;

/// Why an attempt ended.
enum End {
    /// The stream could not be opened.
    Failed(Failure),
    /// It was open, and is not any more.
    Lost(Failure),
    /// The peer says something about this member as a whole.
    Told(LinkEvent),
    /// The peer is of another cluster; here is what a person should know of that.
    Strange(Failure),
}

/// Keeps one stream dialled for as long as the link lives.
pub(super) async fn keep_dialled<P: Platform>(line: Line<P>, kind: StreamKind) {
    let mut rotation = Rotation::default();
    let mut trouble = Trouble::default();
    let mut strange = false;
    loop {
        let end = match rotation.url(&line.urls()) {
            Some(url) => attempt(&line, kind, &url, strange).await.at(&url),
            None => End::Failed("no URL is known".to_owned()),
        };
        strange = matches!(end, End::Strange(_));
        let pause = match end {
            End::Failed(cause) | End::Strange(cause) => {
                // Both streams of a peer meet with the same trouble.
                if kind == StreamKind::Message && trouble.is_new(&cause) {
                    warn!(peer = %line.peer, "cannot reach peer {}: {cause}", line.peer);
                }
                debug!(peer = %line.peer, stream = ?kind, cause, "stream not opened");
                rotation.next();
                REDIAL
            }
            End::Lost(cause) => {
                debug!(peer = %line.peer, stream = ?kind, cause, "stream ended");
                trouble = Trouble::default();
                rotation.next();
                REDIAL
            }
            End::Told(event) => {
                line.tell(event);
                REDIAL_REFUSED
            }
        };
        line.ground.platform.sleep(pause).await;
    }
}

impl End {
    fn at(self, url: &Url) -> Self {
        match self {
            Self::Failed(cause) => Self::Failed(format!("{url}: {cause}")),
            Self::Strange(cause) => Self::Strange(format!("{url}: {cause}")),
            other => other,
        }
    }
}

/// What was said about a peer that cannot be reached: each cause once, until it was reached.
#[derive(Default)]
struct Trouble(BTreeSet<Failure>);

/// Causes that are remembered for one peer. There are few, one or two for each of its URLs.
const CAUSES: usize = 16;

impl Trouble {
    fn is_new(&mut self, cause: &Failure) -> bool {
        self.0.len() < CAUSES && self.0.insert(cause.clone())
    }
}

/// Tries to open a stream. To a peer that was `strange` before this member introduces itself.
async fn attempt<P: Platform>(line: &Line<P>, kind: StreamKind, url: &Url, strange: bool) -> End {
    let view = line.ground.shared.published.identified().await;
    let Some(local) = local(&view) else { return End::Failed("no identity yet".to_owned()) };
    let me = local.member;
    let platform = &line.ground.platform;
    let answer = async {
        let mut connection = connect(line, url).await?;
        let mut headers = local.stream_headers(line.peer);
        headers.extend(strange.then(|| local.introduction()));
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
        Ok((connection, response)) if response.status() == StatusCode::OK => {
            line.tell(LinkEvent::Connected);
            let (decoder, said) = (Decoder::new(kind, me, line.peer), said(&response));
            line.meet(said);
            let end = read(line, decoder, (me, said), response.into_body()).await;
            drop(connection);
            end
        }
        Ok((_connection, response)) => {
            if let Some(event) = verdict(&response) {
                return End::Told(event);
            }
            let status = response.status().as_u16();
            let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
            if let Some(cause) = local.told_of_another_cluster(status, header) {
                return End::Strange(cause);
            }
            let words = tokio::select! {
                biased;
                body = read_body(response.into_body(), REASON_LIMIT) => reason(&body),
                () = platform.sleep(READ_TIMEOUT) => String::new(),
            };
            End::Failed(format!("it answered with status {status}{words}"))
        }
    }
}

/// Bytes of an answer that refuses a stream that are worth reading.
const REASON_LIMIT: usize = 1 << 10;

/// What an answer says, as the end of a sentence.
fn reason(body: &Whole) -> String {
    let (Whole::Bytes(bytes) | Whole::TooLong(bytes)) = body else { return String::new() };
    match String::from_utf8_lossy(bytes).lines().next() {
        Some(line) => format!(": {line}"),
        None => String::new(),
    }
}

/// Hands the messages of a stream to the loop, in their order, until the stream ends.
async fn read<P: Platform>(
    line: &Line<P>,
    mut decoder: Decoder,
    (me, said): (MemberId, Said),
    mut body: Incoming,
) -> End {
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = line.ground.platform.sleep(READ_TIMEOUT) => {
                return End::Lost("nothing was heard".to_owned());
            }
        };
        let data = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => data,
            Some(Ok(Err(_trailers))) => continue,
            Some(Err(error)) => return End::Lost(error.to_string()),
            None => return End::Lost("closed by the peer".to_owned()),
        };
        line.ground.shared.counted.metrics.peer_received(line.peer, data.len());
        decoder.push(&data);
        loop {
            match decoder.decode() {
                Ok(None) => break,
                Err(error) => return End::Lost(error.to_string()),
                Ok(Some(Received::Message(message))) if message.to == me => {
                    if line.ground.shared.mailbox.peers.send((message, said)).await.is_err() {
                        return End::Lost("this member has stopped".to_owned());
                    }
                }
                // Signs of life, and what is not meant for this member.
                Ok(Some(_)) => {}
            }
        }
        if body.is_end_stream() {
            return End::Lost("closed by the peer".to_owned());
        }
    }
}
