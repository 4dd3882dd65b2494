//! The log file of a stopped member, changed behind its back.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::cluster::contents;

/// The last segment of the log in a data directory.
pub(crate) fn last_segment(data_dir: &Path) -> PathBuf {
    let files = contents(&data_dir.join("quorate/wal")).into_iter().map(|(path, _)| path);
    let logs = files.filter(|path| path.extension().is_some_and(|kind| kind == "wal"));
    logs.max().expect("there is a log")
}

/// Where the zeros begin that fill the rest of a log file.
pub(crate) fn written(log: &Path) -> usize {
    let bytes = fs::read(log).expect("the log is read");
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

pub(crate) fn overwrite(file: &Path, at: usize, bytes: &[u8]) {
    open(file).write_all_at(bytes, at as u64).expect("the file is written");
}

/// Takes away everything from an offset on.
pub(crate) fn cut(file: &Path, at: usize) {
    open(file).set_len(at as u64).expect("the file is cut");
}

fn open(file: &Path) -> File {
    OpenOptions::new().write(true).open(file).expect("the file is opened")
}
