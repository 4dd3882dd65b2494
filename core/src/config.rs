//! What a member is told at its start.
//!
//! [`Settings`] are the flags as they were given; [`Config::validate`] fills in the defaults and
//! refuses what makes no sense, so that everything behind it can rely on a [`Config`].

pub mod arguments;
pub mod effective;
pub mod environment;
pub mod first_start;
pub mod flag;
pub mod flags;
pub mod grammar;
mod limits;
mod missing;
mod proxying;
mod refusals;
pub mod security;
mod settings;
mod validate;

pub use effective::Origin;
pub use first_start::{Bootstrap, Discovery, Fallback, Form, Members, Srv, State};
pub use flag::{Flag, Group, Scope};
pub use limits::Limits;
pub use missing::not_supported;
pub use proxying::{Mode, Proxying};
pub use security::Security;
pub use settings::{Given, Settings, Source, variable};

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::api::Gate;
use crate::time::Duration;
use crate::url::Url;
use crate::wal;

/// The settings of one member that count at every start, valid and complete, and what was given for
/// the first one.
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
    /// `-advertise-client-urls`
    pub advertise_client_urls: Vec<Url>,
    /// What was given about the first start; a member with data ignores it. It is kept as it was
    /// given, and judged by [`Config::bootstrap`] only if it is needed.
    pub first_start: Settings,
    /// Client URLs of a cluster to which a member without data adds itself: [`Config::joining`].
    pub endpoints: Vec<Url>,
    /// Whether it takes the place of the member that was there before and has lost its data.
    pub replaces: bool,
    /// `-discovery-srv-resolver`, if it is one: `IP:PORT` of the resolver that is asked for every
    /// name, in the place of those of the system.
    pub resolver: Option<SocketAddr>,
    /// The flags about TLS.
    pub security: Security,
    /// The flags about running as a proxy.
    pub proxying: Proxying,
    /// `-strict-reconfig-check`
    pub strict_reconfig_check: bool,
    /// `-force-new-cluster`
    pub force_new_cluster: bool,
    /// The directory of etcd that stands beside, where no data directory was given.
    pub etcd_dir: Option<String>,
    /// `-cors` and `-host-whitelist`
    pub gate: Gate,
    /// How much clients may take.
    pub limits: Limits,
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
        wal::salt(&self.entropy)
    }
}

#[cfg(test)]
mod tests;
