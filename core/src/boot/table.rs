//! The boot decision as a table: what stands in the data directory × what the flags ask for.

use alloc::format;

use super::disk_state::DiskState;
use crate::config::{ClusterState, Config};
use crate::error::Refusal;

/// How a member starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// From its log; everything that the flags say of the initial cluster is ignored.
    Restart,
    /// As one of the listed members of a new cluster.
    Form,
}

/// Decides how to start.
///
/// | data directory | `-initial-cluster-state new` | `existing` |
/// |---|---|---|
/// | empty | form | refused |
/// | a member of Quorate | restart | restart |
/// | etcd's | refused | refused |
/// | foreign | refused | refused |
///
/// # Errors
/// The refusals of the table. None of them has touched the directory.
pub fn decide(disk: &DiskState, config: &Config) -> Result<Plan, Refusal> {
    match (disk, config.initial_cluster_state) {
        (DiskState::Member, _) => Ok(Plan::Restart),
        (DiskState::Empty, ClusterState::New) => Ok(Plan::Form),
        (DiskState::Empty, ClusterState::Existing) => {
            Err(Refusal::new("joining an existing cluster is not supported by this version")
                .hint(format!("the data directory {} is empty", config.data_dir))
                .hint("to form a new cluster, start with -initial-cluster-state new"))
        }
        (DiskState::Etcd(entries), _) => {
            Err(Refusal::new(format!("the data directory {} was written by etcd", config.data_dir))
                .hint(format!("found in it: {}", entries.join(", ")))
                .hint("nothing in it was touched; start with another -data-dir"))
        }
        (DiskState::Foreign(entries), _) => Err(Refusal::new(format!(
            "the data directory {} holds files that are not Quorate's",
            config.data_dir
        ))
        .hint(format!("found in it: {}", entries.join(", ")))
        .hint("nothing in it was touched; start with a -data-dir that is empty or does not exist")),
    }
}
