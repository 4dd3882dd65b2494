use std::string::ToString;
use std::vec;

use super::*;
use crate::member::Member;
use crate::member::boots::Evidence;
use crate::member::identity::Incarnation;
use crate::wire::error::WireError;

const OWN: MemberId = MemberId(0xa);
const PEER: MemberId = MemberId(0xb);
const REMOVED: MemberId = MemberId(0xc);
static NOBODY: BTreeMap<MemberId, Known> = BTreeMap::new();

fn cluster() -> Cluster {
    let member = |id| Member {
        id,
        name: String::new(),
        peer_urls: vec![Url::parse("http://h:1").unwrap(), Url::parse("http://h:2").unwrap()],
        client_urls: vec![],
        learner: false,
    };
    let mut cluster = Cluster::default();
    cluster.members.insert(OWN, member(OWN));
    cluster.members.insert(PEER, member(PEER));
    cluster.removed.insert(REMOVED);
    cluster
}

fn local(cluster: &Cluster) -> Local<'_> {
    let personality = Personality::V3_4;
    let (cluster_id, said) = (ClusterId(0xfeed), Said::default());
    Local { member: OWN, cluster_id, personality, cluster, said, peers: &NOBODY }
}

/// A head of `method` and `path` with the headers of a peer in order, changed by `changes`: an
/// absent value removes the header.
fn head(method: Method, path: &str, changes: &[(&str, Option<&str>)]) -> Head {
    let own = cluster();
    let peer = Local { member: PEER, ..local(&own) };
    let mut headers: Vec<(String, String)> = peer
        .stream_headers(OWN)
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    for (name, value) in changes {
        headers.retain(|(other, _)| other != &name.to_ascii_lowercase());
        if let Some(value) = value {
            headers.push((name.to_ascii_lowercase(), value.to_string()));
        }
    }
    Head { method, path: path.to_string(), query: String::new(), headers }
}

fn answer(reply: &Reply) -> (u16, &str) {
    (reply.status, core::str::from_utf8(&reply.body).unwrap())
}

fn said<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_sender_says_who_it_is() {
    let cluster = cluster();
    let text = |headers: Vec<(String, String)>| {
        let lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.join("\n")
    };
    let common = "X-Server-From: a\nX-Server-Version: 3.4.23\nX-Min-Cluster-Version: 3.0.0\n\
                  X-Etcd-Cluster-ID: feed\n";
    let urls = "\nX-PeerURLs: http://h:1,http://h:2";
    let local = local(&cluster);
    assert_eq!(text(local.stream_headers(PEER)), format!("{common}X-Raft-To: b{urls}"));
    assert_eq!(
        text(local.pipeline_headers(PEER)),
        format!("{common}Content-Type: application/protobuf{urls}")
    );
    assert_eq!(
        text(local.snapshot_headers(PEER)),
        format!("{common}Content-Type: application/octet-stream{urls}")
    );
}

#[test]
fn the_first_thing_that_is_wrong_is_answered() {
    let cluster = cluster();
    let local = local(&cluster);
    let bad_cluster = (CLUSTER_ID, Some("feee"));
    let (version, cluster_id) = ("incompatible version\n", "cluster ID mismatch\n");
    let table = [
        (vec![(SERVER_VERSION, None), bad_cluster], version),
        (vec![(MIN_CLUSTER_VERSION, Some("3.5.0"))], version),
        (vec![(SERVER_VERSION, Some("2.3.8"))], version),
        (vec![(SERVER_VERSION, Some("x"))], version),
        (vec![bad_cluster], cluster_id),
        (vec![(CLUSTER_ID, None)], cluster_id),
    ];
    for (changes, body) in &table {
        let post = head(Method::Post, PIPELINE_PATH, changes);
        let reply = local.check_pipeline(&post).unwrap_err();
        assert_eq!(answer(&reply), (412, *body));
        assert_eq!(said(&reply, CLUSTER_ID), Some("feed"));
        let reply = local.check_snapshot(&post).unwrap_err();
        assert_eq!(answer(&reply), (412, *body));
        let path = StreamKind::MsgApp.path(REMOVED);
        let reply = local.check_stream(&head(Method::Get, &path, changes)).unwrap_err();
        assert_eq!(answer(&reply), (412, *body));
    }
    let get = head(Method::Get, PIPELINE_PATH, &[bad_cluster]);
    let reply = local.check_pipeline(&get).unwrap_err();
    assert_eq!(answer(&reply), (405, "Method Not Allowed\n"));
    assert_eq!(said(&reply, "Allow"), Some("POST"));
    local.check_pipeline(&head(Method::Post, PIPELINE_PATH, &[])).unwrap();
    let older = [(SERVER_VERSION, Some("3.0.0"))];
    local.check_pipeline(&head(Method::Post, PIPELINE_PATH, &older)).unwrap();
}

#[test]
fn who_speaks_for_the_cluster_and_is_no_member_is_told_apart() {
    let cluster = cluster();
    let local = local(&cluster);
    let from = |from, cluster| {
        local.unlisted(&head(Method::Post, PIPELINE_PATH, &[(SERVER_FROM, from), cluster]))
    };
    let (same, other) = ((CLUSTER_ID, Some("feed")), (CLUSTER_ID, Some("feee")));
    assert_eq!(from(Some("d"), same), Some(MemberId(0xd)));
    assert_eq!(from(Some("d"), other), None);
    assert_eq!(from(Some("b"), same), None, "it is a member");
    assert_eq!(from(Some("c"), same), None, "it was removed");
    assert_eq!(from(None, same), None);
}

#[test]
fn streams_are_opened_to_members_only() {
    let cluster = cluster();
    let local = local(&cluster);
    let wrong_to: &[(&str, Option<&str>)] = &[(RAFT_TO, Some("b"))];
    let no_to: &[(&str, Option<&str>)] = &[(RAFT_TO, None)];
    let of_d: &[(&str, Option<&str>)] = &[(SERVER_FROM, Some("d"))];
    let of_a: &[(&str, Option<&str>)] = &[(SERVER_FROM, Some("a"))];
    let table = [
        ("/raft/stream/other/b", wrong_to, 404, "invalid path\n"),
        ("/raft/stream/msgapp", wrong_to, 404, "invalid path\n"),
        ("/raft/stream/msgapp/x", wrong_to, 404, "invalid from\n"),
        ("/raft/stream/msgapp/b/b", wrong_to, 404, "invalid from\n"),
        ("/raft/stream/msgapp/c", wrong_to, 410, "removed member\n"),
        ("/raft/stream/message/d", of_d, 404, "error sender not found\n"),
        ("/raft/stream/message/a", of_a, 404, "error sender not found\n"),
        ("/raft/stream/message/b", of_d, 412, "from field mismatch\n"),
        ("/raft/stream/message/b", wrong_to, 412, "to field mismatch\n"),
        ("/raft/stream/message/b", no_to, 412, "to field mismatch\n"),
    ];
    for (path, changes, status, body) in table {
        let reply = local.check_stream(&head(Method::Get, path, changes)).unwrap_err();
        assert_eq!(answer(&reply), (status, body), "{path}");
        assert_eq!(said(&reply, SERVER_VERSION), Some("3.4.23"));
    }
    for kind in [StreamKind::MsgApp, StreamKind::Message] {
        let request = local.check_stream(&head(Method::Get, &kind.path(PEER), &[])).unwrap();
        assert_eq!(request, StreamRequest { kind, from: PEER });
    }
    let post = head(Method::Post, &StreamKind::MsgApp.path(PEER), &[]);
    assert_eq!(local.check_stream(&post).unwrap_err().status, 405);
}

#[test]
fn removed_senders_are_told_so() {
    let cluster = cluster();
    let local = local(&cluster);
    local.check_sender(PEER).unwrap();
    // Whoever is not known yet may have been added while this member was away.
    local.check_sender(MemberId(0xd)).unwrap();
    let reply = local.check_sender(REMOVED).unwrap_err();
    let body = r#"{"message":"cannot process message from removed member"}"#;
    assert_eq!(answer(&reply), (403, body));
}

#[test]
fn bodies_are_answered_in_etcd_s_words() {
    let cluster = cluster();
    let old = Local { personality: Personality::V2_3, ..local(&cluster) };
    let new = local(&cluster);
    assert_eq!(answer(&new.accepted()), (204, ""));
    assert_eq!(answer(&new.stream_opened(PEER)), (200, ""));
    assert_eq!(answer(&new.unreadable()), (400, "error reading raft message\n"));
    assert_eq!(answer(&old.undecodable()), (400, "error unmarshaling raft message\n"));
    assert_eq!(answer(&new.undecodable()), (400, "error unmarshalling raft message\n"));
    assert_eq!(answer(&new.not_processed()), (500, "error processing raft message\n"));
    assert_eq!(
        answer(&new.not_a_snapshot(&WireError::Misplaced)),
        (400, "wrong raft message type\n")
    );
    assert_eq!(
        answer(&new.not_a_snapshot(&WireError::Malformed("unexpected EOF".to_string()))),
        (400, "failed to decode raft message (unexpected EOF)\n")
    );
    assert_eq!(
        answer(&new.snapshot_not_processed("x")),
        (500, "failed to process raft message (x)\n")
    );
}

#[test]
fn what_a_sender_says_of_itself_is_heard() {
    let head = head(Method::Get, "/", &[]);
    let urls: Vec<String> = said_peer_urls(&head).iter().map(ToString::to_string).collect();
    assert_eq!(urls, ["http://h:1", "http://h:2"]);
    assert_eq!(
        said_versions(&head),
        (Some(Personality::V3_4.server), Some(Personality::V3_4.min_cluster))
    );
}

#[test]
fn the_holder_of_a_certificate_speaks_only_for_the_members_at_its_hosts() {
    let (cluster, own) = (cluster(), "h");
    let local = local(&cluster);
    let certificate =
        |name: &str| Certificate { dns_names: vec![name.to_string()], ..Certificate::default() };
    assert_eq!(local.check_certificate(PEER, &[], Some(&certificate(own))), Ok(()));
    assert_eq!(local.check_certificate(PEER, &[], None), Ok(()));
    let refusal = local.check_certificate(PEER, &[], Some(&certificate("other"))).unwrap_err();
    let line = "the certificate is of other, member b is at http://h:1, http://h:2\n";
    assert_eq!(answer(&refusal), (401, line));

    // What a known member says of itself does not count; of an unknown one nothing else is known.
    let said = [Url::parse("https://other:1").unwrap()];
    assert!(local.check_certificate(PEER, &said, Some(&certificate("other"))).is_err());
    let stranger = MemberId(0xd);
    assert_eq!(local.check_certificate(stranger, &said, Some(&certificate("other"))), Ok(()));
    assert!(local.check_certificate(stranger, &[], Some(&certificate("other"))).is_err());
}

/// Whoever comes with another data directory than before is told so, and which one is known.
#[test]
fn a_member_is_known_by_its_directory() {
    let cluster = cluster();
    let (known, other) = (Incarnation::new(&[1; 32]), Incarnation::new(&[2; 32]));
    let past = Evidence::default();
    let peers = BTreeMap::from([(PEER, Known { incarnation: known, past })]);
    let own = Local { peers: &peers, ..local(&cluster) };
    let stream = |said: Incarnation| {
        let path = StreamKind::Message.path(PEER);
        head(Method::Get, &path, &[("x-quorate-incarnation", Some(&said.to_string()))])
    };
    assert!(own.check_stream(&stream(known)).is_ok());
    let refused = own.check_stream(&stream(other)).unwrap_err();
    assert_eq!((refused.status, &*refused.body), (412, &b"incarnation mismatch\n"[..]));
    let told = refused.headers.iter().find(|(name, _)| *name == KNOWN_INCARNATION);
    assert_eq!(told.map(|(_, value)| value.clone()), Some(known.to_string()));
    let post =
        head(Method::Post, PIPELINE_PATH, &[("x-quorate-incarnation", Some(&other.to_string()))]);
    assert_eq!(own.check_pipeline(&post).map_err(|reply| reply.status), Err(412));
    assert_eq!((own.said_to(PEER).evidence, own.said_to(OWN).evidence), (Some(peers[&PEER]), None));
    // Members of etcd say nothing.
    let silent = head(Method::Post, PIPELINE_PATH, &[]);
    assert!(own.check_pipeline(&silent).is_ok());
}

#[test]
fn a_stranger_is_told_apart_by_its_cluster() {
    let cluster = cluster();
    let own = local(&cluster);
    let stranger = |changes: &[(&str, Option<&str>)]| {
        own.stranger(&head(Method::Post, PIPELINE_PATH, changes)).map(|(_, cause)| cause)
    };
    assert_eq!(stranger(&[]), None);
    let of_etcd = [("x-etcd-cluster-id", Some("beef")), ("x-peerurls", Some("http://h:1"))];
    let (from, cause) = own.stranger(&head(Method::Post, PIPELINE_PATH, &of_etcd)).unwrap();
    assert_eq!(from, PEER);
    assert!(
        cause.starts_with("it is of cluster beef at http://h:1, and not of this one, feed of ")
    );
    assert!(cause.contains("=http://h:1,=http://h:2") && cause.contains("is listed there"));
    let elsewhere = [("x-etcd-cluster-id", Some("beef")), ("x-peerurls", Some("http://x:1"))];
    let cause = stranger(&elsewhere).unwrap();
    assert!(cause.contains("has an address of this cluster in its -initial-cluster"), "{cause}");

    // A member of Quorate says its list, once it was told that there is something to explain.
    let incarnation = Incarnation::new(&[1; 32]).to_string();
    let quorate = ("x-quorate-incarnation", Some(&*incarnation));
    assert_eq!(stranger(&[of_etcd[0], of_etcd[1], quorate]), None);
    let list = ("x-quorate-members", Some("a=http://h:1,b=http://z:1"));
    let cause = stranger(&[of_etcd[0], of_etcd[1], quorate, list]).unwrap();
    assert!(cause.contains("at http://h:1 with the members a=http://h:1,b=http://z:1,"), "{cause}");
    assert!(cause.contains("is listed there"), "{cause}");
}

#[test]
fn who_is_refused_as_a_stranger_is_told_both_clusters() {
    let theirs = cluster();
    let refuser = local(&theirs);
    let other = Local { cluster_id: ClusterId(0xbeef), ..refuser };
    let sent = other.introduction();
    assert_eq!(sent.0, MEMBERS);
    assert!(sent.1.contains("=http://h:1,=http://h:2"), "{}", sent.1);
    let asked =
        head(Method::Get, &StreamKind::Message.path(PEER), &[("x-etcd-cluster-id", Some("beef"))]);
    let refused = refuser.check_stream(&asked).unwrap_err();
    assert_eq!(answer(&refused), (412, "cluster ID mismatch\n"));
    let header = |name: &str| said(&refused, name).map(String::from);
    let told = other.told_of_another_cluster(refused.status, header).unwrap();
    for part in [
        "cluster feed with the members =http://h:1",
        "this member of beef with",
        "-initial-cluster-token",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(refuser.told_of_another_cluster(refused.status, header), None, "it is its own");
    assert_eq!(other.told_of_another_cluster(404, header), None);
}

#[test]
fn lists_are_fit_for_headers_and_bounded() {
    let mut cluster = cluster();
    if let Some(member) = cluster.members.get_mut(&PEER) {
        member.name = "ü\n".repeat(1000);
    }
    let (_, list) = local(&cluster).introduction();
    assert!(list.len() <= 1024 + 3 && list.ends_with("..."), "{}", list.len());
    assert!(list.bytes().all(|byte| byte.is_ascii_graphic()), "{list}");
}

#[test]
fn a_message_is_of_the_member_that_sends_it_unless_it_is_passed_on() {
    let cluster = cluster();
    let local = local(&cluster);
    let message = |from, body| Message { to: OWN, from, term: 1, body };
    let by_peer = head(Method::Post, PIPELINE_PATH, &[]);
    let unsaid = head(Method::Post, PIPELINE_PATH, &[(SERVER_FROM, None)]);
    let nonsense = head(Method::Post, PIPELINE_PATH, &[(SERVER_FROM, Some("x"))]);
    let other = MemberId(0xd);
    let vote = || Body::VoteResponse { granted: true, pre: false };
    assert_eq!(local.sender(&by_peer, &message(PEER, vote())), Ok(PEER));
    assert_eq!(local.sender(&unsaid, &message(other, vote())), Ok(other));
    let refusal = local.sender(&by_peer, &message(other, vote())).unwrap_err();
    assert_eq!(answer(&refusal), (412, "the message is of d, and sent by b\n"));
    assert!(local.sender(&nonsense, &message(PEER, vote())).is_err());
    assert_eq!(local.sender(&by_peer, &message(other, Body::TransferLeader)), Ok(PEER));
}
