//! How a member starts: the decisions between an empty directory and a running node.

pub mod list;
