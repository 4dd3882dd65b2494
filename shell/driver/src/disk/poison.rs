//! Failures of operations that nobody waits for, kept for the next one that somebody waits for.

use std::collections::BTreeMap;

use quorate_core::disk::{DiskError, FileId};

/// What has failed and was not told yet.
#[derive(Debug)]
pub(super) struct Poison {
    files: BTreeMap<FileId, DiskError>,
    paths: BTreeMap<String, DiskError>,
}

impl Poison {
    pub(super) const fn new() -> Self {
        Self { files: BTreeMap::new(), paths: BTreeMap::new() }
    }

    /// The file stays poisoned until it is closed; the first failure is the one that is told.
    pub(super) fn note_file(&mut self, file: FileId, error: DiskError) {
        self.files.entry(file).or_insert(error);
    }

    pub(super) fn of_file(&self, file: FileId) -> Option<&DiskError> {
        self.files.get(&file)
    }

    pub(super) fn forget_file(&mut self, file: FileId) {
        self.files.remove(&file);
    }

    /// A failed change of directory entries poisons the paths and the directories that hold them:
    /// the sync of such a directory is what usually waits for the change.
    pub(super) fn note_path(&mut self, paths: &[&str], result: Result<(), DiskError>) {
        let Err(error) = result else { return };
        for path in paths {
            for poisoned in [path, parent(path)] {
                self.paths.entry(poisoned.to_owned()).or_insert_with(|| error.clone());
            }
        }
    }

    /// Tells a failure of `path` once; then the path may be tried again.
    pub(super) fn take_path(&mut self, path: &str) -> Result<(), DiskError> {
        self.paths.remove(path).map_or(Ok(()), Err)
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
