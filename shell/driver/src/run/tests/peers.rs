//! The links between members.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::script::{Running, Script, client_port, peer_port, start};
use crate::peer::PIPELINE_WORKERS;
use crate::testing::Network;

/// The members 1 and 2 of a cluster of two.
fn pair(number: u16) -> Script {
    Script { number, peers: vec![3 - number], ..Script::default() }
}

async fn connected_pair() -> (Network, Running, Running) {
    let network = Network::default();
    let one = start(&network, pair(1));
    let two = start(&network, pair(2));
    one.heard.wait("link 2 Connected", 2).await;
    two.heard.wait("link 1 Connected", 2).await;
    (network, one, two)
}

/// The terms of what was heard of one kind, in order.
fn terms(running: &Running, kind: &str) -> Vec<u64> {
    let heard = running.heard.all();
    let of_kind = heard.iter().filter_map(|heard| heard.strip_prefix(kind));
    of_kind.map(|rest| rest.trim().split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_stream_arrive_once_and_in_their_order() {
    let (_network, one, two) = connected_pair().await;
    let mut client = one.memory.dial(client_port(1)).await;
    let greet = "PUT /v2/keys/greet?value=3000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.write_all(greet.as_bytes()).await.unwrap();
    two.heard.wait("message 3000 from 1", 1).await;
    two.heard.wait("append 3000 from 1", 1).await;
    let expected: Vec<u64> = (1..=3000).collect();
    assert_eq!(terms(&two, "message"), expected);
    assert_eq!(terms(&two, "append"), expected);
    assert_eq!(one.heard.count("link 2 Unreachable"), 0);
}

#[tokio::test(start_paused = true)]
async fn quiet_links_stay_up() {
    let (_network, one, two) = connected_pair().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(one.heard.count("link 2 Connected"), 2);
    assert_eq!(two.heard.count("link 1 Connected"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_comes_back_is_connected_again() {
    let (network, one, two) = connected_pair().await;
    two.stopper.stop();
    two.task.await.unwrap();
    network.close(peer_port(2));
    network.close(client_port(2));
    one.heard.wait("link 2 Unreachable", 1).await;
    start(&network, pair(2));
    one.heard.wait("link 2 Connected", 4).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_told() {
    let network = Network::default();
    let one = start(&network, Script { early: 100, ..pair(1) });
    // Two hundred messages: what the queue of the pipeline has no room for is lost at once, and
    // of the others each request fails.
    one.heard.wait("link 2 Unreachable", 200).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(one.heard.count("link 2 Unreachable"), 200);
    assert_eq!(one.heard.count("link 2 Connected"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_pipeline_carries_what_finds_no_stream() {
    let network = Network::default();
    let two = start(&network, pair(2));
    two.heard.wait("listening Ok", 1).await;
    let one = start(&network, Script { early: 20, ..pair(1) });
    // Each worker begins with the peer's first URL, where nobody is, and moves on.
    one.heard.wait("link 2 Unreachable", PIPELINE_WORKERS).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(one.heard.count("link 2 Unreachable"), PIPELINE_WORKERS);
    let arrived = two.heard.count("message") + two.heard.count("append");
    assert_eq!(arrived, 40 - PIPELINE_WORKERS);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_not_known_yet_gets_its_answers() {
    let network = Network::default();
    let newcomer = start(&network, Script { number: 3, echo: true, ..Script::default() });
    newcomer.heard.wait("listening Ok", 1).await;
    let one = start(&network, Script { peers: vec![3], early: 20, ..pair(1) });
    let delivered = 40 - PIPELINE_WORKERS;
    one.heard.wait("listening Ok", 1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(newcomer.heard.count("message") + newcomer.heard.count("append"), delivered);
    assert_eq!(one.heard.count("message") + one.heard.count("append"), delivered);
    assert_eq!(one.heard.count("link 3 Connected"), 0, "its streams are refused meanwhile");
}

#[tokio::test(start_paused = true)]
async fn the_peer_port_answers_questions_and_refuses_strangers() {
    let network = Network::default();
    let one = start(&network, pair(1));
    one.heard.wait("listening Ok", 1).await;
    for (request, status, body) in [
        ("GET /version", "200 OK", "\"etcdserver\":"),
        ("GET /members", "200 OK", "\"peerURLs\":[\"http://node:1001\"]"),
        ("GET /raft/probing", "200 OK", "{\"OK\":true,\"Now\":\"1970-01-01T00:00:"),
        ("GET /else", "404 Not Found", "404 page not found\n"),
        ("POST /raft", "412 Precondition Failed", "incompatible version\n"),
        ("GET /raft", "405 Method Not Allowed", "Method Not Allowed\n"),
        ("GET /raft/stream/message/2", "412 Precondition Failed", "incompatible version\n"),
    ] {
        let mut stream = one.memory.dial(peer_port(1)).await;
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
        assert!(answer.contains(body), "{request}: {answer}");
    }
    assert_eq!(one.heard.count("message"), 0);
}
