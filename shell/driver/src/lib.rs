//! The driver of a node: carries out what the core asks for, reports what happened, decides
//! nothing.
//!
//! Everything here is generic over [`Platform`], which stands for the machine: connections, time,
//! tasks, names, the disk. The daemon brings the real one, the simulator its own, so the code that
//! is simulated is the code that ships. No file of this crate names an async runtime, a socket, a
//! clock or a file system.

mod ask;
pub mod client;
mod counted;
pub mod disk;
mod fetch;
pub mod http;
mod life;
pub mod log;
mod outcall;
pub mod peer;
pub mod platform;
mod proxy;
mod published;
pub mod run;
#[cfg(test)]
mod testing;
mod tokens;
mod watched;

pub use disk::{Executor, Files, Step};
pub use fetch::{Fetched, fetch};
pub use platform::{Caller, Disk, Endpoint, Listener, Pending, Platform, Reports, Vitals};
pub use run::{Driver, Machine, Options, Stopper};
pub use tokens::Front;
