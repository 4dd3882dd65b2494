//! One request and its answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Tries one write on a connection of its own. Says whether it succeeded.
pub(crate) fn put_once(address: SocketAddr) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let attempt = async {
            let mut stream = TcpStream::connect(address).await?;
            one(&mut stream, &put("first"), &mut Vec::new()).await
        };
        let limited = tokio::time::timeout(Duration::from_secs(10), attempt).await;
        matches!(limited, Ok(Ok(true)))
    })
}

/// A write of one key.
pub(crate) fn put(key: &str) -> String {
    let body = "value=0123456789012345678901234567890123456789012345678901234567890123";
    format!(
        "PUT /v2/keys/bench/{key} HTTP/1.1\r\nHost: bench\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends one request and reads the whole answer. Says whether it is a success.
pub(crate) async fn one(
    stream: &mut TcpStream,
    request: &str,
    buffer: &mut Vec<u8>,
) -> io::Result<bool> {
    stream.write_all(request.as_bytes()).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(ended) = whole(buffer) {
            return ended;
        }
    }
}

/// Whether the answer in `buffer` is whole, and a success.
fn whole(buffer: &[u8]) -> Option<io::Result<bool>> {
    let text = std::str::from_utf8(buffer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let Some(length) = length else { return Some(Err(io::ErrorKind::InvalidData.into())) };
    (body.len() >= length).then(|| Ok(head.starts_with("HTTP/1.1 20")))
}
