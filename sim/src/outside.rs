//! What members meet outside of their cluster: name servers.
//!
//! Pure models, which know neither time nor chance but as arguments, so that every world can hold
//! them.

pub mod dns;
