//! Refusals of the store.

use alloc::string::String;

/// The error codes of the v2 API that the store itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 100
    KeyNotFound,
    /// 101
    CompareFailed,
    /// 102
    NotAFile,
    /// 104
    NotADirectory,
    /// 105
    KeyExists,
    /// 107
    RootReadOnly,
    /// 108
    DirectoryNotEmpty,
    /// 401
    EventIndexCleared,
}

/// Why the store refused a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The code.
    pub code: Code,
    /// The offending key (full store path) or comparison; empty where etcd gives none.
    pub cause: String,
    /// The store index at the time.
    pub index: u64,
}
