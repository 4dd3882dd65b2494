//! Deterministic simulation of Quorate clusters.

pub mod chance;
pub mod digest;
pub mod disk;
pub mod lockstep;
pub mod machine;
pub mod options;
pub mod oracle;
pub mod runner;
pub mod stats;
pub mod workload;
