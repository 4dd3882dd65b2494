//! The errors of the v2 API.

use alloc::string::{String, ToString as _};

use super::json::Writer;
use super::reply;
use crate::http::Reply;
use crate::id::ClusterId;
use crate::store;

/// The error codes that clients get to see. etcd has a few more in its list that no release ever
/// sends.
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
    /// 110
    Unauthorized,
    /// 201
    PrevValueRequired,
    /// 202
    TtlNotANumber,
    /// 203
    IndexNotANumber,
    /// 209
    InvalidField,
    /// 210
    InvalidForm,
    /// 211
    RefreshWithValue,
    /// 212
    RefreshWithoutTtl,
    /// 300
    RaftInternal,
    /// 401
    EventIndexCleared,
}

/// What the API says with a code.
struct Row {
    number: u64,
    status: u16,
    message: &'static str,
}

impl Code {
    /// The table: number, HTTP status and message.
    const fn row(self) -> Row {
        let (number, status, message) = match self {
            Self::KeyNotFound => (100, 404, "Key not found"),
            Self::CompareFailed => (101, 412, "Compare failed"),
            Self::NotAFile => (102, 403, "Not a file"),
            Self::NotADirectory => (104, 400, "Not a directory"),
            Self::KeyExists => (105, 412, "Key already exists"),
            Self::RootReadOnly => (107, 400, "Root is read only"),
            Self::DirectoryNotEmpty => (108, 403, "Directory not empty"),
            Self::Unauthorized => (110, 401, "The request requires user authentication"),
            Self::PrevValueRequired => (201, 400, "PrevValue is Required in POST form"),
            Self::TtlNotANumber => (202, 400, "The given TTL in POST form is not a number"),
            Self::IndexNotANumber => (203, 400, "The given index in POST form is not a number"),
            Self::InvalidField => (209, 400, "Invalid field"),
            Self::InvalidForm => (210, 400, "Invalid POST form"),
            Self::RefreshWithValue => (211, 400, "Value provided on refresh"),
            Self::RefreshWithoutTtl => (212, 400, "A TTL must be provided on refresh"),
            Self::RaftInternal => (300, 500, "Raft Internal Error"),
            Self::EventIndexCleared => {
                (401, 400, "The event in requested index is outdated and cleared")
            }
        };
        Row { number, status, message }
    }
}

impl From<store::Code> for Code {
    fn from(code: store::Code) -> Self {
        match code {
            store::Code::KeyNotFound => Self::KeyNotFound,
            store::Code::CompareFailed => Self::CompareFailed,
            store::Code::NotAFile => Self::NotAFile,
            store::Code::NotADirectory => Self::NotADirectory,
            store::Code::KeyExists => Self::KeyExists,
            store::Code::RootReadOnly => Self::RootReadOnly,
            store::Code::DirectoryNotEmpty => Self::DirectoryNotEmpty,
            store::Code::EventIndexCleared => Self::EventIndexCleared,
        }
    }
}

/// An error of the v2 API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The code.
    pub code: Code,
    /// What it is about; left out of the answer where it is empty.
    pub cause: String,
    /// The store index at the time; 0 where the store was not asked.
    pub index: u64,
}

impl Error {
    /// An error that the store has no part in.
    pub fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into(), index: 0 }
    }

    /// The answer to the client. `cluster` is this member's, as soon as it is known.
    pub fn reply(&self, cluster: Option<ClusterId>) -> Reply {
        let row = self.code.row();
        let mut body = Writer::default();
        body.object(|fields| {
            fields.uint("errorCode", row.number);
            fields.string("message", row.message.as_bytes());
            if !self.cause.is_empty() {
                fields.string("cause", self.cause.as_bytes());
            }
            fields.uint("index", self.index);
        });
        let mut reply = reply::json(row.status, body.finish_line());
        reply.headers.push(("X-Etcd-Index", self.index.to_string()));
        reply::with_cluster(reply, cluster)
    }
}

impl From<&store::Error> for Error {
    /// The store names full paths; clients see those of keys. That of the root of all keys
    /// becomes empty, and so is left out.
    fn from(error: &store::Error) -> Self {
        let cause = error.cause.strip_prefix(super::keys::ROOT).unwrap_or(&error.cause);
        Self { code: error.code.into(), cause: cause.into(), index: error.index }
    }
}
