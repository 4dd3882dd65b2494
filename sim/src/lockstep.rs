//! The lockstep world: the core alone on a heap of events.
//!
//! No thread, no task, no clock: one event after the other, in the order of simulated time and, at
//! one moment, of their making. A run is a function of its seed and options.

mod clients;
mod drive;
mod event;
mod exit;
mod faults;
mod host;
mod hosts;
mod http;
mod liveness;
mod node;
mod queue;
mod send;
mod world;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

pub use world::World;
