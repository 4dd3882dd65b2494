//! The boot decision as a table: what stands in the data directory × what the flags ask for.

use super::disk_state::DiskState;
use super::refusals;
use crate::config::{Bootstrap, Config, Members, Mode};
use crate::error::Refusal;

/// How a member starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// From its log; everything that the flags say of the first start is ignored.
    Restart,
    /// As one of the listed members of a new cluster; or of one that runs already, if the flags let
    /// it find out.
    Form,
    /// As a member that was added to a cluster that runs.
    Join,
    /// As one of the members of a new cluster that a discovery service tells.
    Discover,
    /// As one of the members that SRV records list.
    LookUp,
    /// As no member, but as a proxy of a cluster.
    Proxy,
}

/// What stands in the data directory: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Nothing, or nothing yet.
    Empty,
    /// Nothing; it is the default directory, and beside it stands the one that etcd would use.
    BesideEtcd,
    /// A member of Quorate.
    Member,
    /// A proxy of Quorate.
    Proxy,
    /// What etcd wrote.
    Etcd,
    /// Files of somebody else.
    Foreign,
}

/// What the flags ask for: a column of the table. Where they ask for several things the last
/// column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// `-initial-cluster-state new`
    New,
    /// `-initial-cluster-state existing`
    Existing,
    /// `-initial-cluster-state auto`
    Auto,
    /// `-discovery`
    Discovery,
    /// `-discovery-srv`
    Srv,
    /// The flags of the first start are malformed, or exclude each other.
    Unreadable,
    /// `-proxy`
    Proxy,
    /// `-force-new-cluster`
    ForceNewCluster,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Form the cluster of the list.
    Form,
    /// Join the cluster of the list.
    Join,
    /// Join the cluster that runs where the list says, or form one.
    FormOrJoin,
    /// Find the members through the discovery service, and form their cluster.
    Discover,
    /// Look up the list, then form or join.
    LookUp,
    /// Forward to a cluster, and be no member.
    Proxy,
    /// Start from the log.
    Restart,
    /// Start from the log, and make a cluster of this member alone.
    Force,
    /// Say what is wrong with the flags of the first start.
    RefuseFlags,
    /// Say that there is no data to make a cluster of.
    RefuseNoData,
    /// Say that the data of etcd stands beside, and have it chosen.
    RefuseBeside,
    /// Say that the directory is etcd's.
    RefuseEtcd,
    /// Say that the directory is somebody else's.
    RefuseForeign,
}

use Cell::{
    Discover, Force, Form, FormOrJoin, Join, LookUp, Proxy, RefuseBeside as Beside,
    RefuseEtcd as Etcd, RefuseFlags as Flags, RefuseForeign as Foreign, RefuseNoData as NoData,
    Restart,
};

/// The rows, in the order of the table.
pub const ROWS: [Row; 6] =
    [Row::Empty, Row::BesideEtcd, Row::Member, Row::Proxy, Row::Etcd, Row::Foreign];

/// The columns, in the order of the table.
pub const COLUMNS: [Column; 8] = [
    Column::New,
    Column::Existing,
    Column::Auto,
    Column::Discovery,
    Column::Srv,
    Column::Unreadable,
    Column::Proxy,
    Column::ForceNewCluster,
];

/// The decision.
#[rustfmt::skip]
pub const TABLE: [[Cell; 8]; 6] = [
    //                new      existing  auto        discovery  srv      unreadable  proxy    force-new-cluster
    /* empty       */ [Form,    Join,     FormOrJoin, Discover,  LookUp,  Flags,      Proxy,   NoData],
    /* beside etcd */ [Beside,  Beside,   Beside,     Beside,    Beside,  Beside,     Beside,  Beside],
    /* member      */ [Restart, Restart,  Restart,    Restart,   Restart, Restart,    Restart, Force],
    /* proxy       */ [Proxy,   Proxy,    Proxy,      Proxy,     Proxy,   Proxy,      Proxy,   NoData],
    /* etcd        */ [Etcd,    Etcd,     Etcd,       Etcd,      Etcd,    Etcd,       Etcd,    Etcd],
    /* foreign     */ [Foreign, Foreign,  Foreign,    Foreign,   Foreign, Foreign,    Foreign, Foreign],
];

/// Decides how to start.
///
/// # Errors
/// The refusals of the table. None of them has touched the directory.
pub fn decide(disk: &DiskState, config: &Config) -> Result<Plan, Refusal> {
    let bootstrap = config.bootstrap();
    let column = column(config, &bootstrap);
    match (cell(row(disk, config), column), bootstrap) {
        (Form | FormOrJoin, _) => Ok(Plan::Form),
        (Join, _) => Ok(Plan::Join),
        (Discover, _) => Ok(Plan::Discover),
        (LookUp, _) => Ok(Plan::LookUp),
        // A proxy that is new finds its cluster by the flags of the first start.
        (Proxy, Err(refusal)) if *disk != DiskState::Proxy => Err(refusal),
        (Proxy, _) => Ok(Plan::Proxy),
        (Restart | Force, _) => Ok(Plan::Restart),
        (Flags, Err(refusal)) => Err(refusal),
        (cell, _) => Err(refusals::of(cell, disk, config)),
    }
}

/// What the table has in this row and column.
pub fn cell(row: Row, column: Column) -> Cell {
    TABLE[row as usize][column as usize]
}

fn row(disk: &DiskState, config: &Config) -> Row {
    match disk {
        DiskState::Empty if config.etcd_dir.is_some() => Row::BesideEtcd,
        DiskState::Empty => Row::Empty,
        DiskState::Member => Row::Member,
        DiskState::Proxy => Row::Proxy,
        DiskState::Etcd(_) => Row::Etcd,
        DiskState::Foreign(_) => Row::Foreign,
    }
}

fn column(config: &Config, bootstrap: &Result<Bootstrap, Refusal>) -> Column {
    match bootstrap {
        _ if config.force_new_cluster => Column::ForceNewCluster,
        _ if config.proxying.mode != Mode::Off => Column::Proxy,
        Err(_) => Column::Unreadable,
        Ok(bootstrap) => match &bootstrap.members {
            Members::New(_) => Column::New,
            Members::Existing(_) => Column::Existing,
            Members::Auto(_) => Column::Auto,
            Members::Discovery(_) => Column::Discovery,
            Members::Srv(_) => Column::Srv,
        },
    }
}

#[cfg(test)]
mod tests;
