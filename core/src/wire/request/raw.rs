//! The protobuf messages behind requests.
//!
//! In a bare request all fields but the two nullable ones are always written, strings as empty
//! ones too. Strings are bytes here: etcd puts values into them that are no UTF-8.

use alloc::string::String;

use bytes::Bytes;

use super::{Method, Request, RequestError};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RawRequest {
    #[prost(uint64, required, tag = "1")]
    pub(super) id: u64,
    #[prost(bytes = "bytes", required, tag = "2")]
    pub(super) method: Bytes,
    #[prost(bytes = "bytes", required, tag = "3")]
    pub(super) path: Bytes,
    #[prost(bytes = "bytes", required, tag = "4")]
    pub(super) value: Bytes,
    #[prost(bool, required, tag = "5")]
    pub(super) dir: bool,
    #[prost(bytes = "bytes", required, tag = "6")]
    pub(super) prev_value: Bytes,
    #[prost(uint64, required, tag = "7")]
    pub(super) prev_index: u64,
    #[prost(bool, optional, tag = "8")]
    pub(super) prev_exist: Option<bool>,
    #[prost(int64, required, tag = "9")]
    pub(super) expiration: i64,
    #[prost(bool, required, tag = "10")]
    pub(super) wait: bool,
    #[prost(uint64, required, tag = "11")]
    pub(super) since: u64,
    #[prost(bool, required, tag = "12")]
    pub(super) recursive: bool,
    #[prost(bool, required, tag = "13")]
    pub(super) sorted: bool,
    #[prost(bool, required, tag = "14")]
    pub(super) quorum: bool,
    #[prost(int64, required, tag = "15")]
    pub(super) time: i64,
    #[prost(bool, required, tag = "16")]
    pub(super) stream: bool,
    #[prost(bool, optional, tag = "17")]
    pub(super) refresh: Option<bool>,
}

/// `InternalRaftRequest` of etcd 3, as far as it has to be told what it is.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RawInternal {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(message, optional, tag = "2")]
    pub(super) v2: Option<RawRequest>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(super) range: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub(super) put: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "5")]
    pub(super) delete_range: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub(super) txn: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "7")]
    pub(super) compaction: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub(super) lease_grant: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub(super) lease_revoke: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "10")]
    pub(super) alarm: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "11")]
    pub(super) lease_checkpoint: Option<Bytes>,
}

impl RawInternal {
    /// etcd's name of the request; those of the authentication are not told apart.
    pub(super) fn kind(&self) -> &'static str {
        let kinds = [
            (&self.range, "range"),
            (&self.put, "put"),
            (&self.delete_range, "delete_range"),
            (&self.txn, "txn"),
            (&self.compaction, "compaction"),
            (&self.lease_grant, "lease_grant"),
            (&self.lease_revoke, "lease_revoke"),
            (&self.alarm, "alarm"),
            (&self.lease_checkpoint, "lease_checkpoint"),
        ];
        kinds.iter().find(|(field, _)| field.is_some()).map_or("auth or newer", |(_, name)| name)
    }
}

impl From<&Request> for RawRequest {
    fn from(request: &Request) -> Self {
        Self {
            id: request.id,
            method: Bytes::copy_from_slice(request.method.as_str().as_bytes()),
            path: Bytes::copy_from_slice(request.path.as_bytes()),
            value: request.value.clone(),
            dir: request.dir,
            prev_value: request.prev_value.clone(),
            prev_index: request.prev_index,
            prev_exist: request.prev_exist,
            expiration: request.expiration,
            wait: request.wait,
            since: request.since,
            recursive: request.recursive,
            sorted: request.sorted,
            quorum: request.quorum,
            time: request.time,
            stream: request.stream,
            refresh: request.refresh,
        }
    }
}

impl TryFrom<&RawRequest> for Request {
    type Error = RequestError;

    fn try_from(raw: &RawRequest) -> Result<Self, RequestError> {
        let path = core::str::from_utf8(&raw.path).map_err(|_| RequestError::Path)?;
        Ok(Self {
            id: raw.id,
            method: Method::from_word(&raw.method),
            path: String::from(path),
            value: raw.value.clone(),
            dir: raw.dir,
            prev_value: raw.prev_value.clone(),
            prev_index: raw.prev_index,
            prev_exist: raw.prev_exist,
            expiration: raw.expiration,
            wait: raw.wait,
            since: raw.since,
            recursive: raw.recursive,
            sorted: raw.sorted,
            quorum: raw.quorum,
            time: raw.time,
            stream: raw.stream,
            refresh: raw.refresh,
        })
    }
}
