//! From flags to the settings of a member.

use quorate_core::config::Settings;

use super::Parsed;

impl Parsed {
    /// What the flags say about the member.
    pub(crate) fn settings(&self) -> Settings {
        let text = |flag| self.text(flag).map(str::to_owned);
        Settings {
            name: text("name"),
            data_dir: text("data-dir"),
            listen_peer_urls: text("listen-peer-urls"),
            listen_client_urls: text("listen-client-urls"),
            initial_advertise_peer_urls: text("initial-advertise-peer-urls"),
            advertise_client_urls: text("advertise-client-urls"),
            initial_cluster: text("initial-cluster"),
            initial_cluster_state: text("initial-cluster-state"),
            initial_cluster_token: text("initial-cluster-token"),
            initial_cluster_form: text("initial-cluster-form"),
            heartbeat_interval: text("heartbeat-interval"),
            election_timeout: text("election-timeout"),
            snapshot_count: text("snapshot-count"),
        }
    }
}
