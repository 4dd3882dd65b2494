//! What a deletion has taken out of a tree.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::{Children, DirectoryId};
use crate::store::path;

/// A directory that was removed, with everything that was below it. Watchers of what was there
/// are told of its end; watchers of what was not are not.
#[derive(Clone)]
pub(crate) struct Subtree {
    path: Arc<str>,
    top: DirectoryId,
    directories: BTreeMap<DirectoryId, Children>,
}

impl Subtree {
    pub(super) fn new(path: &str, top: DirectoryId) -> Self {
        Self { path: path.into(), top, directories: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, id: DirectoryId, children: Children) {
        self.directories.insert(id, children);
    }

    /// Whether a clean path was part of it.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let Some(below) = path.strip_prefix(&*self.path) else { return false };
        if !below.is_empty() && !path::is_below(path, &self.path) {
            return false;
        }
        let mut directory = Some(self.top);
        for name in path::components(below) {
            let children = directory.and_then(|id| self.directories.get(&id));
            let Some(node) = children.and_then(|children| children.get(name)) else { return false };
            directory = node.directory();
        }
        true
    }
}
