//! Requests as they come out of the log.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::write::{Condition, Ttl};
use super::{Change, Error, Event, Store};

/// A request to the store as it stands in the log: `etcdserverpb.Request`, without what only
/// concerns the member that took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is to be done.
    pub method: Method,
    /// The full store path.
    pub path: String,
    /// The value to write.
    pub value: Bytes,
    /// Whether a directory is meant.
    pub dir: bool,
    /// The value that the file has to have; empty for any.
    pub prev_value: Bytes,
    /// The modified index that the file has to have; 0 for any.
    pub prev_index: u64,
    /// Whether something has to be there, or nothing; absent for either.
    pub prev_exist: Option<bool>,
    /// When the node expires, in Unix nanoseconds; 0 for never.
    pub expiration: i64,
    /// Whether a deletion or read takes everything below.
    pub recursive: bool,
    /// Whether a read is to be sorted. It always is.
    pub sorted: bool,
    /// Whether only the expiry is to change, silently. Three different texts in the log.
    pub refresh: Option<bool>,
    /// For [`Method::Sync`]: up to when things expire, in Unix nanoseconds.
    pub time: i64,
}

/// The methods that the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Write: set, create, update or compareAndSwap, depending on the conditions.
    Put,
    /// Create in order.
    Post,
    /// Remove, with or without comparison.
    Delete,
    /// Read at this place of the log.
    Qget,
    /// Remove what has expired.
    Sync,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What the one who asked is told; nothing for [`Method::Sync`], which nobody asks for.
    pub result: Option<Result<Event, Error>>,
    /// What changed in the store, in order: to be given to the watch hub.
    pub changes: Vec<Change>,
}

impl Command {
    /// A command without any parameters.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            value: Bytes::new(),
            dir: false,
            prev_value: Bytes::new(),
            prev_index: 0,
            prev_exist: None,
            expiration: 0,
            recursive: false,
            sorted: false,
            refresh: None,
            time: 0,
        }
    }

    fn condition(&self) -> Condition {
        Condition { value: self.prev_value.clone(), index: self.prev_index }
    }

    fn ttl(&self) -> Ttl {
        let expires = (self.expiration != 0).then_some(self.expiration);
        Ttl { expires, refresh: self.refresh == Some(true) }
    }

    /// The value of the file that is to be made; nothing for a directory, whose value is dropped.
    fn file(&self) -> Option<&[u8]> {
        (!self.dir).then_some(&*self.value)
    }
}

impl Store {
    /// Carries out a command of the log.
    pub fn apply(&mut self, command: &Command) -> Applied {
        let result = match command.method {
            Method::Put => self.put(command),
            Method::Post => {
                self.create_in_order(&command.path, command.file(), command.ttl().expires)
            }
            Method::Delete if command.condition().is_empty() => {
                self.delete(&command.path, command.dir, command.recursive)
            }
            Method::Delete => self.compare_and_delete(&command.path, &command.condition()),
            Method::Qget => {
                let result = self.quorum_get(&command.path, command.recursive);
                return Applied { result: Some(result), changes: Vec::new() };
            }
            Method::Sync => {
                return Applied { result: None, changes: self.expire(command.time) };
            }
        };
        match result {
            Ok(change) => {
                Applied { result: Some(Ok(change.event().clone())), changes: alloc::vec![change] }
            }
            Err(error) => Applied { result: Some(Err(error)), changes: Vec::new() },
        }
    }

    fn put(&mut self, command: &Command) -> Result<Change, Error> {
        let (path, ttl, condition) = (&command.path, command.ttl(), command.condition());
        match command.prev_exist {
            Some(false) => self.create(path, command.file(), ttl.expires),
            Some(true) if condition.is_empty() => self.update(path, &command.value, ttl),
            None if condition.is_empty() => self.set(path, command.file(), ttl),
            _ => self.compare_and_swap(path, &condition, &command.value, ttl),
        }
    }

    fn quorum_get(&mut self, path: &str, recursive: bool) -> Result<Event, Error> {
        let result = self.image.get(path, recursive);
        self.image.state_mut().stats.gets.count(&result);
        result
    }
}
