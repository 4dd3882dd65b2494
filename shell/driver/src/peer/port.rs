//! The peer port: what other members ask of this one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, Response};
use quorate_core::api;
use quorate_core::http::{Head, Reply};
use quorate_core::id::MemberId;
use quorate_core::member::identity::Said;
use quorate_core::node::Input;
use quorate_core::raft::Message;
use quorate_core::wire::headers::{
    Local, PIPELINE_PATH, SNAPSHOT_PATH, STREAM_PREFIX, said, said_peer_urls,
};
use tracing::debug;

use super::codec::local;
use super::incoming::{read_message, read_snapshot};
use super::links::Ground;
use super::registry::Registry;
use super::stream::StreamBody;
use crate::client::convert::{answer, head, response};
use crate::http::{Body, Service, Steady};
use crate::platform::{Caller, Platform};
use crate::run::Shared;

/// How long a body may bring nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers the other members.
#[derive(Clone)]
pub(crate) struct Port<P: Platform> {
    ground: Ground<P>,
    registry: Arc<Registry>,
}

impl<P: Platform> Service for Port<P> {
    async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let head = head(&parts);
        match head.path.as_str() {
            PIPELINE_PATH | SNAPSHOT_PATH => response(self.raft(&head, body, caller).await),
            path if path.starts_with(STREAM_PREFIX) => self.stream(&head, caller).await,
            _ => response(self.told(&head).await.unwrap_or_else(not_found)),
        }
    }
}

impl<P: Platform> Port<P> {
    pub(super) const fn new(ground: Ground<P>, registry: Arc<Registry>) -> Self {
        Self { ground, registry }
    }

    /// What is answered from the view; some of it once a quorum has confirmed it, or will not.
    async fn told(&self, head: &Head) -> Option<Reply> {
        let Shared { published, asker, .. } = &self.ground.shared;
        let view = published.view()?;
        if !api::peer::wants_confirmation(head, &view) {
            return api::peer::answer(head, &view, self.ground.platform.now().wall);
        }
        let answered = asker.once(api::Request::Confirm).await;
        Some(api::peer::confirmed(&*published.view()?, &answered))
    }

    /// A message, alone or with a snapshot.
    async fn raft(&self, head: &Head, body: Incoming, caller: &Caller) -> Reply {
        let view = self.ground.shared.published.identified().await;
        let Some(local) = local(&view) else { return not_found() };
        let snapshot = head.path == SNAPSHOT_PATH;
        let checked =
            if snapshot { local.check_snapshot(head) } else { local.check_pipeline(head) };
        if let Err(refusal) = checked {
            self.tell_of_refused(&local, head);
            return refusal;
        }
        let body = Steady::new(body, self.ground.platform.clone(), PATIENCE);
        let read = if snapshot {
            read_snapshot(&local, body).await
        } else {
            read_message(&local, body).await
        };
        match read {
            Ok(message) => {
                let sender = local.sender(head, &message);
                let certified =
                    sender.and_then(|sender| self.certified(&local, head, sender, caller));
                if let Err(refusal) = certified {
                    return refusal;
                }
                self.remember(&local, head, message.from);
                self.pass(&local, (message, said(head)), snapshot).await
            }
            Err(reply) => reply,
        }
    }

    /// Tells the node of somebody of another cluster, or of this one who is not on its list.
    fn tell_of_refused(&self, local: &Local<'_>, head: &Head) {
        self.ground.shared.counted.metrics.peer_request_refused();
        let stranger = local.stranger(head);
        let stranger = stranger.map(|(from, cause)| Input::Stranger { from, cause });
        let unlisted = || local.unlisted(head).map(|from| Input::Unlisted { from });
        if let Some(input) = stranger.or_else(unlisted) {
            let _ = self.ground.shared.mailbox.control.send(input);
        }
    }

    /// Whether the caller may speak for a member.
    fn certified(
        &self,
        local: &Local<'_>,
        head: &Head,
        from: MemberId,
        caller: &Caller,
    ) -> Result<(), Reply> {
        let checked =
            local.check_certificate(from, &said_peer_urls(head), caller.certificate.as_ref());
        checked.inspect_err(|refusal| {
            let cause = String::from_utf8_lossy(&refusal.body);
            debug!(%from, cause = cause.trim_end(), "refused a peer");
        })
    }

    /// Notes where a sender can be reached that is not a member as far as this one knows. Only one
    /// whose headers were in order comes here.
    fn remember(&self, local: &Local<'_>, head: &Head, from: MemberId) {
        let known = local.cluster.members.contains_key(&from);
        let urls = said_peer_urls(head);
        if !known && !urls.is_empty() && !local.cluster.removed.contains(&from) {
            self.registry.remember(from, urls);
        }
    }

    async fn pass(
        &self,
        local: &Local<'_>,
        (message, said): (Message, Said),
        snapshot: bool,
    ) -> Reply {
        if let Err(refusal) = local.check_sender(message.from) {
            return refusal;
        }
        if message.to == local.member
            && self.ground.shared.mailbox.peers.send((message, said)).await.is_ok()
        {
            local.accepted()
        } else if snapshot {
            local.snapshot_not_processed("not for this member, or it is stopping")
        } else {
            local.not_processed()
        }
    }

    /// Attaches a stream, which this member writes from then on.
    async fn stream(&self, head: &Head, caller: &Caller) -> Response<Body> {
        let view = self.ground.shared.published.identified().await;
        let Some(local) = local(&view) else { return response(not_found()) };
        let request = match local.check_stream(head) {
            Ok(request) => request,
            Err(refusal) => {
                self.tell_of_refused(&local, head);
                return response(refusal);
            }
        };
        if let Err(refusal) = self.certified(&local, head, request.from, caller) {
            return response(refusal);
        }
        // What it remembers of this member has to be known before anything is answered.
        let met = Input::Met { peer: request.from, said: said(head) };
        let _ = self.ground.shared.mailbox.control.send(met);
        // A member of the cluster to which the loop has no link yet: it will dial again.
        let Some(slots) = self.registry.find(request.from) else { return response(not_found()) };
        let messages = slots.of(request.kind).attach();
        let body = StreamBody::new(self.ground.clone(), request.from, request.kind, messages);
        let opened = local.stream_opened(request.from);
        answer(opened.status, opened.headers, Body::Parts(Box::new(body)))
    }
}

/// Go's answer for a path that nothing serves, and for a member that knows too little to serve it.
fn not_found() -> Reply {
    let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
    Reply { status: 404, headers, body: Bytes::from_static(b"404 page not found\n") }
}
