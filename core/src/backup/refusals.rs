//! Why there is no backup, or nothing made of one.

use alloc::format;
use alloc::string::String;

use super::{Damage, Head};
use crate::error::Refusal;
use crate::id::ClusterId;

const UNTOUCHED: &str = "nothing was restored, and no directory was made";

impl Damage {
    /// What is said of the file in which the damage is.
    pub fn of(&self, file: &str) -> Refusal {
        let refusal = Refusal::new(format!("{file} cannot be restored: {self}"));
        let refusal = match self {
            Self::Foreign => refusal.hint("give a file that 'quorate backup' has written"),
            Self::Version(_) => refusal.hint("use the release of quorate that wrote it"),
            Self::Checksum { .. } | Self::Short { .. } | Self::Long { .. } => {
                refusal.hint("use another copy of this backup, or another backup")
            }
        };
        refusal.hint(UNTOUCHED)
    }
}

/// The file cannot be read.
pub fn unreadable(file: &str, cause: &str) -> Refusal {
    Refusal::new(format!("cannot read {file}: {cause}")).hint(UNTOUCHED)
}

/// The file that a backup was to be written to is there.
pub fn exists(file: &str) -> Refusal {
    Refusal::new(format!("{file} exists already"))
        .hint("a backup never replaces a file: it was not touched; name another one with -to")
}

/// The file of a backup cannot be written.
pub fn unwritable(file: &str, cause: &str) -> Refusal {
    Refusal::new(format!("cannot write {file}: {cause}"))
        .hint("no backup was made; name a file on a disk with room for it with -to")
}

/// A flag is missing that names a file.
pub fn absent(command: &str, flag: &str, what: &str) -> Refusal {
    Refusal::new(format!("'quorate {command}' needs -{flag} FILE, {what}")).of_syntax()
}

/// The dump makes no sense, though all checksums hold.
pub(super) fn no_dump(head: &Head, cause: &str) -> Refusal {
    Refusal::new(format!("backup {} cannot be restored: {cause}", head.name()))
        .hint("use another backup; the member that gave this one may have a defect")
        .hint(UNTOUCHED)
}

/// The list comes from somewhere else than -initial-cluster.
pub(super) fn no_list() -> Refusal {
    Refusal::new("a restore needs the list of the new cluster in -initial-cluster")
        .hint("every member of it is restored from the same backup, with the same list and token")
        .hint(UNTOUCHED)
}

/// The new cluster would have the ID of the old one.
pub(super) fn same_cluster(cluster: ClusterId) -> Refusal {
    Refusal::new(format!("the new cluster would have the ID of the old one, {cluster}"))
        .hint("give another -initial-cluster-token, on every member of the new cluster")
        .hint(UNTOUCHED)
}

/// No member gave a backup; `causes` has one line for each that was asked.
pub(super) fn nobody(causes: impl IntoIterator<Item = String>) -> Refusal {
    let refusal = Refusal::new("no member gave a backup");
    let refusal = causes.into_iter().fold(refusal, Refusal::hint);
    refusal.hint(
        "-endpoints names client URLs of members that run; where there is no quorum any more, \
         -local takes what one of them has",
    )
}
