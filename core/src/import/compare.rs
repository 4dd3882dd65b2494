//! Comparing a data directory of etcd with the one of Quorate that was made of it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Imported;
use crate::raft::{Entry, Snapshot};
use crate::store::Image;
use crate::wal::{Owner, Recovered};

/// What a comparison has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The differences, in words; none if the two agree.
    pub differences: Vec<String>,
    /// The last entry that both have.
    pub common: u64,
    /// The last entry that Quorate has: more than etcd's, if the member has run since.
    pub last: u64,
}

/// Compares. `snapshots` are those of Quorate's directory that are marked in its log and could be
/// read.
pub fn compare(etcd: &Imported, log: &Recovered, snapshots: &[(Owner, Snapshot)]) -> Compared {
    let mut differences = Vec::new();
    if log.owner != etcd.owner {
        differences.push(format!(
            "etcd's is member {} of cluster {}, Quorate's is member {} of cluster {}",
            etcd.owner.member, etcd.owner.cluster, log.owner.member, log.owner.cluster
        ));
    }
    let last = log.entries.last().map_or(log.base.index, |entry| entry.index);
    if last < etcd.last_index() {
        differences.push(format!(
            "etcd's log ends with entry {}, Quorate's with entry {last}",
            etcd.last_index()
        ));
    }
    if log.hard_state.term < etcd.hard_state.term {
        differences.push(format!(
            "etcd's term is {}, Quorate's is {}",
            etcd.hard_state.term, log.hard_state.term
        ));
    }
    let own = |index: u64| log.entries.iter().find(|entry| entry.index == index);
    let differs = |entry: &&Entry| own(entry.index).is_some_and(|own| own != *entry);
    if let Some(entry) = etcd.entries.iter().find(differs) {
        differences.push(format!("entry {} is not the same", entry.index));
    }
    if let Some(theirs) = &etcd.snapshot {
        let same = snapshots.iter().find(|(_, own)| own.last == theirs.last);
        match same {
            Some((_, own)) => differences.extend(snapshot_differs(theirs, own)),
            None if log.base.index <= theirs.last.index && last == etcd.last_index() => {
                differences.push(format!("the snapshot of entry {} is missing", theirs.last.index));
            }
            // Quorate has made newer ones since, and thrown this one away.
            None => {}
        }
    }
    Compared { differences, common: last.min(etcd.last_index()), last }
}

fn snapshot_differs(theirs: &Snapshot, own: &Snapshot) -> Option<String> {
    let digest = |snapshot: &Snapshot| Image::decode(&snapshot.data).map(|image| image.digest());
    let differs = own.last != theirs.last
        || own.conf != theirs.conf
        || digest(own).ok() != digest(theirs).ok();
    differs.then(|| format!("the snapshot of entry {} is not the same", theirs.last.index))
}
