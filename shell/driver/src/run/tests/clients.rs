//! The client port.

use std::time::Duration;

use quorate_core::node::Exit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::script::{REQUEST_TIMEOUT, Running, Script, client_port, start};
use crate::testing::Network;

async fn ready(script: Script) -> Running {
    let running = start(&Network::default(), script);
    running.heard.wait("listening Ok", 1).await;
    running
}

async fn dial(running: &Running) -> DuplexStream {
    running.memory.dial(client_port(0)).await
}

async fn send(stream: &mut DuplexStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads until `until` was seen.
async fn read_until(stream: &mut DuplexStream, until: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(until) {
        let mut bytes = [0; 4096];
        let len = stream.read(&mut bytes).await.unwrap();
        assert_ne!(len, 0, "closed after {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..len]);
    }
    String::from_utf8(seen).unwrap()
}

async fn read_to_end(stream: &mut DuplexStream) -> String {
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await.unwrap();
    seen
}

const PUT: &str = "PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nvalue=bar";
const WATCH: &str = "GET /v2/keys/w?wait=true&stream=true HTTP/1.1\r\nHost: x\r\n\r\n";
const NEVER: &str = "GET /v2/keys/never?quorum=true HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn writes_go_through_the_loop_and_connections_are_kept() {
    let running = ready(Script::default()).await;
    let mut stream = dial(&running).await;
    for _ in 0..2 {
        send(&mut stream, PUT).await;
        let answer = read_until(&mut stream, "}}\n").await;
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
        assert!(answer.contains("\r\nX-Etcd-Index: 4\r\n"), "{answer}");
        assert!(
            answer.contains(r#"{"action":"set","node":{"key":"/a","value":"bar","#),
            "{answer}"
        );
    }
    assert_eq!(running.heard.count("client"), 2);
    assert_eq!(running.heard.count("gone"), 0);
}

#[tokio::test(start_paused = true)]
async fn plain_reads_do_not_ask_the_node() {
    let running = ready(Script::default()).await;
    let mut stream = dial(&running).await;
    send(&mut stream, "GET /v2/keys/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.contains(r#""errorCode":100"#), "{answer}");
    assert_eq!(running.heard.count("client"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_not_ready_answers_when_the_time_is_up() {
    let running = ready(Script { unready: true, ..Script::default() }).await;
    let mut stream = dial(&running).await;
    let begun = tokio::time::Instant::now();
    send(&mut stream, "GET /v2/keys/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.contains("etcdserver: request timed out"), "{answer}");
    assert!(begun.elapsed() >= REQUEST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_watch_comes_before_any_event() {
    let running = ready(Script::default()).await;
    let mut watcher = dial(&running).await;
    send(&mut watcher, WATCH).await;
    let head = read_until(&mut watcher, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nX-Etcd-Index: 3\r\n"), "{head}");
    let mut writer = dial(&running).await;
    for _ in 0..2 {
        send(&mut writer, PUT).await;
        read_until(&mut writer, "}}\n").await;
        let event = read_until(&mut watcher, "}}\n").await;
        assert!(event.contains(r#""value":"bar""#), "{event}");
    }
    drop(watcher);
    running.heard.wait("gone 1", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_told_to_the_node() {
    let running = ready(Script::default()).await;
    let mut stream = dial(&running).await;
    send(&mut stream, NEVER).await;
    running.heard.wait("client 1", 1).await;
    drop(stream);
    running.heard.wait("gone 1", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_falls_behind_is_cut_off() {
    let running = ready(Script { events: 10_000, ..Script::default() }).await;
    let mut watcher = dial(&running).await;
    send(&mut watcher, WATCH).await;
    running.heard.wait("gone 1", 1).await;
    let answer = read_to_end(&mut watcher).await;
    assert!(!answer.ends_with("0\r\n\r\n"), "it is no orderly end");
    let events = answer.matches("\"action\"").count();
    assert!((1..10_000).contains(&events), "{events}");
    assert_eq!(running.heard.count("gone"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_answers_what_waits_and_closes_what_is_idle() {
    let running = ready(Script::default()).await;
    let mut idle = dial(&running).await;
    send(&mut idle, PUT).await;
    read_until(&mut idle, "}}\n").await;
    let mut waiting = dial(&running).await;
    send(&mut waiting, NEVER).await;
    let mut watcher = dial(&running).await;
    send(&mut watcher, WATCH).await;
    read_until(&mut watcher, "\r\n\r\n").await;
    running.heard.wait("client 3", 1).await;
    running.stopper.stop();
    let answer = read_to_end(&mut waiting).await;
    assert!(answer.contains("etcdserver: server stopped"), "{answer}");
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(read_to_end(&mut watcher).await, "0\r\n\r\n");
    assert_eq!(running.task.await.unwrap(), Exit::Stopped { lines: Vec::new() });
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_does_not_hold_up_the_stop() {
    let running = ready(Script::default()).await;
    let mut stream = dial(&running).await;
    send(&mut stream, &PUT[..PUT.len() - 4]).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.stopper.stop();
    assert_eq!(running.task.await.unwrap().code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_without_end_is_refused() {
    let running = ready(Script::default()).await;
    let mut stream = dial(&running).await;
    send(&mut stream, "GET / HTTP/1.1\r\n").await;
    let long = format!("X-Long: {}\r\n", "x".repeat(60 << 10));
    send(&mut stream, &long).await;
    // The server need not read what is too much.
    let _ = stream.write_all(long.as_bytes()).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
