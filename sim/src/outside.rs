//! What members meet outside of their cluster: name servers, and a service by which they
//! find each other.
//!
//! Pure models, which know neither time nor chance but as arguments, so that every world can hold
//! them.

pub mod discovery;
pub mod dns;
