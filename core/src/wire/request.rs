//! Requests to the v2 state machine: the data of entries of kind
//! [`EntryKind::Normal`](crate::raft::EntryKind::Normal).

mod fast;
mod raw;

use alloc::string::{String, ToString as _};

use bytes::Bytes;
use prost::Message as _;

use raw::{RawInternal, RawRequest};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// Create a node with a name that the store makes up.
    Post,
    /// Set, create, update or compare and swap.
    Put,
    /// Delete, or compare and delete.
    Delete,
    /// A read that goes through the log.
    Qget,
    /// Remove what has expired at [`Request::time`].
    Sync,
    /// What Quorate members say among themselves; it touches no key and no index.
    Quorate,
    /// Anything else: its waiter gets an error, nothing changes.
    Unknown(String),
}

impl Method {
    /// The word in the entry.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Qget => "QGET",
            Self::Sync => "SYNC",
            Self::Quorate => "QUORATE",
            Self::Unknown(word) => word,
        }
    }

    fn from_word(word: &[u8]) -> Self {
        match word {
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"QGET" => Self::Qget,
            b"SYNC" => Self::Sync,
            b"QUORATE" => Self::Quorate,
            _ => Self::Unknown(String::from_utf8_lossy(word).into_owned()),
        }
    }
}

/// `etcdserverpb.Request`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Unique in the cluster; the member that proposed it waits for it.
    pub id: u64,
    /// What is to be done.
    pub method: Method,
    /// The full store path: `/1/…` for keys, `/0/…` for the cluster's own.
    pub path: String,
    /// The value to write. Any bytes.
    pub value: Bytes,
    /// Whether the node is a directory.
    pub dir: bool,
    /// The value to compare with; empty where there is none.
    pub prev_value: Bytes,
    /// The index to compare with; 0 where there is none.
    pub prev_index: u64,
    /// Whether the node has to exist.
    pub prev_exist: Option<bool>,
    /// When the node expires, in Unix nanoseconds; 0 for never.
    pub expiration: i64,
    /// Whether it is a watch; never so in an entry.
    pub wait: bool,
    /// The index from which a watch begins.
    pub since: u64,
    /// `recursive`
    pub recursive: bool,
    /// `sorted`
    pub sorted: bool,
    /// `quorum`
    pub quorum: bool,
    /// The time of a [`Method::Sync`], in Unix nanoseconds.
    pub time: i64,
    /// Whether a watch goes on behind its first event.
    pub stream: bool,
    /// Whether only the expiry changes.
    pub refresh: Option<bool>,
}

impl Request {
    /// A request in which everything but these is absent, false or zero.
    pub fn new(id: u64, method: Method, path: impl Into<String>) -> Self {
        Self {
            id,
            method,
            path: path.into(),
            value: Bytes::new(),
            dir: false,
            prev_value: Bytes::new(),
            prev_index: 0,
            prev_exist: None,
            expiration: 0,
            wait: false,
            since: 0,
            recursive: false,
            sorted: false,
            quorum: false,
            time: 0,
            stream: false,
            refresh: None,
        }
    }

    /// The data of the entry: a bare request, as etcd 2 and 3 both write it.
    pub fn encode(&self) -> Bytes {
        RawRequest::from(self).encode_to_vec().into()
    }

    /// Reads the data of an entry that is not empty.
    ///
    /// # Errors
    /// It is no request, or one that cannot be carried out here.
    pub fn decode(data: Bytes) -> Result<Self, RequestError> {
        if let Some(request) = fast::read(&data) {
            return Ok(request);
        }
        let bare = RawRequest::decode(data.clone());
        if let Ok(raw) = &bare
            && !matches!(Method::from_word(&raw.method), Method::Unknown(_))
        {
            return raw.try_into();
        }
        // Not surely bare. A wrapped request fails as a bare one (its method would be a whole
        // message), and a bare one fails as a wrapped one (its word would be a message, and its
        // fifth field is no message either).
        match (RawInternal::decode(data), bare) {
            (Ok(RawInternal { v2: Some(raw), .. }), _) => (&raw).try_into(),
            (Ok(internal), _) => Err(RequestError::V3(internal.kind())),
            (Err(_), Ok(raw)) => (&raw).try_into(),
            (Err(_), Err(error)) => Err(RequestError::Malformed(error.to_string())),
        }
    }
}

/// Why the data of an entry is no request that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is no protobuf of a request.
    #[error("malformed request in the log: {0}")]
    Malformed(String),
    /// It belongs to etcd's v3 API. A member that keeps only the v2 store cannot follow a cluster
    /// that is used through v3: to skip the entry would make it differ unseen.
    #[error("the log holds a request of the v3 API ({0})")]
    V3(&'static str),
    /// The path is not UTF-8, which etcd lets pass.
    #[error("the path of a request in the log is not UTF-8")]
    Path,
}

#[cfg(test)]
mod tests;
