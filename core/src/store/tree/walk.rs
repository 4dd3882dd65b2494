//! Visiting and building whole trees without recursion.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Children, Content, Node, Tree};

/// Is shown every node of a tree, parents before children, children in bytewise order.
pub(crate) trait Visitor {
    /// A node, its name and clean path. `first` says whether it is the first in its directory.
    fn enter(&mut self, name: &str, path: &str, node: &Node, first: bool);
    /// A directory of which all children were shown.
    fn leave(&mut self);
}

impl Tree {
    /// Shows all nodes to `visitor`.
    pub(crate) fn walk(&self, visitor: &mut impl Visitor) {
        let mut path = String::from("/");
        visitor.enter("", &path, &self.root, true);
        path.clear();
        let root = self.root.directory().expect("the root is a directory");
        let mut open = alloc::vec![(self.children(root).0.iter(), 0, true)];
        while let Some((nodes, length, first)) = open.last_mut() {
            path.truncate(*length);
            let Some((name, node)) = nodes.next() else {
                open.pop();
                visitor.leave();
                continue;
            };
            path.push('/');
            path.push_str(name);
            visitor.enter(name, &path, node, core::mem::take(first));
            if let Some(id) = node.directory() {
                open.push((self.children(id).0.iter(), path.len(), true));
            }
        }
    }
}

/// Builds a tree from the leaves up, as a dump is read.
pub(crate) struct Builder {
    tree: Tree,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { tree: Tree::new() }
    }

    /// Makes a directory of its children.
    pub(crate) fn directory(&mut self, children: Nodes) -> Content {
        Content::Directory(self.tree.adopt(children.0))
    }

    /// Forgets a node that was not put to use after all, and everything below it.
    pub(crate) fn discard(&mut self, node: &Node) {
        let mut open = Vec::from_iter(node.directory());
        while let Some(id) = open.pop() {
            let children = self.tree.children(id).clone();
            open.extend(children.iter().filter_map(|(_, node)| node.directory()));
            self.tree.directories.remove_mut(&id);
        }
    }

    /// The tree below `root`. Nothing if that is a file or expires.
    pub(crate) fn finish(mut self, root: Node) -> Option<Tree> {
        root.directory().filter(|_| root.expires.is_none())?;
        let unused = core::mem::replace(&mut self.tree.root, root);
        if let Some(id) = unused.directory() {
            self.tree.directories.remove_mut(&id);
        }
        let mut scheduler = Scheduler(Vec::new());
        self.tree.walk(&mut scheduler);
        for (path, expires) in scheduler.0 {
            self.tree.reschedule(&path, None, Some(expires));
        }
        Some(self.tree)
    }
}

/// The children of a directory that is being built.
pub(crate) struct Nodes(Children);

impl Nodes {
    pub(crate) fn new() -> Self {
        Self(Children::new())
    }

    /// Adds a node, and returns the one of that name that was there before.
    pub(crate) fn insert(&mut self, name: &str, node: Node) -> Option<Node> {
        let before = self.0.get(name).cloned();
        self.0.0.insert_mut(name.into(), node);
        before
    }
}

struct Scheduler(Vec<(String, i64)>);

impl Visitor for Scheduler {
    fn enter(&mut self, _: &str, path: &str, node: &Node, _: bool) {
        self.0.extend(node.expires.map(|expires| (path.into(), expires)));
    }

    fn leave(&mut self) {}
}
