//! Deterministic simulation of Quorate clusters.

#[cfg(all(feature = "world", not(madsim)))]
compile_error!(
    "sim needs --cfg madsim, which .cargo/config.toml sets: a RUSTFLAGS variable has overridden it"
);

pub mod chance;
mod clock;
pub mod digest;
pub mod digests;
pub mod disk;
pub mod lockstep;
pub mod machine;
mod members;
mod network;
pub mod options;
pub mod oracle;
pub mod outside;
mod place;
pub mod plan;
#[cfg(feature = "planted")]
pub mod planted;
pub mod record;
pub mod regression;
pub mod report;
pub mod results;
pub mod runner;
pub mod scenario;
mod settling;
pub mod shrink;
pub mod stats;
pub mod timeline;
pub mod workload;
#[cfg(feature = "world")]
pub mod world;
pub mod worlds;
