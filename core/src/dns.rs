//! DNS as data: what is asked of a resolver, and what it answers.
//!
//! Whether a name is absent or could not be asked for are different things. The first is an answer
//! that something can follow from; after the second the question is still open.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use thiserror::Error;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// The addresses of a host, of both families: A and AAAA. An address stands for itself.
    Addresses(Arc<str>),
    /// The servers of a service: SRV (RFC 2782). The name is complete, without a dot at its end.
    Services(Arc<str>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// Addresses; at least one.
    Addresses(Vec<IpAddr>),
    /// Servers, in no particular order; at least one.
    Services(Vec<Service>),
}

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// The host, as the record spells it, without a dot at its end. Empty where the record says that
    /// there is no such service.
    pub target: String,
    /// The port.
    pub port: u16,
    /// Lower ones are asked first.
    pub priority: u16,
    /// The share among those of one priority.
    pub weight: u16,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// There is no such name, or no record of that type under it.
    #[error("no such name")]
    Absent,
    /// The servers that should know are of no use: SERVFAIL, a timeout, no resolver. In words.
    #[error("{0}")]
    Failed(String),
}

/// What comes of a question.
pub type Answer = Result<Records, Failure>;

/// The addresses in an answer about `host` as text, or in words why there are none.
///
/// # Errors
/// There are none.
pub fn addresses(host: &str, answer: Answer) -> Result<Vec<String>, String> {
    match answer {
        Ok(Records::Addresses(found)) => Ok(found.iter().map(IpAddr::to_string).collect()),
        Ok(Records::Services(_)) => Err(alloc::format!("cannot resolve {host}: no address")),
        Err(failure) => Err(alloc::format!("cannot resolve {host}: {failure}")),
    }
}
