//! `/v2/keys`: what a request asks for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::error::{Code, Error};
use super::form::{Form, Name};
use super::request::{KeysRequest, Request, Verb, WatchRequest};
use crate::auth::Access;
use crate::http::{Head, Method, Reply};
use crate::id::ClusterId;

pub use super::read::Read;

/// Where the keys of clients are in the store.
pub(crate) const ROOT: &str = "/1";

/// How deep keys may be nested, in components. etcd has no limit; but the tree is walked by
/// recursion, which needs one.
pub const DEPTH_LIMIT: usize = 512;

/// The key that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it stands in the path, decoded: bytes, which need not be UTF-8.
    key: Vec<u8>,
    /// How long it is without a slash at the end.
    len: usize,
    /// Whether the body is a form and has to be read. Otherwise it counts as empty.
    pub reads_body: bool,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Something that is answered from the view.
    Read(Read),
    /// Something that the node has to do.
    Request(Request),
}

impl Target {
    /// `key` is what follows `/v2/keys` in a clean path.
    pub(crate) fn new(key: &[u8], reads_body: bool) -> Self {
        let len = key.strip_suffix(b"/").unwrap_or(key).len();
        Self { key: key.to_vec(), len, reads_body }
    }

    /// What the client has to be allowed to do for what was read of its request.
    pub fn access<'a>(&'a self, method: Method, parsed: &Parsed) -> Access<'a> {
        let recursive = match parsed {
            Parsed::Read(read) => read.recursive,
            Parsed::Request(Request::Keys(request)) => request.recursive,
            Parsed::Request(Request::Watch(watch)) => watch.recursive,
            Parsed::Request(_) => false,
        };
        // A key that is read is UTF-8: everything else was refused.
        let key = str::from_utf8(&self.key).unwrap_or_default();
        Access::Keys { key, recursive, write: !matches!(method, Method::Get | Method::Head) }
    }

    /// The path in the store.
    fn path(&self) -> Result<String, Error> {
        let invalid = |cause: String| Error::new(Code::InvalidField, cause);
        let key = str::from_utf8(&self.key[..self.len])
            .map_err(|_| invalid("key is not UTF-8".into()))?;
        if key.matches('/').count() > DEPTH_LIMIT {
            return Err(invalid(format!("key has more than {DEPTH_LIMIT} components")));
        }
        Ok(format!("{ROOT}{key}"))
    }
}

/// The answer to who is not allowed to do what they ask for.
pub fn refused(cluster: Option<ClusterId>) -> Reply {
    Error::new(Code::Unauthorized, "Insufficient credentials").reply(cluster)
}

/// The answer to a form that is too long.
pub fn body_too_long(cluster: Option<ClusterId>) -> Reply {
    Error::new(Code::InvalidForm, "http: POST too large").reply(cluster)
}

/// Reads a request to `/v2/keys`. `cluster` is this member's, as soon as it is known.
///
/// # Errors
/// The answer to a request that is malformed. Several faults are told in etcd's order. Beyond etcd
/// a key that is not UTF-8, or nested too deeply, is refused (error 209).
pub fn parse(
    head: &Head,
    target: &Target,
    body: &[u8],
    cluster: Option<ClusterId>,
) -> Result<Parsed, Reply> {
    understand(head, target, body).map_err(|error| error.reply(cluster))
}

fn understand(head: &Head, target: &Target, body: &[u8]) -> Result<Parsed, Error> {
    let form = Form::read(head, body).map_err(|cause| Error::new(Code::InvalidForm, cause))?;
    let options = Options::read(head.method, &form)?;
    let path = target.path()?;
    let verb = match head.method {
        Method::Put => Verb::Put,
        Method::Post => Verb::Post,
        Method::Delete => Verb::Delete,
        _ => Verb::Get,
    };
    // Both quorum and wait count only with GET; together they are a plain quorum read.
    let quorum = options.quorum && head.method == Method::Get;
    let Options { recursive, sorted, wait, stream, .. } = options;
    if verb == Verb::Get && !quorum {
        return Ok(if wait {
            let since = options.wait_index;
            Parsed::Request(Request::Watch(WatchRequest { path, recursive, stream, since }))
        } else {
            Parsed::Read(Read { path, recursive })
        });
    }
    Ok(Parsed::Request(Request::Keys(KeysRequest {
        verb,
        path,
        value: form.value(Name::Value).cloned().unwrap_or_default(),
        dir: options.dir,
        prev_value: form.value(Name::PrevValue).cloned(),
        prev_index: options.prev_index,
        prev_exist: options.prev_exist,
        ttl_s: options.ttl_s,
        refresh: options.refresh,
        recursive,
        sorted,
        quorum,
        no_value_on_success: options.no_value_on_success,
    })))
}

/// The parameters that are more than text.
struct Options {
    prev_index: u64,
    wait_index: u64,
    recursive: bool,
    sorted: bool,
    wait: bool,
    dir: bool,
    quorum: bool,
    stream: bool,
    no_value_on_success: bool,
    ttl_s: Option<u64>,
    prev_exist: Option<bool>,
    refresh: Option<bool>,
}

impl Options {
    /// Every parameter is judged, whatever the method: the order of the lines is the order in
    /// which faults are told.
    fn read(method: Method, form: &Form) -> Result<Self, Error> {
        let prev_index = index(form, Name::PrevIndex)?;
        let wait_index = index(form, Name::WaitIndex)?;
        let recursive = flag(form, Name::Recursive)?;
        let sorted = flag(form, Name::Sorted)?;
        let wait = flag(form, Name::Wait)?;
        let dir = flag(form, Name::Dir)?;
        let quorum = flag(form, Name::Quorum)?;
        let stream = flag(form, Name::Stream)?;
        if wait && method != Method::Get {
            let cause = "\"wait\" can only be used with GET requests";
            return Err(Error::new(Code::InvalidField, cause));
        }
        if form.value(Name::PrevValue).is_some_and(Bytes::is_empty) {
            return Err(Error::new(Code::PrevValueRequired, "\"prevValue\" cannot be empty"));
        }
        let no_value_on_success = flag(form, Name::NoValueOnSuccess)?;
        let ttl_s = ttl(form)?;
        let prev_exist = choice(form, Name::PrevExist)?;
        let refresh = choice(form, Name::Refresh)?;
        if refresh == Some(true) {
            if form.value(Name::Value).is_some_and(|value| !value.is_empty()) {
                let cause = "A value was provided on a refresh";
                return Err(Error::new(Code::RefreshWithValue, cause));
            }
            if ttl_s.is_none() {
                return Err(Error::new(Code::RefreshWithoutTtl, "No TTL value set"));
            }
        }
        Ok(Self {
            prev_index,
            wait_index,
            recursive,
            sorted,
            wait,
            dir,
            quorum,
            stream,
            no_value_on_success,
            ttl_s,
            prev_exist,
            refresh,
        })
    }
}

/// A store index; 0 where it is absent.
fn index(form: &Form, name: Name) -> Result<u64, Error> {
    let Some(text) = form.value(name) else { return Ok(0) };
    uint(text).ok_or_else(|| invalid(Code::IndexNotANumber, name))
}

/// A yes or no; no where it is absent.
fn flag(form: &Form, name: Name) -> Result<bool, Error> {
    let Some(text) = form.value(name) else { return Ok(false) };
    boolean(text).ok_or_else(|| invalid(Code::InvalidField, name))
}

/// A yes or no that may be absent. etcd forgets the quotes around its name.
fn choice(form: &Form, name: Name) -> Result<Option<bool>, Error> {
    let Some(text) = form.value(name) else { return Ok(None) };
    let unclear = || Error::new(Code::InvalidField, format!("invalid value for {}", name.as_str()));
    boolean(text).map(Some).ok_or_else(unclear)
}

/// Seconds; absent where the text is empty.
fn ttl(form: &Form) -> Result<Option<u64>, Error> {
    match form.value(Name::Ttl) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => uint(text).map(Some).ok_or_else(|| invalid(Code::TtlNotANumber, Name::Ttl)),
    }
}

fn invalid(code: Code, name: Name) -> Error {
    Error::new(code, format!("invalid value for \"{}\"", name.as_str()))
}

/// Decimal digits and nothing else, that fit into 64 bits.
fn uint(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
