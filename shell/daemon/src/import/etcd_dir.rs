//! The data directory of etcd. It is only read.

use std::fs::File;

use quorate_core::disk::DiskError;
use quorate_core::error::Refusal;
use quorate_core::import::{Folder, Imported, LAYOUTS, Layout, Source};
use quorate_shell::Files as _;
use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;

use crate::new_dir::bar;
use crate::platform::DataDir;

/// The database of the v3 API, beside the snapshots.
const V3: &str = "db";

/// A data directory in which etcd's log was found.
pub(super) struct EtcdDir {
    dir: String,
    layout: Layout,
}

impl EtcdDir {
    /// # Errors
    /// There is no such directory, or etcd still runs on it.
    pub(super) fn open(dir: &str) -> Result<Self, Refusal> {
        if !std::path::Path::new(dir).is_dir() {
            return Err(Refusal::new(format!("there is no directory {dir}"))
                .hint("-from names the data directory of a stopped etcd member"));
        }
        let mut files = DataDir::new(dir.into());
        let mut with_log = None;
        for layout in LAYOUTS {
            if with_log.is_none()
                && !files.list(layout.wal).map_err(|error| unreadable(&error))?.is_empty()
            {
                with_log = Some(layout);
            }
        }
        let etcd = Self { dir: dir.into(), layout: with_log.unwrap_or(LAYOUTS[0]) };
        etcd.refuse_running()?;
        Ok(etcd)
    }

    /// Whether there is a database of the v3 API.
    pub(super) fn has_v3(&self) -> bool {
        std::path::Path::new(&self.dir).join(self.layout.snap).join(V3).exists()
    }

    pub(super) fn read(&self) -> Result<Imported, Refusal> {
        let mut files = DataDir::new((&self.dir).into());
        let wal = files.list(self.layout.wal).map_err(|error| unreadable(&error))?;
        let snap = files.list(self.layout.snap).map_err(|error| unreadable(&error))?;
        let mut source = Source::new(&wal, &snap)?;
        let bar = bar("reading", source.len());
        while let Some(file) = source.next_file() {
            let folder = match file.folder {
                Folder::Wal => self.layout.wal,
                Folder::Snap => self.layout.snap,
            };
            let bytes = files
                .read(&format!("{folder}/{}", file.name))
                .map_err(|error| unreadable(&error))?;
            source.feed(&bytes)?;
            bar.inc(bytes.len() as u64);
        }
        bar.finish_and_clear();
        source.finish()
    }

    /// etcd holds a lock on each segment that it may write to: flock in 2.x, one of open file
    /// descriptions since 3.0.
    fn refuse_running(&self) -> Result<(), Refusal> {
        let wal = self.layout.wal;
        for entry in
            DataDir::new((&self.dir).into()).list(wal).map_err(|error| unreadable(&error))?
        {
            let path = std::path::Path::new(&self.dir).join(wal).join(&entry.name);
            let Ok(file) = File::open(&path) else { continue };
            let shared = FlockOperation::NonBlockingLockShared;
            let held = [flock(&file, shared), fcntl_lock(&file, shared)]
                .into_iter()
                .any(|lock| matches!(lock, Err(Errno::WOULDBLOCK | Errno::ACCESS)));
            if held {
                return Err(Refusal::new(format!("etcd still runs on {}", self.dir))
                    .hint(format!("another process holds {}", path.display()))
                    .hint("stop that member first; nothing was read"));
            }
        }
        Ok(())
    }
}

fn unreadable(error: &DiskError) -> Refusal {
    Refusal::new(format!("cannot read etcd's data directory: {}", error.message))
        .hint("nothing was imported")
}
