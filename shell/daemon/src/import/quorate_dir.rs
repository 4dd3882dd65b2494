//! The data directory of Quorate that an import has made, to be compared with etcd's.

use std::path::Path;

use quorate_core::disk::DiskError;
use quorate_core::error::Refusal;
use quorate_core::raft::Snapshot;
use quorate_core::snap;
use quorate_core::wal::{self, Owner, Recovered, Replay};
use quorate_shell::Files as _;

use crate::new_dir::bar;
use crate::platform::DataDir;

/// What the log and the snapshots of a directory hold.
pub(super) struct Read {
    pub(super) recovered: Recovered,
    pub(super) snapshots: Vec<(Owner, Snapshot)>,
}

/// Reads a directory, whose member must not run.
pub(super) fn read(dir: &str) -> Result<Read, Refusal> {
    if !Path::new(dir).is_dir() {
        return Err(Refusal::new(format!("there is no directory {dir}"))
            .hint("-data-dir names the data directory that was imported"));
    }
    let mut files = DataDir::new(dir.into());
    files.lock().map_err(|error| unreadable(&error))?;
    let segments = files.list(wal::DIR).map_err(|error| unreadable(&error))?;
    let bar = bar("comparing", segments.iter().map(|segment| segment.len).sum());
    let mut replay = Replay::new(&segments)?;
    while let Some(path) = replay.next_file() {
        let segment = files.read(&path).map_err(|error| unreadable(&error))?;
        replay.feed(&segment)?;
        bar.inc(segment.len() as u64);
    }
    bar.finish_and_clear();
    let recovered = replay.finish()?.ok_or_else(|| {
        Refusal::new(format!("there is no log in {dir}")).hint("nothing was imported to it yet")
    })?;
    let mut snapshots = Vec::new();
    for entry in files.list(snap::DIR).map_err(|error| unreadable(&error))? {
        let file = files.read(&format!("{}/{}", snap::DIR, entry.name));
        let file = file.map_err(|error| unreadable(&error))?;
        snapshots.extend(snap::decode(&file));
    }
    Ok(Read { recovered, snapshots })
}

fn unreadable(error: &DiskError) -> Refusal {
    Refusal::new(format!("cannot read the data directory: {}", error.message))
        .hint("nothing was changed; a member that runs on it has to be stopped first")
}
