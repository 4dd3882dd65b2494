//! What stands in a data directory, read from nothing but its listings.

use alloc::string::String;
use alloc::vec::Vec;

use crate::disk::DirEntry;

/// The directory of everything that Quorate writes, within the data directory.
pub const ROOT: &str = "quorate";
/// The segments of the write-ahead log.
pub const WAL: &str = "quorate/wal";
/// The snapshots.
pub const SNAP: &str = "quorate/snap";
/// Who this data directory is.
pub const IDENTITY: &str = "quorate/identity";
/// What this data directory has registered with a discovery service.
pub const REGISTRATION: &str = "quorate/registration";
/// That this data directory is a proxy's; beside [`ROOT`], which only a member makes.
pub const PROXY: &str = "quorate.proxy";
/// By which data directories this member knows its peers.
pub const PEERS: &str = "quorate/peers";
/// The members that this one was told when it joined, until its log has them.
pub const TOLD: &str = "quorate/told";
/// The lock file, beside and not within [`ROOT`], so that taking the lock makes no member.
pub const LOCK: &str = "quorate.lock";

/// What a data directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskState {
    /// Nothing, or a start that got no further than an identity.
    Empty,
    /// A member of Quorate, with a log.
    Member,
    /// A proxy of Quorate.
    Proxy,
    /// What a release of etcd wrote; the entries that give it away.
    Etcd(Vec<String>),
    /// Something else; the entries that nobody here knows.
    Foreign(Vec<String>),
}

/// Judges a data directory by its entries and, if there is one, those of its log directory.
pub fn judge(root: &[DirEntry], wal: &[DirEntry]) -> DiskState {
    if wal.iter().any(|entry| is_segment(&entry.name)) {
        return DiskState::Member;
    }
    if root.iter().any(|entry| entry.name == PROXY) {
        return DiskState::Proxy;
    }
    let named = |known: fn(&str) -> bool| -> Vec<String> {
        root.iter().map(|e| e.name.clone()).filter(|name| known(name)).collect()
    };
    let etcd = named(is_etcds);
    let unknown = named(|name| !is_ours(name) && !is_the_systems(name));
    match (root.iter().any(|e| e.name == ROOT), etcd.is_empty(), unknown.is_empty()) {
        (true, _, _) | (_, true, true) => DiskState::Empty,
        (false, false, _) => DiskState::Etcd(etcd),
        (false, true, false) => DiskState::Foreign(unknown),
    }
}

fn is_segment(name: &str) -> bool {
    name.strip_suffix(".wal").is_some_and(|stem| !stem.is_empty())
}

fn is_ours(name: &str) -> bool {
    name == ROOT || name == LOCK || name == PROXY || name.strip_suffix(".tmp") == Some(PROXY)
}

/// What 0.4 (`conf`, `log`, `snapshot`, `standby_info`), 2.0.0 (`wal`, `snap`) and the later
/// releases (`member`, `proxy`) make at the top of a data directory.
fn is_etcds(name: &str) -> bool {
    matches!(
        name,
        "member" | "proxy" | "wal" | "snap" | "conf" | "log" | "snapshot" | "standby_info"
    )
}

/// What a file system or a desktop leaves in any directory.
fn is_the_systems(name: &str) -> bool {
    name == "lost+found" || name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    fn entries(names: &[&str]) -> Vec<DirEntry> {
        let entry = |name: &&str| DirEntry { name: name.to_string(), is_dir: false, len: 0 };
        names.iter().map(entry).collect()
    }

    #[test]
    fn every_kind_of_directory() {
        let etcd = |names: &[&str]| DiskState::Etcd(names.iter().map(|n| n.to_string()).collect());
        let segment = "0000000000000000-0000000000000001.wal";
        let table: [(&[&str], &[&str], DiskState); 13] = [
            (&[], &[], DiskState::Empty),
            (&["lost+found", ".Trash"], &[], DiskState::Empty),
            (&["quorate.lock"], &[], DiskState::Empty),
            (&["quorate", "quorate.lock"], &[], DiskState::Empty),
            (&["quorate.proxy.tmp", "quorate.lock"], &[], DiskState::Empty),
            (&["quorate.proxy", "quorate.lock"], &[], DiskState::Proxy),
            (&["quorate", "quorate.proxy"], &[segment], DiskState::Member),
            (&["quorate", "quorate.lock"], &["segment.tmp"], DiskState::Empty),
            (&["quorate", "quorate.lock"], &[segment], DiskState::Member),
            (&["quorate", "member"], &[segment], DiskState::Member),
            (&["member"], &[], etcd(&["member"])),
            (&["snap", "wal", "notes.txt"], &[], etcd(&["snap", "wal"])),
            (&["notes.txt"], &[], DiskState::Foreign(vec!["notes.txt".to_string()])),
        ];
        for (root, wal, expected) in table {
            assert_eq!(judge(&entries(root), &entries(wal)), expected, "{root:?} {wal:?}");
        }
    }
}
