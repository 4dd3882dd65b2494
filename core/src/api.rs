//! The client API as pure functions.

pub mod request;
pub mod response;

pub use request::{KeysRequest, Request, Verb, WatchRequest};
pub use response::{Failure, Response, Stamp};
