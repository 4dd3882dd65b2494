//! HTTP as data.
//!
//! The core never holds a connection. Pure functions turn a [`Head`] and a body into typed
//! requests and typed outcomes into a [`Reply`]; what the core asks of other servers is a
//! [`Call`], and its answer comes back as an input.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::time::Duration;
use crate::tls::Role;

/// The methods that any resource of etcd knows; every other token is [`Method::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// PUT
    Put,
    /// POST
    Post,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
    /// A method that no resource supports.
    Other,
}

impl Method {
    /// As it stands in a request; empty for a method that no resource supports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "",
        }
    }
}

/// The head of a request as the server received it.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The path as sent, percent-encoded, without the query.
    pub path: String,
    /// The query as sent, without the question mark; empty if there is none.
    pub query: String,
    /// Header names (lower case) and values, in order.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first value of the header `name`, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A whole answer. `Content-Length` and `Date` are the server's business and not among the
/// headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header names and values, in order.
    pub headers: Vec<(&'static str, String)>,
    /// The body; of an answer to HEAD the server drops it.
    pub body: Bytes,
}

/// A request that the core wants made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// How long connecting and answering may take together.
    pub timeout: Duration,
    /// As whom to connect, if it is by TLS.
    pub role: Role,
    /// The HTTP proxy through which it goes, if it does not go straight.
    pub via: Option<Via>,
}

/// An HTTP proxy, which is connected to without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// A name or an address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value of the header `Proxy-Authorization`, where it wants one.
    pub credentials: Option<String>,
}

impl Call {
    /// A GET without headers and body, straight to the server.
    pub const fn get(url: String, role: Role, timeout: Duration) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout,
            role,
            via: None,
        }
    }
}

/// What came back for a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names (lower case) and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The status and the first line, for messages: many servers say there what is wrong.
    pub fn outline(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
        match line.trim() {
            "" => format!("status {}", self.status),
            line => format!("status {}: {line}", self.status),
        }
    }

    /// The first value of the header `name`, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
