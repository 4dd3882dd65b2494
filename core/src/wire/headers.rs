//! The heads of requests between peers: what a sender says, and what a receiver checks before it
//! looks at a body.
//!
//! The checks come in etcd's order and answer in etcd's words, because etcd peers act on both:
//! a 403 makes the sender shut itself down, a 410 makes it stop dialling.

mod reply;
mod stranger;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::version::{Personality, UNSAID, Version};
use crate::http::{Head, Method, Reply};
use crate::id::{ClusterId, MemberId};
use crate::member::Cluster;
use crate::member::boots::Known;
use crate::member::identity::Said;
use crate::raft::{Body, Message};
use crate::tls::Certificate;
use crate::url::Url;

/// Who sends; on every request.
pub const SERVER_FROM: &str = "X-Server-From";
/// The version of the sender; on every request, and on answers that open a stream.
pub const SERVER_VERSION: &str = "X-Server-Version";
/// The lowest version of a cluster that the sender joins; on every request.
pub const MIN_CLUSTER_VERSION: &str = "X-Min-Cluster-Version";
/// The cluster; on every request and every answer.
pub const CLUSTER_ID: &str = "X-Etcd-Cluster-ID";
/// Who is asked; on requests for a stream.
pub const RAFT_TO: &str = "X-Raft-To";
/// Where the sender can be reached; on every request, if it is known.
pub const PEER_URLS: &str = "X-PeerURLs";

/// On an answer of 412: the data directory by which the sender is known, which is not the one that
/// it comes with.
pub const KNOWN_INCARNATION: &str = "X-Quorate-Known-Incarnation";

/// The members of the cluster by name and place; between members of different clusters.
pub const MEMBERS: &str = "X-Quorate-Members";

/// Path of the pipeline.
pub const PIPELINE_PATH: &str = "/raft";
/// Path of snapshots.
pub const SNAPSHOT_PATH: &str = "/raft/snapshot";
/// What the paths of streams begin with.
pub const STREAM_PREFIX: &str = "/raft/stream/";

/// The member that sends or receives.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// Its ID.
    pub member: MemberId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// What it says it is.
    pub personality: Personality,
    /// Whom it knows.
    pub cluster: &'a Cluster,
    /// What it says beyond that to other members of Quorate.
    pub said: Said,
    /// By what it knows them.
    pub peers: &'a BTreeMap<MemberId, Known>,
}

/// The kinds of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Appends: [`MsgAppStreamDecoder`](super::stream::MsgAppStreamDecoder).
    MsgApp,
    /// All other messages: [`MessageStreamDecoder`](super::stream::MessageStreamDecoder).
    Message,
}

/// A request for a stream that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRequest {
    /// What is asked for.
    pub kind: StreamKind,
    /// Who dialled, and will read.
    pub from: MemberId,
}

impl StreamKind {
    /// The path under which `reader` dials the stream.
    pub fn path(self, reader: MemberId) -> String {
        let kind = match self {
            Self::MsgApp => "msgapp",
            Self::Message => "message",
        };
        format!("{STREAM_PREFIX}{kind}/{reader}")
    }
}

impl Local<'_> {
    /// The headers of a request of the pipeline of `to`.
    pub fn pipeline_headers(&self, to: MemberId) -> Vec<(String, String)> {
        self.request_headers(to, ("Content-Type", "application/protobuf".into()))
    }

    /// The headers of a request that brings `to` a snapshot.
    pub fn snapshot_headers(&self, to: MemberId) -> Vec<(String, String)> {
        self.request_headers(to, ("Content-Type", "application/octet-stream".into()))
    }

    /// The headers of a request for a stream of `to`.
    pub fn stream_headers(&self, to: MemberId) -> Vec<(String, String)> {
        self.request_headers(to, (RAFT_TO, to.to_string()))
    }

    /// What it says to one of them.
    pub fn said_to(&self, peer: MemberId) -> Said {
        Said { evidence: self.peers.get(&peer).copied(), ..self.said }
    }

    fn request_headers(&self, to: MemberId, own: (&str, String)) -> Vec<(String, String)> {
        let mut headers = Vec::from([
            (SERVER_FROM, self.member.to_string()),
            (SERVER_VERSION, self.personality.server.to_string()),
            (MIN_CLUSTER_VERSION, self.personality.min_cluster.to_string()),
            (CLUSTER_ID, self.cluster_id.to_string()),
            own,
        ]);
        if let Some(member) = self.cluster.members.get(&self.member)
            && !member.peer_urls.is_empty()
        {
            let urls: Vec<&str> = member.peer_urls.iter().map(Url::as_str).collect();
            headers.push((PEER_URLS, urls.join(",")));
        }
        headers.extend(self.said_to(to).headers());
        headers.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    /// Checks the head of `POST /raft`.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub fn check_pipeline(&self, head: &Head) -> Result<(), Reply> {
        self.check_method(head, Method::Post, "POST")?;
        self.check_cluster(head)?;
        match header(head, SERVER_FROM).and_then(|from| MemberId::parse_hex(&from)) {
            Some(from) => self.check_directory(head, from),
            None => Ok(()),
        }
    }

    /// Checks the head of `POST /raft/snapshot`.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub fn check_snapshot(&self, head: &Head) -> Result<(), Reply> {
        self.check_pipeline(head)
    }

    /// Checks the head of `GET /raft/stream/…`.
    ///
    /// # Errors
    /// The answer that refuses it. 404 for an unknown sender is normal for a while when that one
    /// was just added.
    pub fn check_stream(&self, head: &Head) -> Result<StreamRequest, Reply> {
        self.stream_request(head).map_err(|mut reply| {
            reply.headers.push((SERVER_VERSION, self.personality.server.to_string()));
            reply
        })
    }

    fn stream_request(&self, head: &Head) -> Result<StreamRequest, Reply> {
        self.check_method(head, Method::Get, "GET")?;
        self.check_cluster(head)?;
        let rest = head.path.strip_prefix(STREAM_PREFIX).unwrap_or("");
        let (kind, from) = match rest.split_once('/') {
            Some(("msgapp", from)) => (StreamKind::MsgApp, from),
            Some(("message", from)) => (StreamKind::Message, from),
            _ => return Err(self.plain(404, "invalid path")),
        };
        let from = MemberId::parse_hex(from).ok_or_else(|| self.plain(404, "invalid from"))?;
        if self.cluster.removed.contains(&from) {
            return Err(self.plain(410, "removed member"));
        }
        if header(head, SERVER_FROM).is_some_and(|said| MemberId::parse_hex(&said) != Some(from)) {
            return Err(self.plain(412, "from field mismatch"));
        }
        if from == self.member || !self.cluster.members.contains_key(&from) {
            return Err(self.plain(404, "error sender not found"));
        }
        self.check_directory(head, from)?;
        let to = header(head, RAFT_TO).and_then(|to| MemberId::parse_hex(&to));
        if to != Some(self.member) {
            return Err(self.plain(412, "to field mismatch"));
        }
        Ok(StreamRequest { kind, from })
    }

    /// Who sends a message: who says so in the head, which etcd 2.0 leaves open. The message has to
    /// be of the same member, unless it is one that members pass on for others.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub fn sender(&self, head: &Head, message: &Message) -> Result<MemberId, Reply> {
        let Some(said) = header(head, SERVER_FROM) else { return Ok(message.from) };
        let passed_on = matches!(message.body, Body::Propose { .. } | Body::TransferLeader);
        match MemberId::parse_hex(&said) {
            Some(sender) if sender == message.from || passed_on => Ok(sender),
            _ => {
                let from = message.from;
                Err(self.plain(412, &format!("the message is of {from}, and sent by {said}")))
            }
        }
    }

    /// Checks that whoever showed a certificate may speak for the member `from`: it has to be valid
    /// for one of the peer URLs of that member, which are `said` where the member is not known
    /// here. Nothing is checked where no certificate was shown: whether one is demanded is decided
    /// at the handshake.
    ///
    /// # Errors
    /// The answer that refuses it. It has a status upon which etcd neither stops nor gives up.
    pub fn check_certificate(
        &self,
        from: MemberId,
        said: &[Url],
        certificate: Option<&Certificate>,
    ) -> Result<(), Reply> {
        let Some(certificate) = certificate else { return Ok(()) };
        let known = self.cluster.members.get(&from).map(|member| member.peer_urls.as_slice());
        let urls = known.unwrap_or(said);
        if urls.iter().any(|url| certificate.is_valid_for(url)) {
            return Ok(());
        }
        let urls: Vec<&str> = urls.iter().map(Url::as_str).collect();
        let (names, urls) = (certificate.names(), urls.join(", "));
        Err(self.plain(401, &format!("the certificate is of {names}, member {from} is at {urls}")))
    }

    /// Checks who sent the message in a body.
    ///
    /// # Errors
    /// The answer that tells a removed member that it was removed.
    pub fn check_sender(&self, from: MemberId) -> Result<(), Reply> {
        if self.cluster.removed.contains(&from) { Err(self.removed_sender()) } else { Ok(()) }
    }

    /// A member that comes with another data directory than the one it was known by has lost what
    /// it may have acknowledged.
    fn check_directory(&self, head: &Head, from: MemberId) -> Result<(), Reply> {
        let said = said(head).incarnation;
        match (self.peers.get(&from), said) {
            (Some(known), Some(said)) if known.incarnation != said => {
                Err(self.other_directory(known.incarnation))
            }
            _ => Ok(()),
        }
    }

    fn was_removed(&self, head: &Head) -> bool {
        let from = header(head, SERVER_FROM).and_then(|from| MemberId::parse_hex(&from));
        from.is_some_and(|from| self.cluster.removed.contains(&from))
    }

    /// Whether a snapshot for this member belongs on the pipeline: etcd 2.3 takes it nowhere else,
    /// and 3.4 dies of one that comes there.
    pub fn takes_snapshots_by_pipeline(&self, to: MemberId) -> bool {
        self.personality == Personality::V2_3 && !self.peers.contains_key(&to)
    }

    fn check_method(&self, head: &Head, method: Method, name: &str) -> Result<(), Reply> {
        if head.method == method {
            return Ok(());
        }
        let mut reply = self.plain(405, "Method Not Allowed");
        reply.headers.push(("Allow", name.into()));
        Err(reply)
    }

    /// The version comes first: other versions may count clusters differently. Members of Quorate
    /// say the version of those among whom they stand, which may just change; and one that was
    /// removed has to learn of it, whatever the cluster has come to since.
    fn check_cluster(&self, head: &Head) -> Result<(), Reply> {
        let (server, min_cluster) = said_versions(head);
        let accepts = |(server, min)| self.personality.accepts(server, min);
        let understood = said(head).incarnation.is_some()
            || server.zip(min_cluster).is_some_and(accepts)
            || self.was_removed(head);
        if !understood {
            return Err(self.plain(412, "incompatible version"));
        }
        let cluster = header(head, CLUSTER_ID).and_then(|id| ClusterId::parse_hex(&id));
        if cluster != Some(self.cluster_id) {
            return Err(self.introduced(self.plain(412, "cluster ID mismatch")));
        }
        Ok(())
    }
}

/// Server and lowest cluster version that a request says; what it does not say counts as 2.0.0,
/// what is malformed as nothing that could be accepted.
pub fn said_versions(head: &Head) -> (Option<Version>, Option<Version>) {
    let said = |name| match header(head, name) {
        Some(text) => Version::parse(&text),
        None => Some(UNSAID),
    };
    (said(SERVER_VERSION), said(MIN_CLUSTER_VERSION))
}

/// Where the sender of a request says that it can be reached; nothing if it does not say, or
/// says nonsense.
pub fn said_peer_urls(head: &Head) -> Vec<Url> {
    header(head, PEER_URLS).and_then(|urls| Url::parse_list(&urls).ok()).unwrap_or_default()
}

/// What the sender of a request says beyond etcd's headers.
pub fn said(head: &Head) -> Said {
    Said::read(|name| head.header(name))
}

fn header(head: &Head, name: &str) -> Option<String> {
    head.header(&name.to_ascii_lowercase()).map(String::from)
}

#[cfg(test)]
mod tests;
