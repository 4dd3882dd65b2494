//! The data directory on the real file system.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use quorate_core::disk::{DirEntry, DiskError, DiskErrorKind};
use quorate_shell::Files;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// The file in the data directory whose lock says that a process uses it.
pub(super) const LOCK_FILE: &str = "quorate.lock";
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A data directory. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    lock: Option<File>,
}

impl DataDir {
    pub(crate) const fn new(root: PathBuf) -> Self {
        Self { root, lock: None }
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

impl Files for DataDir {
    type File = File;

    fn lock(&mut self) -> Result<(), DiskError> {
        let root = &self.root;
        if !root.is_dir() {
            make_dir(root)?;
        }
        let path = root.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(&path).map_err(|error| failed("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(DiskError {
                kind: DiskErrorKind::Locked,
                message: format!("lock {}: held by another process", path.display()),
            }),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path, &error)),
        }
    }

    fn make_dir(&mut self, path: &str) -> Result<(), DiskError> {
        make_dir(&self.path(path))
    }

    fn list(&mut self, path: &str) -> Result<Vec<DirEntry>, DiskError> {
        let path = self.path(path);
        let wrong = |error| failed("list", &path, &error);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(wrong)?;
            let meta = entry.metadata().map_err(wrong)?;
            found.push(DirEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir: meta.is_dir(),
                len: if meta.is_dir() { 0 } else { meta.len() },
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn read(&mut self, path: &str) -> Result<Bytes, DiskError> {
        let path = self.path(path);
        fs::read(&path).map(Bytes::from).map_err(|error| failed("read", &path, &error))
    }

    fn create(&mut self, path: &str) -> Result<File, DiskError> {
        let path = self.path(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(FILE_MODE);
        options.open(&path).map_err(|error| failed("create", &path, &error))
    }

    fn open(&mut self, path: &str) -> Result<File, DiskError> {
        let path = self.path(path);
        let opened = OpenOptions::new().write(true).open(&path);
        opened.map_err(|error| failed("open", &path, &error))
    }

    fn preallocate(&mut self, file: &mut File, len: u64) -> Result<(), DiskError> {
        match fallocate(&*file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // Not every file system can reserve space. There the file only gets its length.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                let extended = file.metadata().and_then(|meta| file.set_len(len.max(meta.len())));
                extended.map_err(|error| failed_on_file("extend", &error))
            }
            Err(error) => Err(failed_on_file("preallocate", &error.into())),
        }
    }

    fn write(&mut self, file: &mut File, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        file.write_all_at(bytes, at).map_err(|error| failed_on_file("write", &error))
    }

    fn truncate(&mut self, file: &mut File, len: u64) -> Result<(), DiskError> {
        file.set_len(len).map_err(|error| failed_on_file("truncate", &error))
    }

    fn sync(&mut self, file: &mut File) -> Result<(), DiskError> {
        file.sync_data().map_err(|error| failed_on_file("fdatasync", &error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let (from, to) = (self.path(from), self.path(to));
        fs::rename(&from, &to).map_err(|error| failed("rename", &from, &error))
    }

    fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        let path = self.path(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }

    fn sync_dir(&mut self, path: &str) -> Result<(), DiskError> {
        sync_dir(&self.path(path))
    }
}

/// Makes a directory and its parents, each durable in the one above it.
fn make_dir(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_dir(parent)?;
    match DirBuilder::new().mode(DIR_MODE).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(failed("mkdir", path, &error));
        }
        _ => {}
    }
    sync_dir(parent)
}

fn sync_dir(path: &Path) -> Result<(), DiskError> {
    let synced = File::open(path).and_then(|dir| dir.sync_all());
    synced.map_err(|error| failed("fsync", path, &error))
}

fn failed(operation: &str, path: &Path, error: &io::Error) -> DiskError {
    let message = format!("{operation} {}: {error}", path.display());
    DiskError { kind: kind(error), message }
}

fn failed_on_file(operation: &str, error: &io::Error) -> DiskError {
    DiskError { kind: kind(error), message: format!("{operation}: {error}") }
}

fn kind(error: &io::Error) -> DiskErrorKind {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DiskErrorKind::NoSpace,
        ErrorKind::NotFound => DiskErrorKind::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DiskErrorKind::Permission,
        _ => DiskErrorKind::Other,
    }
}
