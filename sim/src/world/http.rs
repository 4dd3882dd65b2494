//! Clients as HTTP sees them: requests of the v2 API over simulated connections.

mod answer;
mod members;
mod request;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use quorate_core::api::MembersRequest;
use quorate_core::store;
use quorate_core::tls::Role;
use quorate_core::url::Scheme;
use quorate_shell::http::Io;
use quorate_shell::{Endpoint, Platform as _};

use super::platform::Simulated;
use crate::members::CLIENT_PORT;
use crate::place::Told;
use crate::workload::{Asked, Outcome};

/// For a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One client's connections, one to each member.
pub(super) struct Browser {
    platform: Simulated,
    connections: BTreeMap<usize, Connection>,
}

/// What comes of a watch.
#[derive(Debug)]
pub(super) enum Seen {
    /// It has begun, at a member with this store index.
    Began(u64),
    /// It was told an event.
    Event(Box<store::Event>),
}

type Connection = SendRequest<Full<Bytes>>;

impl Browser {
    pub(super) const fn new(platform: Simulated) -> Self {
        Self { platform, connections: BTreeMap::new() }
    }

    /// Asks a member; `seen` is shown what comes of a watch. A connection that has failed, or whose
    /// answer is still outstanding, is not used again.
    ///
    /// # Errors
    /// An answer that no client of the v2 API understands.
    pub(super) async fn ask(
        &mut self,
        host: usize,
        asked: &Asked,
        seen: impl Fn(Seen),
    ) -> Result<Outcome, String> {
        let request = request::of(host, asked);
        let Some(mut connection) = self.connection(host).await else {
            return Ok(Outcome::Refused);
        };
        let Ok(response) = connection.send_request(request).await else {
            return Ok(Outcome::Unknown);
        };
        if matches!(asked, Asked::Watch(_)) && response.status() == StatusCode::OK {
            seen(Seen::Began(answer::stamp(response.headers()).store_index));
            return watch(response.into_body(), seen).await;
        }
        let (head, body) = response.into_parts();
        let Ok(body) = body.collect().await else { return Ok(Outcome::Unknown) };
        self.connections.insert(host, connection);
        answer::outcome(&Response::from_parts(head, body.to_bytes()))
    }

    /// Asks a member for a change of the membership.
    pub(super) async fn change(&mut self, host: usize, asked: &MembersRequest) -> Told {
        let Some(mut connection) = self.connection(host).await else { return Told::Unknown };
        let Ok(response) = connection.send_request(members::of(host, asked)).await else {
            return Told::Unknown;
        };
        let (head, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => members::told(&Response::from_parts(head, body.to_bytes())),
            Err(_) => Told::Unknown,
        }
    }

    /// A connection on which nothing is under way.
    async fn connection(&mut self, host: usize) -> Option<Connection> {
        if let Some(mut kept) = self.connections.remove(&host)
            && kept.ready().await.is_ok()
        {
            return Some(kept);
        }
        let name = format!("n{host}");
        let (role, scheme) = (Role::Client, Scheme::Http);
        let to = Endpoint { role, scheme, host: name, port: CLIENT_PORT };
        let connecting = self.platform.connect(&to, CONNECT_TIMEOUT);
        let io = Io::new(connecting.await.ok()?);
        let (sender, connection) = http1::handshake(io).await.ok()?;
        self.platform.spawn(async move {
            // Whatever was under way reports the failure.
            let _ = connection.await;
        });
        Some(sender)
    }
}

/// Reads events, one a line, until the answer ends.
async fn watch(mut body: Incoming, seen: impl Fn(Seen)) -> Result<Outcome, String> {
    let mut text = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        text.extend_from_slice(&data);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            seen(Seen::Event(Box::new(answer::event(&text[..end])?)));
            text.drain(..=end);
        }
    }
    Ok(Outcome::Unknown)
}

/// A request with a form in its body, or nothing.
fn plain(builder: hyper::http::request::Builder, body: String) -> Request<Full<Bytes>> {
    builder.body(Full::new(Bytes::from(body))).expect("paths of workloads are plain")
}
