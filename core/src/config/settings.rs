//! The flags as they were given.

use alloc::string::String;
use alloc::vec::Vec;

/// The values of the flags as text; absent where neither flag nor environment gave one. That a
/// value was given at all matters: an explicit `-listen-client-urls` demands an explicit
/// `-advertise-client-urls`, even if it repeats the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `-name`
    pub name: Option<String>,
    /// `-data-dir`
    pub data_dir: Option<String>,
    /// `-listen-peer-urls`
    pub listen_peer_urls: Option<String>,
    /// `-listen-client-urls`
    pub listen_client_urls: Option<String>,
    /// `-initial-advertise-peer-urls`
    pub initial_advertise_peer_urls: Option<String>,
    /// `-advertise-client-urls`
    pub advertise_client_urls: Option<String>,
    /// `-initial-cluster`
    pub initial_cluster: Option<String>,
    /// `-initial-cluster-state`
    pub initial_cluster_state: Option<String>,
    /// `-initial-cluster-token`
    pub initial_cluster_token: Option<String>,
    /// `-initial-cluster-form`
    pub initial_cluster_form: Option<String>,
    /// `-heartbeat-interval`, in milliseconds
    pub heartbeat_interval: Option<String>,
    /// `-election-timeout`, in milliseconds
    pub election_timeout: Option<String>,
    /// `-snapshot-count`
    pub snapshot_count: Option<String>,
}

impl Settings {
    /// The flags among those given that only count at the first start of a member.
    pub(super) fn first_start_flags(&self) -> Vec<&'static str> {
        let flags = [
            ("initial-advertise-peer-urls", &self.initial_advertise_peer_urls),
            ("initial-cluster", &self.initial_cluster),
            ("initial-cluster-state", &self.initial_cluster_state),
            ("initial-cluster-token", &self.initial_cluster_token),
            ("initial-cluster-form", &self.initial_cluster_form),
        ];
        flags.iter().filter(|(_, value)| value.is_some()).map(|(flag, _)| *flag).collect()
    }
}
