//! The whole driver around a scripted machine, over connections in memory and paused time.

mod clients;
mod peers;
mod script;
