//! A version of the store, for readers and for snapshots.

mod decode;
mod digest;
mod encode;
mod json;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::error::{Code, Error};
use super::event::{Action, Event, NodeView};
use super::history::History;
use super::path;
use super::stats::{Reads, Stats};
use super::tree::{Missed, Node, Tree};

/// How many levels of directories a recursive read goes down. What lies deeper is not listed: the
/// nested answer has to be built, written and dropped by code that recurses.
const MAX_LISTED_LEVELS: u32 = 512;

/// A version of the store: the tree, its index, its event history and its counters, structurally
/// shared with the store that it was taken from. It never changes. Cloning is O(1).
#[derive(Clone)]
pub struct Image(Arc<State>);

/// What an image consists of.
#[derive(Clone)]
pub(super) struct State {
    pub(super) tree: Tree,
    pub(super) index: u64,
    pub(super) history: History,
    pub(super) stats: Stats,
    pub(super) identity: Bytes,
    /// Plain reads of this store, whichever image they were answered from.
    reads: Arc<Reads>,
}

impl Image {
    /// The store of a cluster that has not begun: empty directories `/0` and `/1`, index 0.
    pub(super) fn fresh() -> Self {
        let mut tree = Tree::new();
        for namespace in super::NAMESPACES {
            tree.insert(namespace, None, 0, None).expect("the root takes directories");
        }
        Self::new(tree, 0, History::after(0), Stats::default())
    }

    fn new(tree: Tree, index: u64, history: History, stats: Stats) -> Self {
        let (identity, reads) = (Bytes::new(), Arc::default());
        Self(Arc::new(State { tree, index, history, stats, identity, reads }))
    }

    pub(super) fn state(&self) -> &State {
        &self.0
    }

    /// To write in place. Where other images share the state, this first parts from them.
    pub(super) fn state_mut(&mut self) -> &mut State {
        Arc::make_mut(&mut self.0)
    }

    /// The store index: how many changes led here.
    pub fn index(&self) -> u64 {
        self.0.index
    }

    /// Reads a node and counts the read. A directory comes with its children, in bytewise order
    /// and without hidden ones; with `recursive` so do the directories below it, down to 512
    /// levels. The path need not be clean.
    ///
    /// # Errors
    /// 100 and 104, with the component to blame.
    pub fn read(&self, path: &str, recursive: bool) -> Result<Event, Error> {
        let result = self.get(path, recursive);
        self.0.reads.count(&result);
        result
    }

    /// The value and the modified index of a file, hidden or not. Not counted as a read.
    pub(crate) fn file(&self, path: &str) -> Option<(&Bytes, u64)> {
        let node = self.lookup(path).ok()?;
        Some((node.value()?, node.modified))
    }

    /// Whether there is a directory. Not counted as a read.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        self.lookup(path).is_ok_and(|node| node.directory().is_some())
    }

    /// The files in a directory, hidden or not: name, value and modified index. Not counted as a
    /// read.
    pub(crate) fn files(&self, directory: &str) -> impl Iterator<Item = (&str, &[u8], u64)> {
        let directory = self.lookup(directory).ok().and_then(Node::directory);
        let children = directory.map(|id| self.0.tree.children(id).iter());
        children.into_iter().flatten().filter_map(|(name, node)| {
            let value: &[u8] = node.value()?;
            Some((name, value, node.modified))
        })
    }

    /// The counters, with the plain reads of this store so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.0.stats;
        let plain = self.0.reads.tally();
        stats.gets.success = stats.gets.success.saturating_add(plain.success);
        stats.gets.fail = stats.gets.fail.saturating_add(plain.fail);
        stats
    }

    /// The last events.
    pub fn history(&self) -> &History {
        &self.0.history
    }

    /// What [`Store::set_identity`](super::Store::set_identity) was given last; empty before.
    pub fn identity(&self) -> &Bytes {
        &self.0.identity
    }

    /// Whether any key has a time to live, so that there may be something to expire.
    pub fn has_ttl(&self) -> bool {
        self.0.tree.expires()
    }

    /// Equal for equal replicated state, and almost surely different otherwise: a checksum of the
    /// tree, the index, the history, the counters and the identity, without plain reads. Takes
    /// time in proportion to the size of the store.
    pub fn digest(&self) -> u64 {
        digest::digest(&self.0)
    }

    /// The JSON dump of the store as etcd writes it into a snapshot. It can be read by etcd and
    /// depends on nothing but the replicated state.
    ///
    /// JSON text cannot hold a value that is not UTF-8: etcd puts U+FFFD for what does not fit,
    /// and loses it. Such values are dumped that way too, followed by a member that etcd ignores,
    /// `ValueHex` of a node of the tree and `valueHex` of a node of an event, with the bytes in
    /// hexadecimal. The identity, where there is one, is a member `Quorate` at the top, which etcd
    /// ignores too.
    pub fn encode(&self) -> Bytes {
        encode::encode(&self.0)
    }

    /// Reads a dump, of this program or of etcd.
    ///
    /// # Errors
    /// If it is none, in words.
    pub fn decode(dump: &[u8]) -> Result<Self, String> {
        decode::decode(dump).map_err(|malformed| format!("not a dump of the store: {malformed}"))
    }

    /// As [`read`](Self::read), but not counted.
    pub(crate) fn get(&self, path: &str, recursive: bool) -> Result<Event, Error> {
        let path = path::clean(path);
        let node = self.lookup(&path)?;
        let mut view = view(&*path, node);
        view.nodes = self.list(&path, node, recursive, MAX_LISTED_LEVELS);
        Ok(Event {
            action: Action::Get,
            node: view,
            prev: None,
            index: self.0.index,
            refresh: false,
        })
    }

    pub(super) fn lookup(&self, path: &str) -> Result<&Node, Error> {
        self.0.tree.lookup(path).map_err(|missed| self.missed(path, missed))
    }

    pub(super) fn missed(&self, path: &str, missed: Missed) -> Error {
        match missed {
            Missed::Absent { end } => self.error(Code::KeyNotFound, &path[..end]),
            Missed::NotADirectory { end } => self.error(Code::NotADirectory, &path[..end]),
        }
    }

    pub(super) fn error(&self, code: Code, cause: impl Into<String>) -> Error {
        Error { code, cause: cause.into(), index: self.0.index }
    }

    fn list(&self, path: &str, node: &Node, recursive: bool, levels: u32) -> Vec<NodeView> {
        let Some(id) = node.directory().filter(|_| levels > 0) else { return Vec::new() };
        let shown = self.0.tree.children(id).iter().filter(|(name, _)| !path::is_hidden(name));
        let mut nodes = Vec::new();
        for (name, node) in shown {
            let mut view = view(path::join(path, name), node);
            if recursive {
                view.nodes = self.list(&view.path, node, true, levels - 1);
            }
            nodes.push(view);
        }
        nodes
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("index", &self.0.index).finish_non_exhaustive()
    }
}

/// A node without its children.
pub(super) fn view(path: impl Into<String>, node: &Node) -> NodeView {
    NodeView {
        path: path.into(),
        value: node.value().cloned(),
        dir: node.directory().is_some(),
        expiration: node.expires,
        nodes: Vec::new(),
        modified_index: node.modified,
        created_index: node.created,
    }
}
