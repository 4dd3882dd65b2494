//! The client API as pure functions.
//!
//! Whoever holds a connection asks [`front::route`] what a request is about; for `/v2/keys` it
//! then reads the form body if there is one, and [`keys::parse`] yields either a plain read, which
//! is answered from the published [`View`](crate::view::View), or a [`Request`] for the node,
//! whose [`Response`] goes through [`render`](mod@render). Changes of `/v2/members` go the same
//! way, by [`members::change`]. All other resources answer from the view alone. Nothing here waits,
//! so every rule of the API can be tested as a function from bytes to bytes.
//!
//! Served here: `/v2/keys`, `/v2/members`, `/v2/machines`, `/version` and `/health`, and [what
//! other members read](peer) on the peer port. Before all of it stands the [`Gate`], which keeps the pages of
//! browsers away.

pub mod auth;
pub mod error;
pub mod front;
pub mod gate;
pub mod health;
pub mod keys;
pub mod limits;
pub mod log_level;
pub mod machines;
pub mod members;
pub mod peer;
pub mod progress;
pub mod read;
pub mod render;
pub mod request;
pub mod response;
pub mod stats;
pub mod variables;
pub mod version;

mod form;
pub(crate) mod json;
mod media;
pub(crate) mod path;
pub(crate) mod reply;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod transcripts;

pub use front::{Route, route};
pub use gate::Gate;
pub use keys::{Parsed, Read, Target};
pub use render::{Context, Rendered, render};
pub use request::{KeysRequest, MembersRequest, Request, Verb, WatchRequest};
pub use response::{Confirmed, Failure, MembersFailure, Response, Stamp};
