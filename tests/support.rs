//! What the black-box tests share: real processes on real sockets and disks.
//!
//! Nothing here knows the inside of the server. A test says what a user would say: a command line,
//! an HTTP request, a signal; and sees what a user would see: answers, logs, exit statuses, files.

#![allow(dead_code, reason = "each test binary uses its part of this")]

pub(crate) mod address;
pub(crate) mod certificates;
pub(crate) mod chance;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod cut_off;
pub(crate) mod damage;
pub(crate) mod dns;
pub(crate) mod etcd;
pub(crate) mod generated;
pub(crate) mod identity;
pub(crate) mod lag;
pub(crate) mod left_out;
pub(crate) mod membership;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod pulse;
pub(crate) mod raftpb;
pub(crate) mod recorded_discovery;
pub(crate) mod refusal;
pub(crate) mod sandbox;
pub(crate) mod scenario;
pub(crate) mod service;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod transcript;
pub(crate) mod tunnel;
pub(crate) mod wait;
pub(crate) mod writer;

pub(crate) use left_out::{Missing, left_out};

/// Path of the binary under test.
pub(crate) const QUORATE: &str = env!("CARGO_BIN_EXE_quorate");
