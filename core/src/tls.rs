//! TLS as data: as whom a connection is made, who stands at its other end, and what its handshake
//! failed of.
//!
//! The handshake itself is made by the shell inside of connecting and accepting. What follows from
//! it is decided here, and a simulated network can say it without any cryptography.

mod certificate;
mod failure;

pub use certificate::Certificate;
pub use failure::Failure;

/// As whom a connection is made or accepted: whose certificate is shown, and whose authorities
/// count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A member among members: the flags that begin with `-peer-`.
    Peer,
    /// A member and its clients: `-cert-file` and the flags beside it.
    Client,
    /// Somebody who asks a server of others, such as a discovery service: no certificate is shown,
    /// and the authorities of `-discovery-ca-file` or of the system count.
    Public,
}
