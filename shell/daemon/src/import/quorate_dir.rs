//! The data directory of Quorate that an import makes, or is compared with.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use quorate_core::disk::{DiskError, Op, Script};
use quorate_core::error::Refusal;
use quorate_core::import::{Imported, Target};
use quorate_core::raft::Snapshot;
use quorate_core::wal::{self, Owner, Recovered, Replay};
use quorate_core::{snap, wal::SEGMENT_BYTES};
use quorate_shell::{Executor, Files as _};

use super::bar;
use crate::platform::{DataDir, Tokio};

/// What the log and the snapshots of a directory hold.
pub(super) struct Read {
    pub(super) recovered: Recovered,
    pub(super) snapshots: Vec<(Owner, Snapshot)>,
}

/// Refuses a directory that holds something already.
pub(super) fn vacant(dir: &str) -> Result<(), Refusal> {
    let taken = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(failed(dir, &error)),
    };
    let staging = staging(dir);
    if staging.exists() {
        return Err(Refusal::new(format!("there is {} already", staging.display()))
            .hint("an import was cut off: remove what it has left, and start again"));
    }
    if taken {
        return Err(Refusal::new(format!("the data directory {dir} is not empty"))
            .hint("nothing in it was touched; give a -data-dir that is absent or empty"));
    }
    Ok(())
}

/// Writes a directory beside the one that is wanted, which then takes its name.
pub(super) fn write(dir: &str, imported: Imported) -> Result<(), Refusal> {
    let staging = staging(dir);
    let mut executor = Executor::new(DataDir::new(staging.clone()));
    let mut script = Script::default();
    let mut target = Target::begin(imported, Tokio::random(), SEGMENT_BYTES, &mut script);
    let mut ended = false;
    let bar = bar("writing", 0);
    while !ended {
        let mut dones = Vec::new();
        let ops: Vec<Op> = script.drain().collect();
        bar.inc_length(ops.iter().map(written).sum());
        let ops = ops.into_iter().inspect(|op| bar.inc(written(op)));
        executor.run(ops, &mut |done| dones.push(done));
        assert!(!dones.is_empty(), "an import waits for nothing but the disk");
        for done in dones {
            ended |= target.handle(&done, &mut script)?;
        }
    }
    drop(executor);
    bar.finish_and_clear();
    let parent = Path::new(dir).parent().filter(|path| !path.as_os_str().is_empty());
    fs::rename(&staging, dir)
        .and_then(|()| File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all())
        .map_err(|error| failed(dir, &error))
}

/// The bytes that an operation writes.
fn written(op: &Op) -> u64 {
    match op {
        Op::Write { bytes, .. } => bytes.len() as u64,
        _ => 0,
    }
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

/// Where it is written until it is whole.
fn staging(dir: &str) -> PathBuf {
    PathBuf::from(format!("{}.importing", dir.trim_end_matches('/')))
}

fn failed(dir: &str, error: &io::Error) -> Refusal {
    Refusal::new(format!("cannot make the data directory {dir}: {error}"))
        .hint("nothing was imported")
}

fn unreadable(error: &DiskError) -> Refusal {
    Refusal::new(format!("cannot read the data directory: {}", error.message))
        .hint("nothing was changed; a member that runs on it has to be stopped first")
}
