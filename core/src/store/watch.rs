//! Who waits for which change.
//!
//! Watchers are found by path, so that a change costs one look-up for each directory above it,
//! however many watchers there are elsewhere. They belong to the clients of one member and are no
//! part of the replicated state.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

use super::error::Error;
use super::event::{Action, Event};
use super::history::History;
use super::{Change, path};

/// What a watcher waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The full store path. Nothing needs to be there.
    pub path: String,
    /// Whether changes of everything below count too.
    pub recursive: bool,
    /// Whether it goes on after its first event.
    pub stream: bool,
    /// The index of the first event that counts; 0 for the next one.
    pub since: u64,
}

/// How a watch begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The hub has it; its events come with [`WatchHub::notify`].
    Waiting,
    /// Its event has happened already, and the hub does not have it. This is the only event that
    /// it gets: as in etcd a stream stays open after it, and silent.
    Found(Arc<Event>),
}

/// The watchers that wait, under names of type `W`.
#[derive(Clone, Debug)]
pub struct WatchHub<W> {
    by_path: BTreeMap<Arc<str>, BTreeMap<W, Watcher>>,
    paths: BTreeMap<W, Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct Watcher {
    recursive: bool,
    stream: bool,
    since: u64,
}

impl<W: Copy + Ord> WatchHub<W> {
    /// A hub without watchers.
    pub fn new() -> Self {
        Self { by_path: BTreeMap::new(), paths: BTreeMap::new() }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Begins a watch: what has happened already comes first. `history` is that of the store at
    /// the point up to which the hub was told of changes.
    ///
    /// # Errors
    /// 401 if events that it asks for are no longer kept.
    ///
    /// # Panics
    /// If `id` waits already.
    pub fn register(&mut self, id: W, watch: &Watch, history: &History) -> Result<Begun, Error> {
        let path = path::clean(&watch.path);
        let since = if watch.since == 0 { history.last() + 1 } else { watch.since };
        if let Some(event) = history.scan(&path, watch.recursive, since)? {
            return Ok(Begun::Found(event));
        }
        let path: Arc<str> = match self.by_path.get_key_value(&*path) {
            Some((path, _)) => path.clone(),
            None => path.into(),
        };
        let before = self.paths.insert(id, path.clone());
        assert!(before.is_none(), "the name of a watcher is used once");
        let watcher = Watcher { recursive: watch.recursive, stream: watch.stream, since };
        self.by_path.entry(path).or_default().insert(id, watcher);
        Ok(Begun::Waiting)
    }

    /// Ends a watch, if it waits.
    pub fn cancel(&mut self, id: W) {
        let Some(path) = self.paths.remove(&id) else { return };
        if let Some(watchers) = self.by_path.get_mut(&path) {
            watchers.remove(&id);
            if watchers.is_empty() {
                self.by_path.remove(&path);
            }
        }
    }

    /// Ends all watches.
    pub fn clear(&mut self, ended: impl FnMut(W)) {
        self.by_path.clear();
        core::mem::take(&mut self.paths).into_keys().for_each(ended);
    }

    /// Tells those who wait for it of a change, each once: who, the event, and whether it was
    /// their last. Refreshes are told to nobody.
    pub fn notify(&mut self, change: &Change, mut tell: impl FnMut(W, &Event, bool)) {
        let removed = change.removed.as_ref();
        let gone = |path: &str| removed.is_some_and(|removed| removed.contains(path));
        self.deliver(change.event(), removed.is_some(), gone, &mut tell);
    }

    /// Tells those who wait what they missed when the store was replaced by a later one, as with a
    /// snapshot of the leader. `told` is the index of the store before, and `history` that of the
    /// store that took its place. Who missed events that are no longer kept is told the error
    /// (401) and ended.
    ///
    /// What exactly was below a directory that ended in the meantime is not known; everybody who
    /// watched below it is told.
    pub fn catch_up(
        &mut self,
        told: u64,
        history: &History,
        mut tell: impl FnMut(W, Result<&Event, &Error>, bool),
    ) {
        if told.saturating_add(1) < history.start() {
            for (id, since) in self.waiting_before(history.start()) {
                self.cancel(id);
                tell(id, Err(&history.cleared(since.max(told + 1))), true);
            }
        }
        let missed = told.saturating_add(1).max(history.start())..=history.last();
        for event in missed.filter_map(|index| history.event(index)) {
            let ended = matches!(event.action, Action::Delete | Action::Expire) && event.node.dir;
            self.deliver(event, ended, |_| true, &mut |id, event, last| {
                tell(id, Ok(event), last);
            });
        }
    }

    /// Who waits for events from before an index on, and since when.
    fn waiting_before(&self, index: u64) -> Vec<(W, u64)> {
        let watchers = self.by_path.values().flatten();
        let waiting = watchers.filter(|(_, watcher)| watcher.since < index);
        waiting.map(|(id, watcher)| (*id, watcher.since)).collect()
    }

    /// Tells of an event: first those at and above its path, from the root down, then, if it ended
    /// a directory, those who watch what was `gone` with it.
    fn deliver(
        &mut self,
        event: &Event,
        ended: bool,
        gone: impl Fn(&str) -> bool,
        tell: &mut impl FnMut(W, &Event, bool),
    ) {
        if event.refresh || self.is_empty() {
            return;
        }
        let key = event.node.path.as_str();
        for path in path::lineage(key) {
            let exact = path == key;
            if !path::is_hidden_from(key, path) {
                self.tell_at(path, event, |watcher| exact || watcher.recursive, tell);
            }
        }
        if ended {
            for path in self.paths_below(key).into_iter().filter(|path| gone(path)) {
                self.tell_at(&path, event, |_| true, tell);
            }
        }
    }

    fn tell_at(
        &mut self,
        path: &str,
        event: &Event,
        concerns: impl Fn(&Watcher) -> bool,
        tell: &mut impl FnMut(W, &Event, bool),
    ) {
        let Some(watchers) = self.by_path.get_mut(path) else { return };
        watchers.retain(|id, watcher| {
            let early = event.index < watcher.since && !planted!(EventBeforeAsked);
            if early || !concerns(watcher) {
                return true;
            }
            tell(*id, event, !watcher.stream);
            if !watcher.stream {
                self.paths.remove(id);
            }
            watcher.stream
        });
        if watchers.is_empty() {
            self.by_path.remove(path);
        }
    }

    /// The watched paths below a directory: in bytewise order they are one range, since `0` is
    /// what follows the slash.
    fn paths_below(&self, directory: &str) -> Vec<Arc<str>> {
        let (first, end) = (format!("{directory}/"), format!("{directory}0"));
        let below = (Bound::Excluded(&*first), Bound::Excluded(&*end));
        self.by_path.range::<str, _>(below).map(|(path, _)| path.clone()).collect()
    }
}

impl<W: Copy + Ord> Default for WatchHub<W> {
    fn default() -> Self {
        Self::new()
    }
}
