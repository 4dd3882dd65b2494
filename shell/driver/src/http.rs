//! What the servers and the clients of this crate share: hyper over a [`Platform`](crate::Platform).

mod body;
mod client;
mod complaints;
mod io;
mod pace;
mod serve;
mod steady;
mod timer;

pub(crate) use body::{Body, Broken, Parts, Whole, read_body};
pub(crate) use client::{Connection, Failure, authority};
pub use io::Io;
pub(crate) use serve::{Door, Doors, Service, listen};
pub(crate) use steady::Steady;
pub(crate) use timer::HyperTimer;
