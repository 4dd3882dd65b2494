//! Handshakes over real sockets: who gets through, and what both ends say if not.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use quorate_core::Config;
use quorate_core::config::Settings;
use quorate_core::tls::{Certificate, Failure, Role};
use quorate_core::url::Scheme;
use quorate_shell::{Caller, Endpoint, Listener as _, Pending as _};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::listener::Bound;
use super::{Stream, Tls};

/// The black-box tests use the same.
#[path = "../../../../../tests/support/certificates.rs"]
mod certificates;
use certificates::{Authority, Issued, Valid};

const HELLO: &[u8] = b"hello";

/// What both ends of a connection came to.
struct Met {
    accepted: Result<Caller, Failure>,
    /// What was read, or why not.
    dialled: Result<Vec<u8>, String>,
}

/// The files of one end.
struct End {
    dir: TempDir,
    flags: Vec<(&'static str, String)>,
}

impl End {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), flags: Vec::new() }
    }

    fn showing(mut self, issued: &Issued) -> Self {
        issued.write(self.dir.path(), "own");
        self.set("peer-cert-file", "own.pem");
        self.set("peer-key-file", "own.key");
        self
    }

    fn believing(mut self, authority: &Authority) -> Self {
        authority.write(&self.dir.path().join("ca.pem"));
        self.set("peer-trusted-ca-file", "ca.pem");
        self
    }

    fn demanding(mut self) -> Self {
        self.flags.push(("peer-client-cert-auth", "true".into()));
        self
    }

    fn set(&mut self, flag: &'static str, file: &str) {
        self.flags.push((flag, path(self.dir.path(), file)));
    }

    fn tls(&self) -> Arc<Tls> {
        let settings = self
            .flags
            .iter()
            .fold(Settings::new(), |settings, (flag, value)| settings.flag(flag, value.as_str()));
        Arc::new(Tls::new(&Config::validate(settings, [0; 32]).unwrap()))
    }

    fn prepared(&self) -> Arc<Tls> {
        let tls = self.tls();
        tls.prepare().unwrap();
        tls
    }
}

fn path(dir: &Path, file: &str) -> String {
    dir.join(file).to_str().unwrap().to_owned()
}

/// Connects to `host` at an address of this machine; the server greets whoever gets through.
async fn meet(server: &End, client: &End, host: &str) -> Met {
    let (server, client) = (server.prepared(), client.prepared());
    met(Some(server), &client, Scheme::Https, host).await
}

async fn met(server: Option<Arc<Tls>>, client: &Arc<Tls>, scheme: Scheme, host: &str) -> Met {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut listener = Bound::new(socket, server.map(|tls| (tls, Role::Peer)));
    let accepting = async {
        let (mut stream, caller) = listener.accept().await.unwrap().establish().await?;
        stream.write_all(HELLO).await.unwrap();
        stream.flush().await.unwrap();
        Ok(caller)
    };
    let dialling = async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let to = Endpoint { role: Role::Peer, scheme, host: host.into(), port: address.port() };
        let mut stream = match to.scheme {
            Scheme::Http => Stream::plain(stream),
            Scheme::Https => client.connect(to.role, &to.host, stream).await?,
        };
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        stream.flush().await?;
        let mut said = Vec::with_capacity(4096);
        stream.read_buf(&mut said).await?;
        Ok(said)
    };
    let (accepted, dialled) = tokio::join!(accepting, dialling);
    Met { accepted, dialled: dialled.map_err(|error: std::io::Error| error.to_string()) }
}

/// What the two ends say about a certificate of the server that is refused by the client.
async fn refused(server: &End, client: &End, host: &str) -> (String, String) {
    let met = meet(server, client, host).await;
    (met.accepted.unwrap_err().to_string(), met.dialled.unwrap_err())
}

#[track_caller]
fn assert_says(text: &str, part: &str) {
    assert!(text.contains(part), "{text:?} does not say {part:?}");
}

#[tokio::test]
async fn the_holder_of_a_good_certificate_gets_through_and_is_known() {
    let authority = Authority::new("one");
    let server = End::new().showing(&authority.issue(&["127.0.0.1"])).believing(&authority);
    let shown = authority.issue(&["infra1.example.com", "10.0.0.1", "::1"]);
    let client = End::new().showing(&shown).believing(&authority);
    let met = meet(&server.demanding(), &client, "127.0.0.1").await;
    assert_eq!(met.dialled.unwrap(), HELLO);
    let certificate = Certificate {
        common_name: Some("infra".into()),
        dns_names: vec!["infra1.example.com".into()],
        addresses: vec!["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
    };
    let accepted = met.accepted.unwrap();
    assert_eq!((accepted.secure, accepted.certificate), (true, Some(certificate)));
    assert!(accepted.address.is_some_and(|address| address.is_loopback()));
}

#[tokio::test]
async fn nobody_is_asked_for_a_certificate_unless_it_is_demanded() {
    let authority = Authority::new("one");
    let server = End::new().showing(&authority.issue(&["localhost"])).believing(&authority);
    let client = End::new().believing(&authority);
    let met = meet(&server, &client, "localhost").await;
    assert_eq!(met.dialled.unwrap(), HELLO);
    let accepted = met.accepted.unwrap();
    assert_eq!((accepted.secure, accepted.certificate), (true, None));
}

#[tokio::test]
async fn a_certificate_of_a_server_that_fails_a_check_is_named_at_both_ends() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let client = End::new().believing(&one);
    let server = |issued: &Issued| End::new().showing(issued);

    let (there, here) = refused(&server(&other.issue(&["a"])), &client, "a").await;
    assert_says(&here, "it is not signed by an authority that is believed here");
    assert_says(&there, "not signed by an authority that it believes");

    let expired = one.issue_for(&["a"], Valid::Once);
    let (there, here) = refused(&server(&expired), &client, "a").await;
    assert_says(&here, "it expired at 2001-01-01T00:00:00Z, and here it is 20");
    assert_says(&there, "has expired or is not valid yet");

    let early = one.issue_for(&["a"], Valid::Later);
    let (there, here) = refused(&server(&early), &client, "a").await;
    assert_says(&here, "it is not valid before 2200-01-01T00:00:00Z");
    assert_says(&there, "it refused the handshake");

    let (there, here) = refused(&server(&one.issue(&["b", "10.0.0.1"])), &client, "a").await;
    assert_says(&here, "it was asked for a, and it is for ");
    assert_says(&here, "10.0.0.1");
    assert_says(&there, "the certificate shown to it did not pass its checks");
}

#[tokio::test]
async fn a_certificate_of_a_client_that_fails_a_check_is_named_at_both_ends() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let server = End::new().showing(&one.issue(&["a"])).believing(&one).demanding();
    let client = || End::new().believing(&one);

    let (here, there) = refused(&server, &client(), "a").await;
    assert_says(&here, "it showed no certificate");
    assert_says(&there, "it demands a certificate and was shown none");

    let (here, there) = refused(&server, &client().showing(&other.issue(&["a"])), "a").await;
    assert_says(&here, "it is not signed by an authority that is believed here");
    assert_says(&there, "not signed by an authority that it believes");

    let expired = client().showing(&one.issue_for(&["a"], Valid::Once));
    let (here, there) = refused(&server, &expired, "a").await;
    assert_says(&here, "it expired at 2001-01-01T00:00:00Z");
    assert_says(&there, "has expired or is not valid yet");
}

#[tokio::test]
async fn sides_that_differ_about_tls_are_told() {
    let authority = Authority::new("one");
    let server = End::new().showing(&authority.issue(&["a"]));
    let client = End::new().believing(&authority);
    let (server, client) = (server.prepared(), client.prepared());

    let plain_to_tls = met(Some(server), &client, Scheme::Http, "a").await;
    assert_eq!(plain_to_tls.accepted, Err(Failure::PlainRequest));
    let answer = String::from_utf8(plain_to_tls.dialled.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert_says(&answer, "Client sent an HTTP request to an HTTPS server.");

    let tls_to_plain = met(None, &client, Scheme::Https, "a").await;
    assert_eq!(tls_to_plain.accepted, Err(Failure::TlsHello));
    assert_eq!(tls_to_plain.dialled, Err(Failure::NotTls.to_string()));

    let plain = met(None, &client, Scheme::Http, "a").await;
    let caller = Caller { address: Some(Ipv4Addr::LOCALHOST.into()), ..Caller::default() };
    assert_eq!((plain.accepted, plain.dialled), (Ok(caller), Ok(HELLO.to_vec())));
}

#[tokio::test]
async fn members_that_make_their_certificates_meet_and_nobody_else_believes_them() {
    let mut auto = End::new();
    auto.flags.push(("peer-auto-tls", "true".into()));
    assert_eq!(meet(&auto, &auto, "anywhere").await.dialled.unwrap(), HELLO);
    let strict = End::new().believing(&Authority::new("one"));
    assert!(meet(&auto, &strict, "localhost").await.dialled.is_err());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new("one");
    let (one, two) = (authority.issue(&["a"]), authority.issue(&["a"]));
    let cause = |end: &End| end.tls().prepare().unwrap_err();
    let spoilt = |file: &str, text: &str| {
        let end = End::new().showing(&one).believing(&authority);
        std::fs::write(end.dir.path().join(file), text).unwrap();
        cause(&end)
    };
    assert_says(&spoilt("own.pem", ""), "own.pem holds no certificate in PEM");
    assert_says(&spoilt("own.key", "x"), "own.key holds no private key in PEM");
    assert_says(&spoilt("ca.pem", &one.key), "ca.pem holds no certificate in PEM");
    assert_says(&spoilt("own.key", &two.key), "own.key: keys may not be consistent");

    let mut absent = End::new();
    absent.set("peer-trusted-ca-file", "absent");
    assert_says(&cause(&absent), "absent: No such file");
}

#[tokio::test]
async fn a_file_that_changes_counts_for_the_next_connection_unless_it_is_spoilt() {
    let authority = Authority::new("one");
    let server = End::new().showing(&authority.issue(&["a"]));
    let client = End::new().believing(&authority);
    let (tls, client) = (server.prepared(), client.prepared());
    let asked_for_b = async || met(Some(Arc::clone(&tls)), &client, Scheme::Https, "b").await;
    assert!(asked_for_b().await.dialled.is_err());

    std::fs::write(server.dir.path().join("own.pem"), "spoilt").unwrap();
    assert!(tls.load().is_err());
    assert!(met(Some(Arc::clone(&tls)), &client, Scheme::Https, "a").await.dialled.is_ok());

    authority.issue(&["b"]).write(server.dir.path(), "own");
    tls.load().unwrap();
    assert_eq!(asked_for_b().await.dialled.unwrap(), HELLO);
}
