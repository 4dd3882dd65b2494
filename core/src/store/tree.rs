//! The tree of files and directories, as a value that is cheap to keep old versions of.
//!
//! Cloning a tree is O(1); a write to a tree that shares its nodes with a clone copies only the
//! nodes on its way, a write to one that does not copies nothing. Directories are held side by
//! side under numbers instead of within each other, so that no path, however deep, makes dropping,
//! dumping or deleting recurse.

mod subtree;
mod walk;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use archery::ArcTK;
use bytes::Bytes;
use rpds::{RedBlackTreeMap, RedBlackTreeSet};

use super::path;
pub(crate) use subtree::Subtree;
pub(crate) use walk::{Builder, Nodes, Visitor};

/// Files and directories from the root down, and which of them expire.
///
/// Invariants: the root is a directory that never expires; every directory that a node names is
/// in `directories` and belongs to that node alone; `expiring` has exactly the nodes with an
/// expiry.
#[derive(Clone)]
pub(crate) struct Tree {
    root: Node,
    directories: RedBlackTreeMap<DirectoryId, Children, ArcTK>,
    next: u64,
    expiring: RedBlackTreeSet<(i64, Arc<str>), ArcTK>,
}

/// Names a directory's children for as long as it lives. Local to a process: two trees of the
/// same content may differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DirectoryId(u64);

/// A file or a directory.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Store index of its creation.
    pub(crate) created: u64,
    /// Store index of the last change of its value.
    pub(crate) modified: u64,
    /// When it expires, in Unix nanoseconds.
    pub(crate) expires: Option<i64>,
    /// What it is.
    pub(crate) content: Content,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A file and its value.
    File(Bytes),
    /// A directory.
    Directory(DirectoryId),
}

/// The nodes of a directory by name, in bytewise order.
#[derive(Clone)]
pub(crate) struct Children(RedBlackTreeMap<Arc<str>, Node, ArcTK>);

/// Why a path leads nowhere. `end` is the length of the part of the path that is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// That part does not exist, and all before it does.
    Absent {
        /// Its length.
        end: usize,
    },
    /// That part is a file.
    NotADirectory {
        /// Its length.
        end: usize,
    },
}

impl Node {
    pub(crate) fn directory(&self) -> Option<DirectoryId> {
        match self.content {
            Content::File(_) => None,
            Content::Directory(id) => Some(id),
        }
    }

    pub(crate) fn value(&self) -> Option<&Bytes> {
        match &self.content {
            Content::File(value) => Some(value),
            Content::Directory(_) => None,
        }
    }
}

impl Children {
    fn new() -> Self {
        Self(RedBlackTreeMap::new_with_ptr_kind())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.0.get(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (&**name, node))
    }
}

impl Tree {
    /// A root without anything in it.
    pub(crate) fn new() -> Self {
        let mut tree = Self {
            root: Node {
                created: 0,
                modified: 0,
                expires: None,
                content: Content::File(Bytes::new()),
            },
            directories: RedBlackTreeMap::new_with_ptr_kind(),
            next: 0,
            expiring: RedBlackTreeSet::new_with_ptr_kind(),
        };
        tree.root.content = Content::Directory(tree.adopt(Children::new()));
        tree
    }

    /// The node at a clean path.
    pub(crate) fn lookup(&self, path: &str) -> Result<&Node, Missed> {
        let (mut node, mut end) = (&self.root, 0);
        for name in path::components(path) {
            let Content::Directory(id) = node.content else {
                return Err(Missed::NotADirectory { end });
            };
            end += 1 + name.len();
            node = self.children(id).get(name).ok_or(Missed::Absent { end })?;
        }
        Ok(node)
    }

    /// The children of a directory of this tree.
    pub(crate) fn children(&self, id: DirectoryId) -> &Children {
        self.directories.get(&id).expect("every directory that a node names exists")
    }

    /// Puts a new file (or a new directory, where there is no value) at a clean path other than
    /// the root. Missing parents come to be with it. A file that is there is replaced.
    ///
    /// # Panics
    /// If the path is the root or a directory.
    pub(crate) fn insert(
        &mut self,
        path: &str,
        value: Option<Bytes>,
        index: u64,
        expires: Option<i64>,
    ) -> Result<(), Missed> {
        let (parent, name) = path::split(path).expect("the root is never inserted");
        let parent = self.ensure_directory(parent, index)?;
        if let Some(replaced) = self.children(parent).get(name) {
            assert!(replaced.directory().is_none(), "a directory is never replaced");
            let replaced = replaced.expires;
            self.reschedule(path, replaced, None);
        }
        let content = match value {
            Some(value) => Content::File(value),
            None => Content::Directory(self.adopt(Children::new())),
        };
        let node = Node { created: index, modified: index, expires, content };
        self.children_mut(parent).insert_mut(name.into(), node);
        self.reschedule(path, None, expires);
        Ok(())
    }

    /// Gives the node at a clean path a new expiry, and if it is a file a new value as of `index`.
    /// A directory does not take note of the index.
    ///
    /// # Panics
    /// If there is no such node, or it is the root.
    pub(crate) fn rewrite(&mut self, path: &str, value: Bytes, index: u64, expires: Option<i64>) {
        let (parent, name) = path::split(path).expect("the root is never rewritten");
        let parent = self.lookup(parent).ok().and_then(Node::directory);
        let parent = parent.expect("what is rewritten has a parent");
        let node = self.children_mut(parent).get_mut(name).expect("what is rewritten exists");
        let expired = core::mem::replace(&mut node.expires, expires);
        if let Content::File(old) = &mut node.content {
            *old = value;
            node.modified = index;
        }
        self.reschedule(path, expired, expires);
    }

    /// Takes out the node at a clean path with everything below it; a directory is returned.
    ///
    /// # Panics
    /// If there is no such node, or it is the root.
    pub(crate) fn remove(&mut self, path: &str) -> Option<Subtree> {
        let (parent, name) = path::split(path).expect("the root is never removed");
        let parent = self.lookup(parent).ok().and_then(Node::directory);
        let parent = parent.expect("what is removed has a parent");
        let node = self.children(parent).get(name).expect("what is removed exists").clone();
        self.children_mut(parent).remove_mut(name);
        self.reschedule(path, node.expires, None);
        node.directory().map(|id| self.release(path, id))
    }

    /// The node that expires first, if its time has come by `until`. Among nodes of the same time
    /// it is the first path in bytewise order.
    pub(crate) fn expired(&self, until: i64) -> Option<Arc<str>> {
        self.expiring.first().filter(|(time, _)| *time <= until).map(|(_, path)| path.clone())
    }

    /// How many files and directories there are below the root. Takes time in proportion to the
    /// number of directories.
    pub(crate) fn node_count(&self) -> usize {
        self.directories.values().map(|children| children.0.size()).sum()
    }

    /// Whether any node expires at all.
    pub(crate) fn expires(&self) -> bool {
        !self.expiring.is_empty()
    }

    /// The directory at a clean path, which is made with all that is missing above it. On failure
    /// nothing was made.
    fn ensure_directory(&mut self, path: &str, index: u64) -> Result<DirectoryId, Missed> {
        let mut id = self.root.directory().expect("the root is a directory");
        let mut end = 0;
        for name in path::components(path) {
            end += 1 + name.len();
            id = match self.children(id).get(name) {
                Some(node) => node.directory().ok_or(Missed::NotADirectory { end })?,
                None => {
                    let made = self.adopt(Children::new());
                    let content = Content::Directory(made);
                    let node = Node { created: index, modified: index, expires: None, content };
                    self.children_mut(id).insert_mut(name.into(), node);
                    made
                }
            };
        }
        Ok(id)
    }

    fn adopt(&mut self, children: Children) -> DirectoryId {
        let id = DirectoryId(self.next);
        self.next += 1;
        self.directories.insert_mut(id, children);
        id
    }

    fn children_mut(&mut self, id: DirectoryId) -> &mut RedBlackTreeMap<Arc<str>, Node, ArcTK> {
        &mut self.directories.get_mut(&id).expect("every directory that a node names exists").0
    }

    fn reschedule(&mut self, path: &str, old: Option<i64>, new: Option<i64>) {
        if old == new {
            return;
        }
        if let Some(time) = old {
            let there = self.expiring.remove_mut(&(time, path.into()));
            assert!(there, "a node with an expiry is scheduled");
        }
        if let Some(time) = new {
            self.expiring.insert_mut((time, path.into()));
        }
    }

    /// Takes all directories from `id` down out of the tree.
    fn release(&mut self, path: &str, id: DirectoryId) -> Subtree {
        let mut subtree = Subtree::new(path, id);
        let mut open: Vec<(String, DirectoryId)> = alloc::vec![(path.into(), id)];
        while let Some((path, id)) = open.pop() {
            let children = self.children(id).clone();
            self.directories.remove_mut(&id);
            for (name, node) in children.iter() {
                if node.expires.is_none() && node.directory().is_none() {
                    continue;
                }
                let path = path::join(&path, name);
                self.reschedule(&path, node.expires, None);
                if let Some(id) = node.directory() {
                    open.push((path, id));
                }
            }
            subtree.push(id, children);
        }
        subtree
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    /// What the invariants say of a tree, found out by walking it.
    struct Found {
        directories: BTreeSet<DirectoryId>,
        expiring: BTreeSet<(i64, Arc<str>)>,
    }

    impl Visitor for Found {
        fn enter(&mut self, _: &str, path: &str, node: &Node, _: bool) {
            if let Some(id) = node.directory() {
                assert!(self.directories.insert(id), "{path} has its children for itself");
            }
            self.expiring.extend(node.expires.map(|time| (time, path.into())));
        }

        fn leave(&mut self) {}
    }

    impl Tree {
        /// Checks all invariants.
        pub(crate) fn check(&self) {
            assert!(self.root.directory().is_some() && self.root.expires.is_none());
            let mut found = Found { directories: BTreeSet::new(), expiring: BTreeSet::new() };
            self.walk(&mut found);
            assert!(found.directories.iter().eq(self.directories.keys()), "no directory is lost");
            assert!(found.expiring.iter().eq(self.expiring.iter()), "what expires is scheduled");
        }
    }

    #[test]
    fn what_was_removed_knows_what_it_had() {
        let mut tree = Tree::new();
        for path in ["/d/sub/k", "/d/k", "/dx/k"] {
            tree.insert(path, Some(Bytes::new()), 1, None).expect("a place");
        }
        let removed = tree.remove("/d").expect("a directory");
        for path in ["/d", "/d/k", "/d/sub", "/d/sub/k"] {
            assert!(removed.contains(path), "{path}");
        }
        for path in [
            "/",
            "/dx",
            "/dk",
            "/dsub/k",
            "/dx/k",
            "/d/none",
            "/d/k/k",
            "/d/sub/k/k",
            "/k",
            "/d/sub/sub",
        ] {
            assert!(!removed.contains(path), "{path}");
        }
        assert!(tree.remove("/dx/k").is_none());
        tree.check();
    }
}
