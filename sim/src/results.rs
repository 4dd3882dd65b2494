//! The results file: what was simulated so far, added up over many runs of the runner.
//!
//! A soak lasts longer than one process does, so what it has shown is kept as lines that are only
//! ever appended, one JSON object each. A run that is interrupted loses what it has not yet
//! appended, and nothing else.

mod batch;
mod sum;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use batch::{Batch, Finished, Origin};
pub use sum::{Sum, WorldSum};

/// A results file that this process alone appends to.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    file: File,
    batches: Vec<Batch>,
    /// Lines that could not be read, and why.
    damaged: Vec<String>,
    /// Whether the last line lacks its end: the process that wrote it was killed.
    torn: bool,
}

/// Why a results file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process appends to it.
    #[error(
        "{0} belongs to a run that has not ended; use a second file, and sum both with `sim results`"
    )]
    InUse(PathBuf),
    /// All seeds above those recorded were used.
    #[error("{0}: no seed is left behind the last one")]
    Exhausted(PathBuf),
}

impl Results {
    /// Opens a results file for appending, and makes it if it is not there. It stays locked
    /// against other processes as long as this value lives.
    ///
    /// # Errors
    /// The file cannot be read or made, or another process has it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).open(path).map_err(io)?;
        file.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => Error::InUse(path.to_owned()),
            TryLockError::Error(source) => io(source),
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io)?;
        let torn = !text.is_empty() && !text.ends_with('\n');
        let (batches, damaged) = parse(path, &text);
        Ok(Self { path: path.to_owned(), file, batches, damaged, torn })
    }

    /// Reads the batches of a results file that another process may be appending to, and the
    /// lines that are none, in words.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> Result<(Vec<Batch>, Vec<String>), Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        std::fs::read_to_string(path).map(|text| parse(path, &text)).map_err(io)
    }

    /// Lines that are no batches, in words.
    pub fn damaged(&self) -> &[String] {
        &self.damaged
    }

    /// The seed behind the highest one that was run in a world; 0 if none was.
    ///
    /// # Errors
    /// There is no higher seed.
    pub fn next_seed(&self, world: &str) -> Result<u64, Error> {
        let of_world = self.batches.iter().filter(|batch| batch.origin.world == world);
        let last = of_world.map(|batch| batch.first.saturating_add(batch.seeds)).max();
        match last {
            Some(u64::MAX) => Err(Error::Exhausted(self.path.clone())),
            last => Ok(last.unwrap_or(0)),
        }
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, batch: Batch) -> Result<(), Error> {
        let json = serde_json::to_string(&batch).expect("a batch has nothing that JSON lacks");
        let begin = if std::mem::take(&mut self.torn) { "\n" } else { "" };
        let line = format!("{begin}{json}\n");
        let io = |source| Error::Io { path: self.path.clone(), source };
        self.file.write_all(line.as_bytes()).map_err(io)?;
        self.batches.push(batch);
        Ok(())
    }
}

fn parse(path: &Path, text: &str) -> (Vec<Batch>, Vec<String>) {
    let (mut batches, mut damaged) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_str(line) {
            Ok(batch) => batches.push(batch),
            Err(e) => damaged.push(format!("{}: line {} is left out: {e}", path.display(), at + 1)),
        }
    }
    (batches, damaged)
}

#[cfg(test)]
mod tests;
