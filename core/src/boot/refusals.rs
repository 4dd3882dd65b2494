//! The refusals of a start: those of the boot table, and those of its surroundings.

use alloc::format;

use super::disk_state::{self, DiskState};
use super::table::Cell;
use crate::config::Config;
use crate::disk::{DiskError, DiskErrorKind};
use crate::error::Refusal;
use crate::id::MemberId;
use crate::node::ListenError;
use crate::wal::Owner;

/// What a cell that refuses says. The directory was not touched.
pub(super) fn of(cell: Cell, disk: &DiskState, config: &Config) -> Refusal {
    let dir = &config.data_dir;
    match (cell, disk) {
        (Cell::RefuseBeside, _) => beside(config),
        (Cell::RefuseEtcd, DiskState::Etcd(entries)) => {
            Refusal::new(format!("the data directory {dir} was written by etcd"))
                .hint(format!("found in it: {}", entries.join(", ")))
                .hint(format!(
                    "nothing in it was touched; to start with that data, stop etcd and import it \
                     into another directory: quorate import -from {dir} -data-dir NEW"
                ))
                .hint("to start without it, give another -data-dir")
        }
        (Cell::RefuseForeign, DiskState::Foreign(entries)) => Refusal::new(format!(
            "the data directory {dir} holds files that are not Quorate's"
        ))
        .hint(format!("found in it: {}", entries.join(", ")))
        .hint("nothing in it was touched; start with a -data-dir that is empty or does not exist"),
        (_, disk) => {
            let found = if *disk == DiskState::Proxy { "is a proxy's" } else { "is empty" };
            Refusal::new("-force-new-cluster needs the data of a member, and there is none")
                .hint(format!("the data directory {dir} {found}"))
                .hint("if the data is elsewhere, say so with -data-dir")
                .hint("to form a new cluster without data, leave -force-new-cluster away")
        }
    }
}

fn beside(config: &Config) -> Refusal {
    let (dir, etcd) = (&config.data_dir, config.etcd_dir.as_deref().unwrap_or_default());
    Refusal::new(format!(
        "no -data-dir is given, and beside the default {dir}, which is empty, there is etcd's {etcd}"
    ))
    .hint(format!("to start without that data, say so with -data-dir {dir}"))
    .hint(format!(
        "to start with it, stop etcd and import it first: quorate import -from {etcd} -data-dir \
         {dir}; {etcd} was not touched"
    ))
}

/// By its own log a member that is to be a cluster alone is in none.
pub(super) fn not_a_member(own: MemberId, removed: bool, dir: &str) -> Refusal {
    let refusal = Refusal::new(format!("-force-new-cluster: member {own} is not in its cluster"));
    let refusal = if removed {
        refusal.hint(format!("by the log in {dir} it was removed, which holds for ever"))
    } else {
        refusal.hint(format!("the log in {dir} does not reach to its addition"))
    };
    refusal
        .hint("nothing was changed; use the data of another member")
        .hint("leave -force-new-cluster away to start this one as it is")
}

impl From<ListenError> for Refusal {
    /// Nothing could be listened on.
    fn from(error: ListenError) -> Self {
        match error {
        ListenError::Address(cause) => Self::new(cause)
            .hint("another process may use the port already, or the address is not this machine's")
            .hint("see -listen-peer-urls and -listen-client-urls"),
        ListenError::Certificate(cause) => Self::new(cause)
            .hint(
                "the files of the flags about TLS are in PEM and readable for the user that runs \
                   this process; nothing was touched",
            )
            .hint("see -cert-file, -key-file, -trusted-ca-file and those with -peer- before them"),
    }
    }
}

/// The cluster knows this member as one that has started, but its directory is empty.
pub(super) fn bootstrapped(owner: Owner, name: &str, dir: &str) -> Refusal {
    let Owner { member, cluster } = owner;
    Refusal::new(format!("member {member} has already been bootstrapped"))
        .hint(format!(
            "cluster {cluster} lists {name} as started, but the data directory {dir} is empty"
        ))
        .hint("if its directory is only elsewhere, start with that -data-dir")
        .hint(
            "if its data is lost, remove the member from the cluster and add it again, then start \
             it with -initial-cluster-state existing",
        )
}

/// There is a log, but nothing that says whose.
pub(super) fn no_identity(dir: &str) -> Refusal {
    let file = disk_state::IDENTITY;
    Refusal::new(format!("the file {file} in the data directory {dir} is missing"))
        .hint("there is a log, so the directory is not whole: nothing was changed")
        .hint("restore it from a copy, or replace this member")
}

/// The data directory cannot be used.
pub(crate) fn disk(dir: &str, error: &DiskError) -> Refusal {
    let refusal = Refusal::new(format!("cannot use the data directory {dir}: {}", error.message));
    match error.kind {
        DiskErrorKind::Locked => {
            refusal.hint("another process runs on it; each member needs a -data-dir of its own")
        }
        DiskErrorKind::Permission => {
            refusal.hint("it has to be writable for the user that runs this process")
        }
        DiskErrorKind::NoSpace => refusal.hint("the disk is full: make room and start again"),
        DiskErrorKind::NotFound | DiskErrorKind::Other => {
            refusal.hint("-data-dir has to name a directory on a sound disk, or one to be made")
        }
    }
}
