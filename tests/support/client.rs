//! An HTTP client as simple as curl.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Request, Response};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::certificates::{Authority, Issued};

/// How long one request may take: longer than the server lets a client wait for a quorum.
const REQUEST: Duration = Duration::from_secs(20);
/// How long the end of a watch may be waited for.
pub(crate) const WATCH: Duration = Duration::from_secs(60);

/// Why there was no answer at all.
pub(crate) type NoAnswer = ureq::Error;

/// Sends requests, by default each on its own connection, so that none meets the connection of a
/// process that was killed.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
}

/// An answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: HeaderMap,
}

/// A watch whose headers have come.
pub(crate) struct Watch {
    pub(crate) head: Answer,
    pub(crate) lines: Box<dyn Iterator<Item = std::io::Result<String>> + Send>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with_patience(REQUEST)
    }

    /// A client that gives up on a request after `patience`.
    pub(crate) fn with_patience(patience: Duration) -> Self {
        Self::with(patience, 0)
    }

    /// A client for many requests to processes that are not killed.
    pub(crate) fn keeping_connections() -> Self {
        Self::with(REQUEST, 1)
    }

    /// A client that speaks TLS: it believes an authority, and shows what it has.
    pub(crate) fn secure(authority: &Authority, own: Option<&Issued>) -> Self {
        let chain = |pem: &str| {
            let certificate = Certificate::from_pem(pem.as_bytes()).expect("a certificate in PEM");
            vec![certificate.to_owned()]
        };
        let own = own.map(|own| {
            let key = PrivateKey::from_pem(own.key.as_bytes()).expect("a key in PEM");
            ClientCert::new_with_certs(&chain(&own.certificate), key)
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(chain(&authority.pem)))
            .client_cert(own)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        Self::over(tls, REQUEST, 0)
    }

    fn with(patience: Duration, kept: usize) -> Self {
        Self::over(TlsConfig::default(), patience, kept)
    }

    fn over(tls: TlsConfig, patience: Duration, kept: usize) -> Self {
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .proxy(None)
            .max_idle_connections(kept)
            .timeout_global(Some(patience))
            .build();
        Self { agent: config.new_agent() }
    }

    pub(crate) fn get(&self, url: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.get(url).call()?)
    }

    pub(crate) fn head(&self, url: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.head(url).call()?)
    }

    pub(crate) fn delete(&self, url: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.delete(url).call()?)
    }

    /// As `curl -XPUT -d form`.
    pub(crate) fn put(&self, url: &str, form: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.put(url).content_type(FORM).send(form)?)
    }

    /// As `curl -XPOST -d form`.
    pub(crate) fn post(&self, url: &str, form: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.post(url).content_type(FORM).send(form)?)
    }

    /// Any request, with headers of its own.
    pub(crate) fn request(
        &self,
        method: &str,
        url: &str,
        headers: &BTreeMap<String, String>,
        body: Option<&str>,
    ) -> Result<Answer, NoAnswer> {
        let request = builder(method, url, headers);
        Answer::read(match body {
            Some(body) => self.agent.run(request.body(body.to_owned())?)?,
            None => self.agent.run(request.body(())?)?,
        })
    }

    /// A POST of any bytes, with headers of its own.
    pub(crate) fn post_bytes(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Result<Answer, NoAnswer> {
        let request = builder("POST", url, headers);
        Answer::read(self.agent.run(request.body(body.to_vec())?)?)
    }

    /// Begins an answer that ends when something has happened, or never.
    pub(crate) fn begin(
        &self,
        method: &str,
        url: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Watch, NoAnswer> {
        let request = builder(method, url, headers).body(())?;
        let config = self.agent.configure_request(request).timeout_global(Some(WATCH));
        Ok(Watch::of(self.agent.run(config.build())?))
    }

    /// As `curl -XPOST -H 'Content-Type: application/json' -d body`.
    pub(crate) fn post_json(&self, url: &str, body: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.post(url).content_type("application/json").send(body)?)
    }

    /// As `curl -XPUT -H 'Content-Type: application/json' -d body`.
    pub(crate) fn put_json(&self, url: &str, body: &str) -> Result<Answer, NoAnswer> {
        Answer::read(self.agent.put(url).content_type("application/json").send(body)?)
    }

    /// Begins a watch. Returns when the headers are there, whatever happens afterwards.
    pub(crate) fn watch(&self, url: &str) -> Result<Watch, NoAnswer> {
        let request = self.agent.get(url).config().timeout_global(Some(WATCH)).build();
        Ok(Watch::of(request.call()?))
    }
}

fn builder(method: &str, url: &str, headers: &BTreeMap<String, String>) -> Builder {
    let request = Request::builder().method(method).uri(url);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

const FORM: &str = "application/x-www-form-urlencoded";

impl Answer {
    fn read(response: Response<Body>) -> Result<Self, NoAnswer> {
        let (parts, body) = response.into_parts();
        let body = body.into_with_config().limit(u64::MAX).read_to_string()?;
        Ok(Self { status: parts.status.as_u16(), body, headers: parts.headers })
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `X-Etcd-Index`.
    ///
    /// # Panics
    /// If the answer has none.
    pub(crate) fn index(&self) -> u64 {
        let index = self.header("X-Etcd-Index").and_then(|index| index.parse().ok());
        index.unwrap_or_else(|| panic!("no X-Etcd-Index in {self:?}"))
    }

    /// The body.
    ///
    /// # Panics
    /// If it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// What stands at a JSON pointer of the body; null if nothing does.
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// Itself, if it is a success.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn ok(self) -> Self {
        assert!(matches!(self.status, 200 | 201), "not a success: {self:?}");
        self
    }
}

impl Watch {
    fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let head =
            Answer { status: parts.status.as_u16(), body: String::new(), headers: parts.headers };
        Self { head, lines: Box::new(BufReader::new(body.into_reader()).lines()) }
    }

    /// The next event; `None` if the answer has ended, or broken off.
    pub(crate) fn event_unless_broken(&mut self) -> Option<Value> {
        let line = self.lines.next()?.ok().filter(|line| !line.is_empty())?;
        Some(serde_json::from_str(&line).expect("an event is JSON"))
    }

    /// The next event; `None` if the answer has ended.
    pub(crate) fn next_event(&mut self) -> Option<Value> {
        loop {
            let line = self.lines.next()?.expect("the watch broke off");
            if !line.is_empty() {
                return Some(serde_json::from_str(&line).expect("an event is JSON"));
            }
        }
    }
}

/// The value of the node in an event.
pub(crate) fn value(event: &Value) -> Option<&str> {
    event.pointer("/node/value")?.as_str()
}
