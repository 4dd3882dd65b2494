//! The world: the shell as it ships, with its HTTP, its streams and its tasks, on a runtime whose
//! clock and whose order of tasks come from the seed.
//!
//! madsim gives the executor, the clock and the chance of its scheduler. The network and the disks
//! are ours, because its own hide what matters most: half-open connections, resets, windows,
//! connections that hang, writes that were never synced. All that happens by itself lies on one
//! agenda, which the main task carries out; members and clients are tasks around it.
//!
//! Options, plan, workloads and oracles are those of the lockstep world.

mod agenda;
mod clients;
mod disk;
mod event;
mod faults;
mod host;
mod hosts;
mod http;
mod liveness;
mod machine;
mod platform;
mod process;
mod run;
mod service;
mod sleep;
mod state;
mod tcp;

pub use run::run;
