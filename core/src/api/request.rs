//! What a client asked, typed.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::id::MemberId;
use crate::url::Url;

/// A request that the node itself has to handle. Plain reads are not among them: they are
/// answered from the published [`View`](crate::view::View).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A write or quorum read of `/v2/keys`, which goes through the log.
    Keys(KeysRequest),
    /// A watch of `/v2/keys`.
    Watch(WatchRequest),
    /// A change of `/v2/members`.
    Members(MembersRequest),
    /// `/quorate/members`: how far the members have come.
    Progress,
    /// Whether a quorum confirms what this member says of the membership, in the view that is
    /// published before the answer.
    Confirm,
}

/// A change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembersRequest {
    /// `POST /v2/members`: a new member, whose ID is made up.
    Add {
        /// Its peer URLs, sorted by text.
        peer_urls: Vec<Url>,
    },
    /// `PUT /v2/members/<id>`
    Update {
        /// The member.
        id: MemberId,
        /// Its new peer URLs, sorted by text.
        peer_urls: Vec<Url>,
    },
    /// `DELETE /v2/members/<id>`
    Remove {
        /// The member.
        id: MemberId,
    },
}

/// A request to `/v2/keys` that is not a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysRequest {
    /// What is to be done.
    pub verb: Verb,
    /// The full store path, `/1` and the cleaned key.
    pub path: String,
    /// The value to write; empty where none was given.
    pub value: Bytes,
    /// `dir`
    pub dir: bool,
    /// `prevValue`; absent where it was not given.
    pub prev_value: Option<Bytes>,
    /// `prevIndex`; 0 where it was not given.
    pub prev_index: u64,
    /// `prevExist`
    pub prev_exist: Option<bool>,
    /// `ttl` in seconds. The node adds its wall clock.
    pub ttl_s: Option<u64>,
    /// `refresh`; absent where it was not given.
    pub refresh: Option<bool>,
    /// `recursive`
    pub recursive: bool,
    /// `sorted`
    pub sorted: bool,
    /// `quorum`; only of interest for [`Verb::Get`].
    pub quorum: bool,
    /// `noValueOnSuccess`; only shapes the answer.
    pub no_value_on_success: bool,
}

impl KeysRequest {
    /// A request with nothing but a verb and a path: every field that says more is empty, absent or
    /// false.
    pub fn new(verb: Verb, path: impl Into<String>) -> Self {
        Self {
            verb,
            path: path.into(),
            value: Bytes::new(),
            dir: false,
            prev_value: None,
            prev_index: 0,
            prev_exist: None,
            ttl_s: None,
            refresh: None,
            recursive: false,
            sorted: false,
            quorum: false,
            no_value_on_success: false,
        }
    }
}

/// The verbs of `/v2/keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET and HEAD
    Get,
    /// PUT
    Put,
    /// POST
    Post,
    /// DELETE
    Delete,
}

/// `GET /v2/keys…?wait=true`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRequest {
    /// The full store path.
    pub path: String,
    /// Whether everything below the path is watched too.
    pub recursive: bool,
    /// Whether events follow each other until the client goes, or one ends the answer.
    pub stream: bool,
    /// `waitIndex`; 0 where it was not given.
    pub since: u64,
}
