//! What members meet outside of their cluster: name servers, a service by which they find each
//! other, and the certificates by which they know each other.
//!
//! Pure models, which know neither time nor chance but as arguments, so that every world can hold
//! them.

pub mod certificates;
pub mod discovery;
pub mod dns;
