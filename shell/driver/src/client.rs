//! The client port.
//!
//! What a request means and how an answer looks is decided by pure functions of
//! [`quorate_core::api`], which run in the task of the connection. Plain reads are answered there
//! too, from the published view; only what needs the node passes through the loop.

mod ask;
mod auth;
pub(crate) mod convert;
mod keys;
mod observe;
mod port;
mod tokens;
mod watch;

use std::time::Duration;

use crate::http::Door;
use crate::run::BATCH;

pub(crate) use port::Port;
pub(crate) use tokens::sweep;

/// The limits of the client port. Clients keep idle connections in pools and expect to find them
/// alive, so the time to send a head, which a connection between two requests spends too, is long;
/// the number of connections is what bounds the cost.
pub(crate) const DOOR: Door = Door {
    name: "client",
    connections: 16_384,
    head_timeout: Duration::from_secs(600),
    head_bytes: 64 << 10,
};

/// Watches at a time.
const WATCHERS: usize = 10_000;
/// Events that a watcher may be behind before it is cut off: etcd's hundred, and what one turn of
/// the loop can bring before any reader gets its turn.
const WATCH_QUEUE: usize = BATCH + 100;
/// For the body of a request, from its head on.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
