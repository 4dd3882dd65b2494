//! The operations that change the store.
//!
//! Each gives the change it made, or the refusal with nothing changed. A change takes exactly one
//! store index and has exactly one event.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::error::{Code, Error};
use super::event::{Action, Event, NodeView};
use super::image::view;
use super::tree::{Node, Subtree};
use super::{Change, NAMESPACES, Store, path};

/// The beginning of the year 2000 in Unix nanoseconds. An expiry before it comes from a time to
/// live that overflowed, and what is created with it stays.
const YEAR_2000: i64 = 946_684_800_000_000_000;

/// How a write deals with the time to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ttl {
    /// When the node expires, in Unix nanoseconds; nothing makes it permanent.
    pub expires: Option<i64>,
    /// Whether only the expiry changes: the value stays, and no watcher is told.
    pub refresh: bool,
}

/// What a file has to be like for a conditional write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// The value that it has to have; empty for any.
    pub value: Bytes,
    /// The modified index that it has to have; 0 for any.
    pub index: u64,
}

impl Condition {
    /// Whether anything is asked for.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty() && self.index == 0
    }

    /// Says what does not hold, in etcd's words; nothing if all holds.
    fn failure(&self, value: &Bytes, index: u64) -> Option<String> {
        let text = String::from_utf8_lossy;
        let by_value = (!self.value.is_empty() && self.value != value)
            .then(|| format!("[{} != {}]", text(&self.value), text(value)));
        let by_index = (self.index != 0 && self.index != index && !planted!(IgnorePrevIndex))
            .then(|| format!("[{} != {index}]", self.index));
        match (by_value, by_index) {
            (Some(value), Some(index)) => Some(format!("{value} {index}")),
            (one, other) => one.or(other),
        }
    }
}

impl Store {
    /// Makes a file (or a directory, where there is no value), in place of a file that is there.
    ///
    /// # Errors
    /// 107 for the root, 104 below a file, 102 for a directory that is there, and for a refresh 100
    /// where nothing is.
    pub fn set(&mut self, path: &str, value: Option<&[u8]>, ttl: Ttl) -> Result<Change, Error> {
        let result = self.try_set(&path::clean(path), value, ttl);
        self.image.state_mut().stats.sets.count(&result);
        result
    }

    /// Makes a file (or a directory, where there is no value) where nothing is.
    ///
    /// # Errors
    /// 107 for the root, 104 below a file, 105 where something is.
    pub fn create(
        &mut self,
        path: &str,
        value: Option<&[u8]>,
        expires: Option<i64>,
    ) -> Result<Change, Error> {
        let result = self.try_create(&path::clean(path), value, expires);
        self.image.state_mut().stats.creates.count(&result);
        result
    }

    /// Makes a file (or a directory, where there is no value) in a directory, under a name that
    /// sorts after all that were made so before: the store index, with 20 digits.
    ///
    /// # Errors
    /// 104 below a file.
    pub fn create_in_order(
        &mut self,
        directory: &str,
        value: Option<&[u8]>,
        expires: Option<i64>,
    ) -> Result<Change, Error> {
        let (mut number, next) = (itoa::Buffer::new(), self.next());
        let next = if planted!(InsertUnderOneName) { next & !1 } else { next };
        let number = number.format(next);
        let zeros = &"00000000000000000000"[number.len()..];
        self.create(&[directory, "/", zeros, number].concat(), value, expires)
    }

    /// Gives a file that is there a new value and expiry, or a directory a new expiry.
    ///
    /// # Errors
    /// 107 for the root, 100 where nothing is, 104 below a file, 102 for a directory if a value is
    /// given.
    pub fn update(&mut self, path: &str, value: &[u8], ttl: Ttl) -> Result<Change, Error> {
        let result = self.try_update(&path::clean(path), value, ttl);
        self.image.state_mut().stats.updates.count(&result);
        result
    }

    /// Gives a file a new value and expiry if it meets the condition.
    ///
    /// # Errors
    /// 107 for the root, 100 where nothing is, 104 below a file, 102 for a directory, 101 if it
    /// does not meet the condition.
    pub fn compare_and_swap(
        &mut self,
        path: &str,
        condition: &Condition,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Change, Error> {
        let result = self.try_compare_and_swap(&path::clean(path), condition, value, ttl);
        self.image.state_mut().stats.swaps.count(&result);
        result
    }

    /// Removes a file; with `dir` also an empty directory, with `recursive` any.
    ///
    /// # Errors
    /// 107 for the root, 100 where nothing is, 104 below a file, 102 for a directory without `dir`,
    /// 108 for one that is not empty without `recursive`.
    pub fn delete(&mut self, path: &str, dir: bool, recursive: bool) -> Result<Change, Error> {
        let result = self.try_delete(&path::clean(path), dir || recursive, recursive);
        self.image.state_mut().stats.deletes.count(&result);
        result
    }

    /// Removes a file if it meets the condition.
    ///
    /// # Errors
    /// 100 where nothing is, 104 below a file, 102 for a directory, 101 if it does not meet the
    /// condition.
    pub fn compare_and_delete(
        &mut self,
        path: &str,
        condition: &Condition,
    ) -> Result<Change, Error> {
        let result = self.try_compare_and_delete(&path::clean(path), condition);
        self.image.state_mut().stats.compared_deletes.count(&result);
        result
    }

    /// Removes everything that expires at or before `until`, in Unix nanoseconds: by time, of one
    /// time by path in bytewise order. A directory takes what is below it along.
    pub fn expire(&mut self, until: i64) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(path) = self.image.state().tree.expired(until) {
            let node = self.image.state().tree.lookup(&path).expect("what expires exists").clone();
            changes.push(self.remove(Action::Expire, &path, &node));
            let expired = &mut self.image.state_mut().stats.expired;
            *expired = expired.saturating_add(1);
        }
        changes
    }

    fn try_set(&mut self, path: &str, value: Option<&[u8]>, ttl: Ttl) -> Result<Change, Error> {
        let prev = match self.image.lookup(path) {
            Ok(node) => Some(node.clone()),
            Err(error) if error.code == Code::KeyNotFound && !ttl.refresh => None,
            Err(error) => return Err(error),
        };
        self.refuse_root(path)?;
        if prev.as_ref().is_some_and(|prev| prev.directory().is_some()) {
            return Err(self.image.error(Code::NotAFile, path));
        }
        let kept = prev.as_ref().and_then(Node::value).filter(|_| ttl.refresh);
        let value = value.map(|value| kept.map_or(value, |kept| kept));
        let node = self.place(path, value, ttl.expires)?;
        let prev = prev.map(|prev| view(path, &prev));
        Ok(self.commit(Action::Set, node, prev, ttl.refresh, None))
    }

    fn try_create(
        &mut self,
        path: &str,
        value: Option<&[u8]>,
        expires: Option<i64>,
    ) -> Result<Change, Error> {
        self.refuse_root(path)?;
        if self.image.lookup(path).is_ok() {
            return Err(self.image.error(Code::KeyExists, path));
        }
        let node = self.place(path, value, expires)?;
        Ok(self.commit(Action::Create, node, None, false, None))
    }

    fn try_update(&mut self, path: &str, value: &[u8], ttl: Ttl) -> Result<Change, Error> {
        self.refuse_root(path)?;
        let prev = self.image.lookup(path)?.clone();
        if prev.directory().is_some() && !value.is_empty() {
            return Err(self.image.error(Code::NotAFile, path));
        }
        Ok(self.overwrite(Action::Update, path, &prev, value, ttl))
    }

    fn try_compare_and_swap(
        &mut self,
        path: &str,
        condition: &Condition,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Change, Error> {
        self.refuse_root(path)?;
        let prev = self.compare(path, condition)?;
        Ok(self.overwrite(Action::CompareAndSwap, path, &prev, value, ttl))
    }

    fn try_delete(&mut self, path: &str, dir: bool, recursive: bool) -> Result<Change, Error> {
        self.refuse_root(path)?;
        let prev = self.image.lookup(path)?.clone();
        if let Some(id) = prev.directory() {
            if !dir {
                return Err(self.image.error(Code::NotAFile, path));
            }
            if !recursive && !self.image.state().tree.children(id).is_empty() {
                return Err(self.image.error(Code::DirectoryNotEmpty, path));
            }
        }
        Ok(self.remove(Action::Delete, path, &prev))
    }

    fn try_compare_and_delete(
        &mut self,
        path: &str,
        condition: &Condition,
    ) -> Result<Change, Error> {
        let prev = self.compare(path, condition)?;
        Ok(self.remove(Action::CompareAndDelete, path, &prev))
    }

    fn refuse_root(&self, path: &str) -> Result<(), Error> {
        if path == "/" || NAMESPACES.contains(&path) {
            return Err(self.image.error(Code::RootReadOnly, "/"));
        }
        Ok(())
    }

    /// The file at `path`, if it meets the condition.
    fn compare(&self, path: &str, condition: &Condition) -> Result<Node, Error> {
        let node = self.image.lookup(path)?;
        let Some(value) = node.value() else {
            return Err(self.image.error(Code::NotAFile, path));
        };
        match condition.failure(value, node.modified) {
            Some(cause) => Err(self.image.error(Code::CompareFailed, cause)),
            None => Ok(node.clone()),
        }
    }

    /// Puts a new node where there is no directory.
    ///
    /// The value is copied: what comes in is part of a whole message or request, which would stay
    /// in memory for as long as the key does.
    fn place(
        &mut self,
        path: &str,
        value: Option<&[u8]>,
        expires: Option<i64>,
    ) -> Result<NodeView, Error> {
        let (index, value) = (self.next(), value.map(Bytes::copy_from_slice));
        let expires = expires.filter(|time| *time >= YEAR_2000);
        let inserted = self.image.state_mut().tree.insert(path, value.clone(), index, expires);
        inserted.map_err(|missed| self.image.missed(path, missed))?;
        Ok(NodeView {
            path: path.into(),
            dir: value.is_none(),
            value,
            expiration: expires,
            nodes: Vec::new(),
            modified_index: index,
            created_index: index,
        })
    }

    /// Changes a node in place. That it is told under the new index also where it is a directory,
    /// which itself keeps its old one, is what etcd does.
    fn overwrite(
        &mut self,
        action: Action,
        path: &str,
        prev: &Node,
        value: &[u8],
        ttl: Ttl,
    ) -> Change {
        let index = if planted!(SwapKeepsIndex) { prev.modified } else { self.next() };
        let value = match prev.value() {
            Some(kept) if ttl.refresh => Some(kept.clone()),
            Some(_) => Some(Bytes::copy_from_slice(value)),
            None => None,
        };
        let lost = planted!(RefreshLosesValue) && ttl.refresh;
        self.image.state_mut().tree.rewrite(
            path,
            value.clone().filter(|_| !lost).unwrap_or_default(),
            index,
            ttl.expires,
        );
        let node =
            NodeView { value, expiration: ttl.expires, modified_index: index, ..view(path, prev) };
        self.commit(action, node, Some(view(path, prev)), ttl.refresh, None)
    }

    fn remove(&mut self, action: Action, path: &str, prev: &Node) -> Change {
        let kept = planted!(DeleteKeepsKey) && action == Action::Delete;
        let removed = if kept { None } else { self.image.state_mut().tree.remove(path) };
        let prev = view(path, prev);
        let node =
            NodeView { value: None, expiration: None, modified_index: self.next(), ..prev.clone() };
        self.commit(action, node, Some(prev), false, removed)
    }

    /// Takes the next index for a change that was made.
    fn commit(
        &mut self,
        action: Action,
        node: NodeView,
        prev: Option<NodeView>,
        refresh: bool,
        removed: Option<Subtree>,
    ) -> Change {
        let index = self.next();
        let event = Arc::new(Event { action, node, prev, index, refresh });
        let state = self.image.state_mut();
        state.index = index;
        state.history.push(event.clone());
        Change { event, removed }
    }

    fn next(&self) -> u64 {
        self.image.index() + 1
    }
}
