//! What a handshake failed of.
//!
//! "Bad certificate" helps nobody. Both ends say which check failed, of what, and what to change.

use alloc::string::String;

use thiserror::Error;

/// What a handshake failed of, as this end knows it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// A plain request came in where TLS is spoken.
    #[error(
        "it sent a plain HTTP request, and here TLS is spoken: it has to ask for an https:// URL"
    )]
    PlainRequest,
    /// The beginning of TLS came in where plain HTTP is spoken.
    #[error(
        "it began to speak TLS, and here plain HTTP is spoken: it has to ask for an http:// URL, \
         or this member has to listen on an https:// one"
    )]
    TlsHello,
    /// The server that was connected to speaks something else than TLS.
    #[error("it does not speak TLS: ask for an http:// URL, or have it listen on an https:// one")]
    NotTls,
    /// The other end showed no certificate, and one is demanded of it.
    #[error(
        "it showed no certificate, and -client-cert-auth or -peer-client-cert-auth demands one"
    )]
    NoCertificate,
    /// The certificate of the other end did not pass a check here.
    #[error("its certificate was refused here: {0}")]
    Theirs(String),
    /// The other end refused to go on; the alert that it sent, in words.
    #[error("it refused the handshake: {0}")]
    Alert(String),
    /// Something else; in words.
    #[error("{0}")]
    Other(String),
}
