//! Connections that come in, up to the end of their handshake.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use quorate_core::tls::{Failure, Role};
use quorate_shell::{Caller, Pending};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::context::Context;
use super::{Stream, Tls, certificate, explain};

/// The first byte of TLS: a record of the handshake (RFC 8446, 5.1). No method of HTTP begins so.
const HANDSHAKE: u8 = 22;
/// How long somebody who is sent away may take to read why.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes of such a one that are read, so that the system does not reset the connection before the
/// answer has arrived.
const LINGER_BYTES: u64 = 64 << 10;

/// A connection that came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: TcpStream,
    origin: String,
    tls: Option<(Arc<Tls>, Role)>,
}

impl Incoming {
    /// `tls` is there where the address is one of TLS.
    pub(crate) const fn new(
        stream: TcpStream,
        origin: String,
        tls: Option<(Arc<Tls>, Role)>,
    ) -> Self {
        Self { stream, origin, tls }
    }
}

impl Pending for Incoming {
    type Stream = Stream;

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn establish(self) -> Result<(Stream, Caller), Failure> {
        let Self { stream, tls, .. } = self;
        let first = first_byte(&stream).await.map_err(|error| Failure::Other(error.to_string()))?;
        let address = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
        let plain = Caller { address, ..Caller::default() };
        let Some(first) = first else {
            // It was closed again without a word, as probes do. Nobody needs to hear of that.
            return Ok((Stream::plain(stream), plain));
        };
        match tls {
            None if first == HANDSHAKE => Err(send_away(stream, Failure::TlsHello).await),
            None => Ok((Stream::plain(stream), plain)),
            Some(_) if first != HANDSHAKE => Err(send_away(stream, Failure::PlainRequest).await),
            Some((tls, role)) => match tls.with(role, Context::acceptor).flatten() {
                Some(config) => {
                    let (stream, caller) = handshake(stream, config).await?;
                    Ok((stream, Caller { address, ..caller }))
                }
                None => Err(Failure::Other("there is no certificate any more".to_owned())),
            },
        }
    }
}

/// Looks at the first byte without taking it; nothing if the connection was closed before it.
async fn first_byte(stream: &TcpStream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((stream.peek(&mut byte).await? > 0).then_some(byte[0]))
}

async fn handshake(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> Result<(Stream, Caller), Failure> {
    match TlsAcceptor::from(config).accept(stream).into_fallible().await {
        Ok(stream) => {
            let (_, session) = stream.get_ref();
            let shown = session.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.map(certificate::names);
            let caller = Caller { secure: true, certificate, ..Caller::default() };
            Ok((Stream::tls(stream.into()), caller))
        }
        Err((error, stream)) => {
            // The alert is on its way and says what is wrong; it must not be lost.
            linger(stream).await;
            Err(explain::handshake(&error))
        }
    }
}

/// Says in plain HTTP what is wrong, which the programs on either side of the mistake show.
async fn send_away(mut stream: TcpStream, failure: Failure) -> Failure {
    let words = match failure {
        // Go's words, which people look for.
        Failure::PlainRequest => "Client sent an HTTP request to an HTTPS server.\n",
        _ => "Client sent a TLS handshake to an HTTP server.\n",
    };
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \
         {}\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    // Whoever is gone has no need of an answer.
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        linger(stream).await;
    }
    failure
}

/// Closes a connection so that what was written arrives.
async fn linger(mut stream: TcpStream) {
    let drained = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    // Nothing depends on how it ends.
    let _ = timeout(LINGER, drained).await;
}
