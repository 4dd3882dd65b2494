//! The disk as data.
//!
//! The core emits low-level operations, in the order in which they must be carried out, and learns
//! of their end through [`Done`]. So the file protocols themselves (write, sync, rename, sync the
//! directory) are what a simulated disk can attack.
//!
//! Paths are relative to the data directory and use `/`.

#[cfg(test)]
pub(crate) mod double;
mod replace;
mod script;
mod small;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

pub use replace::Replace;
pub use script::Script;
pub use small::SmallFile;

/// Names an operation whose end the core waits for. Tickets are handed out in ascending order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Names an open file. Chosen by the core, never reused while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub u64);

/// One disk operation. They are carried out one after the other, in the order given; an executor
/// may merge the syncs of one file that wait together into one, and must then answer each.
///
/// An operation without a ticket that fails poisons what it was applied to: the next operation on
/// the same file (or path) that has a ticket reports the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Make the data directory (mode 0700) if it is absent and take its lock, which is held until
    /// the process ends. Answered [`Found::Nothing`].
    Lock {
        /// Answers this.
        ticket: Ticket,
    },
    /// Make a directory and its parents, mode 0700; fine if it exists.
    MakeDir {
        /// The directory.
        path: Arc<str>,
    },
    /// List a directory. Answered [`Found::Entries`], empty if the directory is absent.
    List {
        /// The directory; empty for the data directory itself.
        path: Arc<str>,
        /// Answers this.
        ticket: Ticket,
    },
    /// Read a whole file. Answered [`Found::Bytes`].
    Read {
        /// The file.
        path: Arc<str>,
        /// Answers this.
        ticket: Ticket,
    },
    /// Make a file, which must not exist, mode 0600, and open it for writing.
    Create {
        /// What the file is called from here on.
        file: FileId,
        /// The file.
        path: Arc<str>,
    },
    /// Open a file that exists for writing.
    Open {
        /// What the file is called from here on.
        file: FileId,
        /// The file.
        path: Arc<str>,
    },
    /// Reserve space so that the file is `len` bytes long, the added ones reading as zero.
    /// Answered [`Found::Nothing`]. Where it fails for lack of space the file is not poisoned.
    Preallocate {
        /// The file.
        file: FileId,
        /// The new length in bytes.
        len: u64,
        /// Answers this.
        ticket: Ticket,
    },
    /// Write at an offset.
    Write {
        /// The file.
        file: FileId,
        /// Bytes from the start of the file.
        at: u64,
        /// What to write.
        bytes: Bytes,
    },
    /// Cut the file at `len` bytes.
    Truncate {
        /// The file.
        file: FileId,
        /// The new length in bytes.
        len: u64,
    },
    /// Make all that was written to the file durable (fdatasync). Answered [`Found::Nothing`].
    Sync {
        /// The file.
        file: FileId,
        /// Answers this.
        ticket: Ticket,
    },
    /// Close a file; its `FileId` is not used again.
    Close {
        /// The file.
        file: FileId,
    },
    /// Rename a file, replacing the target if it exists.
    Rename {
        /// The old name.
        from: Arc<str>,
        /// The new name.
        to: Arc<str>,
    },
    /// Remove a file; fine if it is absent.
    Remove {
        /// The file.
        path: Arc<str>,
    },
    /// Make the entries of a directory durable: files made, renamed and removed in it. Answered
    /// [`Found::Nothing`].
    SyncDir {
        /// The directory; empty for the data directory itself.
        path: Arc<str>,
        /// Answers this.
        ticket: Ticket,
    },
}

/// The end of the operation that carried `ticket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which operation.
    pub ticket: Ticket,
    /// What it found, or why it failed.
    pub result: Result<Found, DiskError>,
}

/// What an operation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was carried out, and that is all there is to say.
    Nothing,
    /// The entries of a directory, sorted by name.
    Entries(Vec<DirEntry>),
    /// The content of a file.
    Bytes(Bytes),
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name, without the directory.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_dir: bool,
    /// Its length in bytes; 0 for a directory.
    pub len: u64,
}

/// Why a disk operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskError {
    /// The kind, which the core acts upon.
    pub kind: DiskErrorKind,
    /// The operation and the system's own words, for people.
    pub message: String,
}

/// The failures that the core tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskErrorKind {
    /// No space is left, or a quota is used up.
    NoSpace,
    /// The file or directory is absent.
    NotFound,
    /// Permission was refused, or the file system is read-only.
    Permission,
    /// Another process holds the lock of the data directory.
    Locked,
    /// Everything else, input and output errors among them.
    Other,
}
