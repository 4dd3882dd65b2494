//! What members of etcd 2.3.8 said to each other in a cluster of two: the heads of their requests,
//! and the beginnings of their streams.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::headers::{Local, StreamKind};
use super::message::{Received, encode_message};
use super::request::{Method, Request};
use super::stream::{MessageStreamDecoder, MsgAppStreamDecoder};
use super::version::{Personality, Version};
use crate::http::{self, Head};
use crate::id::{ClusterId, MemberId};
use crate::member::boots::Known;
use crate::member::identity::Said;
use crate::member::{Cluster, Member};
use crate::raft::{Body, EntryKind, LogId, Message};
use crate::url::Url;

const LEADER: MemberId = MemberId(0x28d1_e226_dcfe_c153);
const FOLLOWER: MemberId = MemberId(0x5adf_995e_ef6a_1167);
static NOBODY: BTreeMap<MemberId, Known> = BTreeMap::new();

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/etcd-2.3.8/wire/", $name))
    };
}

fn messages(stream: &[u8]) -> Vec<Received> {
    let mut decoder = MessageStreamDecoder::new();
    decoder.push(stream);
    core::iter::from_fn(|| decoder.decode().unwrap()).collect()
}

fn body(received: &Received) -> &Body {
    let Received::Message(message) = received else { panic!("{received:?}") };
    &message.body
}

#[test]
fn the_streams_of_messages() {
    let said = messages(recorded!("leader.message"));
    let last = LogId { term: 1, index: 2 };
    assert_eq!(body(&said[0]), &Body::Vote { pre: false, last, transfer: false });
    for (received, commit) in said[1..].iter().zip([5, 6, 7]) {
        let heartbeat = Body::Heartbeat { commit, context: Bytes::new() };
        assert_eq!(body(received), &heartbeat);
    }

    let said = messages(recorded!("follower.message"));
    assert_eq!(body(&said[0]), &Body::VoteResponse { pre: false, granted: true });
    assert_eq!(body(&said[1]), &Body::Appended { index: 3 });
    let Body::Propose { entries } = body(&said[2]) else { panic!("{:?}", said[2]) };
    let request = Request::decode(entries[0].data.clone()).unwrap();
    assert_eq!(request.method, Method::Put);
    assert_eq!(request.path, "/0/members/5adf995eef6a1167/attributes");
    assert_eq!(request.encode(), entries[0].data, "etcd's own bytes");
    assert_eq!(body(&said[5]), &Body::HeartbeatResponse { context: Bytes::new() });
    assert_eq!(said[8], Received::LinkHeartbeat);
    assert_eq!(said.len(), 12);
}

#[test]
fn the_stream_of_appends() {
    let mut decoder = MsgAppStreamDecoder::new(FOLLOWER, LEADER);
    decoder.push(recorded!("leader.msgapp"));
    let mut entries = Vec::new();
    while let Some(received) = decoder.decode().unwrap() {
        if let Received::Message(Message {
            from,
            to,
            body: Body::Append { entries: new, .. },
            ..
        }) = received
        {
            assert_eq!((from, to), (LEADER, FOLLOWER));
            entries.extend(new);
        }
    }
    let indexes: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
    assert_eq!(indexes, (3..).take(indexes.len()).collect::<Vec<u64>>());
    assert!(entries.iter().all(|entry| entry.kind == EntryKind::Normal && entry.term == 2));
    assert!(entries[0].data.is_empty(), "a new leader begins with an empty entry");
    let written: Vec<String> = entries[1..]
        .iter()
        .map(|entry| Request::decode(entry.data.clone()).unwrap())
        .filter(|request| request.method == Method::Put)
        .map(|request| request.path)
        .collect();
    let keys = ["/1/k0", "/1/k0", "/1/k1", "/1/k1", "/1/k2", "/1/k2"];
    assert_eq!(written[2..], [&["/0/version"][..], &keys].concat());
}

/// What is sent back differs from etcd's bytes in what may be left out: an empty snapshot.
#[test]
fn what_is_read_is_written_as_it_came_but_for_the_empty_snapshot() {
    for stream in [&recorded!("leader.message")[..], recorded!("follower.message")] {
        for received in messages(stream) {
            let Received::Message(message) = received else { continue };
            let again = encode_message(&message);
            assert_eq!(
                super::message::decode_message(again),
                Ok(Received::Message(message.clone()))
            );
        }
    }
}

fn member(id: MemberId, url: &str) -> Member {
    Member {
        id,
        name: String::new(),
        peer_urls: vec![Url::parse(url).unwrap()],
        client_urls: Vec::new(),
        learner: false,
    }
}

/// A request of the follower for a stream of the leader.
fn dialled(more: &[(&str, &str)]) -> Head {
    let own = [
        ("host", "127.0.7.2:2380"),
        ("user-agent", "Go-http-client/1.1"),
        ("x-etcd-cluster-id", "e37f311b06b6ceee"),
        ("x-min-cluster-version", "2.2.0"),
        ("x-peerurls", "http://127.0.7.2:2390"),
        ("x-raft-to", "28d1e226dcfec153"),
        ("x-server-from", "5adf995eef6a1167"),
        ("x-server-version", "2.3.8"),
        ("accept-encoding", "gzip"),
    ];
    let headers = own.iter().chain(more).map(|(name, value)| (name.to_string(), value.to_string()));
    Head {
        method: http::Method::Get,
        path: "/raft/stream/msgapp/5adf995eef6a1167".into(),
        query: String::new(),
        headers: headers.collect(),
    }
}

fn local(personality: Personality, cluster: &Cluster) -> Local<'_> {
    Local {
        member: LEADER,
        cluster_id: ClusterId(0xe37f_311b_06b6_ceee),
        personality,
        cluster,
        said: Said::default(),
        peers: &NOBODY,
    }
}

#[test]
fn the_requests_for_streams() {
    let mut cluster: Cluster =
        [member(LEADER, "http://127.0.7.2:2380"), member(FOLLOWER, "http://127.0.7.2:2390")]
            .into_iter()
            .collect();
    let status = |personality, head: &Head, cluster: &Cluster| {
        local(personality, cluster).check_stream(head).map_or_else(
            |refusal| refusal.status,
            |request| {
                assert_eq!((request.kind, request.from), (StreamKind::MsgApp, FOLLOWER));
                200
            },
        )
    };
    let head = dialled(&[]);
    assert_eq!(super::headers::said(&head).server, Some(Version::new(2, 3, 8)));
    assert_eq!(status(Personality::V2_3, &head, &cluster), 200);
    assert_eq!(status(Personality::UNDECIDED, &head, &cluster), 200);
    assert_eq!(status(Personality::V3_4, &head, &cluster), 412);
    // The same from a member of Quorate that stands among those of 2.3 a moment longer.
    let directory = ("x-quorate-incarnation", "00000000000000000000000000000001");
    assert_eq!(status(Personality::V3_4, &dialled(&[directory]), &cluster), 200);
    // Whoever was removed learns of it, although the others have moved on.
    cluster.members.remove(&FOLLOWER);
    cluster.removed.insert(FOLLOWER);
    assert_eq!(status(Personality::V3_4, &head, &cluster), 410);

    assert!(local(Personality::V2_3, &cluster).takes_snapshots_by_pipeline(FOLLOWER));
    assert!(!local(Personality::V3_4, &cluster).takes_snapshots_by_pipeline(FOLLOWER));
}
