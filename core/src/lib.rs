//! The sans-I/O core of Quorate: events in, actions out. The I/O lives in the shell.
//!
//! Everything that can be decided is decided here: how a member starts, who leads, what is agreed
//! on, what a key holds, what a client is told. No socket, file, clock, thread, runtime or source
//! of randomness can be named here; time, chance and the outcome of every effect are inputs. So
//! everything that can go wrong can be simulated, replayed from a seed, and explained.
//!
//! # Driving a node
//!
//! A driver hands a [`Node`] everything that has happened since it last looked, then an
//! [`Input::Wake`], and carries out the [`Output`]s in order. When nothing comes in, it wakes the
//! node at its [`deadline`](Node::deadline). That is all there is to the loop:
//!
//! ```
//! use quorate_core::config::{Config, Settings};
//! use quorate_core::disk::{DiskError, DiskErrorKind, Done, Found, Op};
//! use quorate_core::time::{Instant, Now, Wall};
//! use quorate_core::{Input, Node, Output};
//!
//! /// Answers a disk operation as an empty disk that never fails would.
//! fn carry_out(op: Op) -> Option<Done> {
//!     let (ticket, found) = match op {
//!         Op::List { ticket, .. } => (ticket, Ok(Found::Entries(Vec::new()))),
//!         Op::Read { ticket, .. } => {
//!             let message = "no such file".to_string();
//!             (ticket, Err(DiskError { kind: DiskErrorKind::NotFound, message }))
//!         }
//!         Op::Lock { ticket }
//!         | Op::Preallocate { ticket, .. }
//!         | Op::Sync { ticket, .. }
//!         | Op::SyncDir { ticket, .. } => (ticket, Ok(Found::Nothing)),
//!         _ => return None,
//!     };
//!     Some(Done { ticket, result: found })
//! }
//!
//! let settings = Settings::default().flag("name", "infra0");
//! let config = Config::validate(settings, [7; 32]).unwrap();
//! let mut now = Now { mono: Instant::default(), wall: Wall::from_unix_nanos(1_000_000_000) };
//! let mut node = Node::new(config, [1; 32], now);
//! let mut inputs = Vec::new();
//! let mut leader = None;
//!
//! while leader.is_none() {
//!     let mut outputs = Vec::new();
//!     for input in inputs.drain(..).chain([Input::Wake]) {
//!         node.handle(now, input, &mut outputs);
//!     }
//!     for output in outputs {
//!         match output {
//!             Output::Disk(op) => inputs.extend(carry_out(op).map(Input::Disk)),
//!             Output::Listen { .. } => inputs.push(Input::Listening { result: Ok(()) }),
//!             Output::Publish(view) => leader = view.leader,
//!             _ => {}
//!         }
//!     }
//!     if inputs.is_empty() {
//!         let (due, _why) = node.deadline().expect("it waits for something");
//!         now.mono = now.mono.max(due);
//!     }
//! }
//! assert_eq!(leader, node.inspect().map(|inside| inside.raft.id()));
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[macro_use]
pub mod planted;

pub mod api;
pub mod auth;
pub mod backup;
pub mod boot;
pub mod config;
pub mod directory;
pub mod discovery;
pub mod disk;
pub mod dns;
pub mod error;
mod go_json;
pub mod http;
pub mod id;
pub mod import;
pub mod member;
pub mod node;
pub mod note;
pub mod proxy;
pub mod raft;
pub mod rng;
mod scan;
pub mod snap;
pub mod stats;
pub mod store;
pub mod time;
pub mod tls;
pub mod url;
pub mod view;
pub mod wal;
pub mod wire;

pub use config::Config;
pub use node::{Input, Node, Output};
