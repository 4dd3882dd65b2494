//! Raft over a network and disks that do what the test says, and nothing else.

mod changes;
mod elections;
mod harness;
mod reads;
mod releases;
mod replication;
mod standing;
