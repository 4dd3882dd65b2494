use bytes::Bytes;
use quorate_core::url::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::platform::Listener as _;
use crate::testing::{Memory, Network};

fn put(url: &str) -> Call {
    Call {
        method: Method::Put,
        url: url.to_owned(),
        headers: vec![("X-One".to_owned(), "1".to_owned())],
        body: Bytes::from_static(b"value=a"),
        timeout: Duration::from_secs(2),
        role: Role::Public,
        via: None,
    }
}

/// Makes a call to a server that gives this answer and keeps the connection; gives the outcome
/// and the request that the server saw.
async fn answered(answer: &'static str) -> (Result<Answer, String>, String) {
    answered_to(put("http://node:1/a/b?c=d%20e"), answer).await
}

async fn answered_to(request: Call, answer: &'static str) -> (Result<Answer, String>, String) {
    let memory = Memory::new(Network::default());
    let mut listeners =
        memory.bind(&Url::parse("http://node:1").unwrap(), Role::Client).await.unwrap();
    let server = tokio::spawn(async move {
        let mut stream = listeners[0].accept().await.unwrap().0;
        let mut bytes = vec![0; 4096];
        let len = stream.read(&mut bytes).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(100)).await;
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    });
    let (life, _ender) = Life::new();
    let result = call(&memory, &life, request).await;
    (result, server.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_call_says_what_it_was_told_and_hears_all_of_the_answer() {
    let head = "HTTP/1.1 412 No\r\nX-Two: 2\r\nContent-Length: 5\r\n\r\nwrong";
    let (result, request) = answered(head).await;
    let answer = result.unwrap();
    assert_eq!((answer.status, answer.header("x-two")), (412, Some("2")));
    assert_eq!(answer.body, "wrong");
    assert!(request.starts_with("PUT /a/b?c=d%20e HTTP/1.1\r\n"), "{request}");
    for line in ["host: node:1\r\n", "x-one: 1\r\n", "content-length: 7\r\n", "\r\n\r\nvalue=a"] {
        assert!(request.contains(line), "{line}: {request}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_told_the_whole_url_and_who_asks() {
    let via = Via { host: "node".to_owned(), port: 1, credentials: Some("Basic dTpw".to_owned()) };
    let through = Call { via: Some(via.clone()), ..put("http://far.example/a?b") };
    let (result, request) =
        answered_to(through, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(result.unwrap().status, 200);
    assert!(request.starts_with("PUT http://far.example/a?b HTTP/1.1\r\n"), "{request}");
    for line in ["host: far.example:80\r\n", "proxy-authorization: Basic dTpw\r\n"] {
        assert!(request.contains(line), "{line}: {request}");
    }
    let memory = Memory::new(Network::default());
    let (life, _ender) = Life::new();
    let nobody = Call { via: Some(via), ..put("http://far.example/") };
    let cause = call(&memory, &life, nobody).await.unwrap_err();
    assert_eq!(cause, "the proxy node:1: connection refused");
}

/// What a proxy is asked by a call to a server that speaks TLS, where it gives this answer, and
/// what the server behind it is asked then.
async fn behind(answer: &'static str) -> (Result<Answer, String>, String, String) {
    let memory = Memory::new(Network::default());
    let mut listeners =
        memory.bind(&Url::parse("http://node:1").unwrap(), Role::Client).await.unwrap();
    let server = tokio::spawn(async move {
        let mut stream = listeners[0].accept().await.unwrap().0;
        let mut bytes = vec![0; 4096];
        let len = stream.read(&mut bytes).await.unwrap();
        let asked = String::from_utf8(bytes[..len].to_vec()).unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        let len = stream.read(&mut bytes).await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        (asked, String::from_utf8(bytes[..len].to_vec()).unwrap())
    });
    let (life, _ender) = Life::new();
    let via = Via { host: "node".to_owned(), port: 1, credentials: Some("Basic dTpw".to_owned()) };
    let through = Call { via: Some(via), ..put("https://far.example/a?b") };
    let result = call(&memory, &life, through).await;
    let (asked, behind) = server.await.unwrap();
    (result, asked, behind)
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_told_nothing_of_what_is_asked_by_tls_but_where_it_goes() {
    let (result, asked, behind) = behind("HTTP/1.1 200 Connection established\r\n\r\n").await;
    assert_eq!(result.unwrap().body, "ok");
    assert!(asked.starts_with("CONNECT far.example:443 HTTP/1.1\r\n"), "{asked}");
    for line in ["host: far.example:443\r\n", "proxy-authorization: Basic dTpw\r\n"] {
        assert!(asked.contains(line), "{line}: {asked}");
    }
    assert!(behind.starts_with("PUT /a?b HTTP/1.1\r\n"), "{behind}");
    assert!(behind.contains("host: far.example:443\r\n"), "{behind}");
    assert!(!behind.contains("proxy-authorization"), "{behind}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_does_not_connect_is_quoted() {
    let head = "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n";
    let (result, _, behind) = behind(head).await;
    let cause = "the proxy node:1: it does not connect to far.example:443: status 407";
    assert_eq!((result.unwrap_err().as_str(), behind.as_str()), (cause, ""));
    let (result, ..) = self::behind("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x").await;
    let cause = "the proxy node:1: far.example:443 speaks before it is spoken to";
    assert_eq!(result.unwrap_err(), cause);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_when_its_time_is_up() {
    for silence in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"] {
        assert_eq!(answered(silence).await.0.unwrap_err(), "no answer within 2s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_in_words() {
    assert!(answered("SSH-2.0-x\r\n\r\n").await.0.unwrap_err().contains("invalid HTTP version"));
    let memory = Memory::new(Network::default());
    let (life, _ender) = Life::new();
    for (url, cause) in [
        ("http://node:1/", "connection refused"),
        ("ftp://node/", "ftp://node/: not an http or https URL"),
        ("/members", "/members: not an http or https URL"),
        ("http://a b/", "http://a b/: invalid uri character"),
    ] {
        assert_eq!(call(&memory, &life, put(url)).await.unwrap_err(), cause);
    }
}
