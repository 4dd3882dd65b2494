//! Deterministic simulation of Quorate clusters.

pub mod chance;
pub mod digest;
pub mod disk;
pub mod options;
pub mod stats;
