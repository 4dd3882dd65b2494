//! What a member is told at its start.
//!
//! [`Settings`] are the flags as they were given; [`Config::validate`] fills in the defaults and
//! refuses what makes no sense, so that everything behind it can rely on a [`Config`].

mod settings;
mod validate;

pub use settings::Settings;
pub use validate::check_value;

use alloc::string::String;
use alloc::vec::Vec;

use crate::time::Duration;
use crate::url::Url;

/// The settings of one member, each value valid by itself. What depends on the data directory (the
/// initial cluster above all) is kept as text and judged only if it is needed.
#[derive(Clone, Debug)]
pub struct Config {
    /// `-name`
    pub name: String,
    /// `-data-dir`, as given; for messages, since all paths of disk operations are relative to it.
    pub data_dir: String,
    /// `-listen-peer-urls`
    pub listen_peer_urls: Vec<Url>,
    /// `-listen-client-urls`
    pub listen_client_urls: Vec<Url>,
    /// `-initial-advertise-peer-urls`
    pub advertise_peer_urls: Vec<Url>,
    /// `-advertise-client-urls`
    pub advertise_client_urls: Vec<Url>,
    /// `-initial-cluster`, as given.
    pub initial_cluster: String,
    /// `-initial-cluster-state`
    pub initial_cluster_state: ClusterState,
    /// `-initial-cluster-token`
    pub initial_cluster_token: String,
    /// `-initial-cluster-form`
    pub initial_cluster_form: Form,
    /// The flags about the first start that were given; a member with data ignores them.
    pub first_start_flags: Vec<&'static str>,
    /// `-heartbeat-interval`
    pub heartbeat_interval: Duration,
    /// `-election-timeout`
    pub election_timeout: Duration,
    /// `-snapshot-count`: applied entries between two snapshots.
    pub snapshot_count: u64,
    /// Entries kept in the log behind a snapshot, for followers that lag a little.
    pub snapshot_catch_up_entries: u64,
    /// Bytes reserved for one segment of the write-ahead log.
    pub wal_segment_bytes: u64,
    /// Random bytes from the platform's entropy: the incarnation of the data directory if this
    /// start makes one, and the salt of the files that it writes.
    pub entropy: [u8; 32],
}

impl Config {
    /// The random number that salts the segments which this start writes.
    pub fn wal_entropy(&self) -> u64 {
        let (_, last) = self.entropy.split_at(24);
        last.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// `-initial-cluster-state`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// Form a cluster with the listed members.
    New,
    /// Join a cluster that runs.
    Existing,
}

/// `-initial-cluster-form`: whom a new member waits for before it forms the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every listed member.
    Unanimous,
    /// Nobody: elections need a majority anyway. etcd's rule.
    Majority,
}

#[cfg(test)]
mod tests;
