//! The client port.
//!
//! What a request means and how an answer looks is decided by pure functions of
//! [`quorate_core::api`], which run in the task of the connection. Plain reads are answered there
//! too, from the published view; only what needs the node passes through the loop.

mod auth;
mod backup;
pub(crate) mod convert;
mod keys;
mod observe;
mod port;
mod watch;

use quorate_core::config::Limits;

use crate::http::Door;
use crate::run::BATCH;

pub(crate) use observe::METRICS_TYPE;
pub(crate) use port::{Port, let_in, read};

/// The limits of the client port.
pub(crate) const fn door(limits: &Limits) -> Door {
    Door {
        name: "client",
        connections: limits.connections,
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        head_bytes: limits.head_bytes,
    }
}

/// Events that a watcher may be behind before it is cut off: etcd's hundred, and what one turn of
/// the loop can bring before any reader gets its turn.
pub(crate) const WATCH_QUEUE: usize = BATCH + 100;
