//! The sans-I/O core of Quorate.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod api;
pub mod boot;
pub mod config;
pub mod disk;
pub mod error;
pub mod http;
pub mod id;
pub mod member;
pub mod node;
pub mod note;
pub mod raft;
pub mod rng;
pub mod snap;
pub mod store;
pub mod time;
pub mod url;
pub mod view;
pub mod wal;
pub mod wire;

pub use config::Config;
pub use node::{Input, Node, Output};
