//! The store against a naive model of it: one flat map, everything looked up by walking it.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;

use bytes::Bytes;

use super::super::tree::{Node, Visitor};
use super::*;

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    value: Option<Bytes>,
    expires: Option<i64>,
    modified: u64,
    created: u64,
}

#[derive(Clone)]
struct Model {
    entries: BTreeMap<String, Entry>,
    index: u64,
}

impl Model {
    fn new() -> Self {
        let directory = Entry { value: None, expires: None, modified: 0, created: 0 };
        let paths = ["/", "/0", "/1"].map(|path| (path.to_string(), directory.clone()));
        Self { entries: BTreeMap::from(paths), index: 0 }
    }

    fn apply(&mut self, command: &Command) -> (Option<Result<Event, Error>>, Vec<Event>) {
        if command.method == Method::Sync {
            return (None, self.expire(command.time));
        }
        let result = self.request(command);
        let event = result.as_ref().ok().filter(|event| event.action != Action::Get).cloned();
        self.index += u64::from(event.is_some());
        (Some(result), Vec::from_iter(event))
    }

    fn request(&mut self, command: &Command) -> Result<Event, Error> {
        let mut path = plain(&command.path);
        let conditional = !command.prev_value.is_empty() || command.prev_index > 0;
        let action = match (command.method, command.prev_exist) {
            (Method::Qget, _) => Action::Get,
            (Method::Post, _) => Action::Create,
            (Method::Delete, _) if conditional => Action::CompareAndDelete,
            (Method::Delete, _) => Action::Delete,
            (_, Some(false)) => Action::Create,
            _ if conditional => Action::CompareAndSwap,
            (_, Some(true)) => Action::Update,
            _ => Action::Set,
        };
        if command.method == Method::Post {
            path = plain(&format!("{path}/{:020}", self.index + 1));
        }
        let found = self.find(&path);
        let root = ["/", "/0", "/1"].contains(&path.as_str());
        if root && !matches!(action, Action::Get | Action::CompareAndDelete) {
            return self.refuse(Code::RootReadOnly, "/");
        }
        let refresh = command.refresh == Some(true) && action != Action::Create;
        let missing_is_fine = action == Action::Create || action == Action::Set && !refresh;
        let prev = match found {
            Ok(entry) => Some(entry),
            Err((Code::KeyNotFound, _)) if missing_is_fine => None,
            Err((code, cause)) => return self.refuse(code, cause),
        };
        if action == Action::Get {
            return Ok(self.read(&path, command.recursive));
        }
        if action == Action::Create && prev.is_some() {
            return self.refuse(Code::KeyExists, path);
        }
        if let Some(prev) = &prev {
            self.check(command, action, &path, prev)?;
        }
        Ok(self.write(command, action, &path, prev.as_ref(), refresh))
    }

    /// What speaks against changing an entry that is there.
    fn check(
        &self,
        command: &Command,
        action: Action,
        path: &str,
        prev: &Entry,
    ) -> Result<(), Error> {
        let Some(value) = &prev.value else {
            let empty = !self.entries.keys().any(|key| key.starts_with(&format!("{path}/")));
            return match action {
                Action::Delete if command.recursive || command.dir && empty => Ok(()),
                Action::Delete if command.dir => self.refuse(Code::DirectoryNotEmpty, path),
                Action::Update if command.value.is_empty() => Ok(()),
                _ => self.refuse(Code::NotAFile, path),
            };
        };
        if !matches!(action, Action::CompareAndSwap | Action::CompareAndDelete) {
            return Ok(());
        }
        let mut causes = Vec::new();
        if !command.prev_value.is_empty() && command.prev_value != value {
            let (wanted, actual) = (&command.prev_value, value);
            let text = |bytes| String::from_utf8_lossy(bytes);
            causes.push(format!("[{} != {}]", text(wanted), text(actual)));
        }
        if command.prev_index > 0 && command.prev_index != prev.modified {
            causes.push(format!("[{} != {}]", command.prev_index, prev.modified));
        }
        if causes.is_empty() { Ok(()) } else { self.refuse(Code::CompareFailed, causes.join(" ")) }
    }

    fn write(
        &mut self,
        command: &Command,
        action: Action,
        path: &str,
        prev: Option<&Entry>,
        refresh: bool,
    ) -> Event {
        let index = self.index + 1;
        let mut expires = Some(command.expiration).filter(|time| *time != 0);
        let mut value = Some(command.value.clone());
        if refresh && let Some(Entry { value: Some(kept), .. }) = prev {
            value = Some(kept.clone());
        }
        let node = match action {
            Action::Delete | Action::CompareAndDelete => {
                return self.remove(action, path, index);
            }
            Action::Set | Action::Create => {
                value = value.filter(|_| !command.dir);
                expires = expires.filter(|time| *time >= 946_684_800 * SECOND);
                let directory =
                    Entry { value: None, expires: None, modified: index, created: index };
                let cuts = path.match_indices('/').map(|(at, _)| at).skip(1);
                for parent in cuts.map(|at| &path[..at]) {
                    self.entries.entry(parent.into()).or_insert_with(|| directory.clone());
                }
                let entry = Entry { value, expires, ..directory };
                self.entries.insert(path.into(), entry.clone());
                entry
            }
            _ => {
                let entry = self.entries.get_mut(path).expect("what is changed exists");
                entry.expires = expires;
                if entry.value.is_some() {
                    entry.value = value;
                    entry.modified = index;
                }
                Entry { modified: index, ..entry.clone() }
            }
        };
        let prev = prev.map(|prev| seen(path, prev));
        Event { action, node: seen(path, &node), prev, index, refresh }
    }

    fn remove(&mut self, action: Action, path: &str, index: u64) -> Event {
        let entry = self.entries[path].clone();
        let below = format!("{path}/");
        self.entries.retain(|key, _| key != path && !key.starts_with(&below));
        let mut node = seen(path, &Entry { modified: index, expires: None, ..entry.clone() });
        node.value = None;
        Event { action, node, prev: Some(seen(path, &entry)), index, refresh: false }
    }

    fn expire(&mut self, until: i64) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let due = self.entries.iter().filter_map(|(path, entry)| Some((entry.expires?, path)));
            let Some(path) = due.filter(|(time, _)| *time <= until).min().map(|(_, path)| path)
            else {
                return events;
            };
            let path = path.clone();
            self.index += 1;
            events.push(self.remove(Action::Expire, &path, self.index));
        }
    }

    fn find(&self, path: &str) -> Result<Entry, (Code, String)> {
        let cuts = path.match_indices('/').map(|(at, _)| at).skip(1);
        for parent in cuts.map(|at| &path[..at]) {
            match self.entries.get(parent) {
                Some(Entry { value: None, .. }) => {}
                Some(_) => return Err((Code::NotADirectory, parent.into())),
                None => return Err((Code::KeyNotFound, parent.into())),
            }
        }
        self.entries.get(path).cloned().ok_or_else(|| (Code::KeyNotFound, path.into()))
    }

    fn read(&self, path: &str, recursive: bool) -> Event {
        let mut node = seen(path, &self.entries[path]);
        node.nodes = self.list(path, recursive);
        Event { action: Action::Get, node, prev: None, index: self.index, refresh: false }
    }

    fn list(&self, path: &str, recursive: bool) -> Vec<NodeView> {
        let below = if path == "/" { path.into() } else { format!("{path}/") };
        let children = self.entries.iter().filter(|(key, _)| {
            let name = key.strip_prefix(&below).unwrap_or_default();
            !name.is_empty() && !name.contains('/') && !name.starts_with('_')
        });
        let view = |(key, entry): (&String, &Entry)| {
            let nodes = if recursive { self.list(key, true) } else { Vec::new() };
            NodeView { nodes, ..seen(key, entry) }
        };
        children.map(view).collect()
    }

    fn refuse<T>(&self, code: Code, cause: impl Into<String>) -> Result<T, Error> {
        Err(Error { code, cause: cause.into(), index: self.index })
    }
}

fn seen(path: &str, entry: &Entry) -> NodeView {
    NodeView {
        path: path.into(),
        value: entry.value.clone(),
        dir: entry.value.is_none(),
        expiration: entry.expires,
        nodes: Vec::new(),
        modified_index: entry.modified,
        created_index: entry.created,
    }
}

fn plain(path: &str) -> String {
    let names = path.split('/').filter(|name| !name.is_empty());
    let path = names.fold(String::new(), |path, name| format!("{path}/{name}"));
    if path.is_empty() { "/".into() } else { path }
}

/// Collects a tree as the model has it.
struct Flat(BTreeMap<String, Entry>);

impl Visitor for Flat {
    fn enter(&mut self, _: &str, path: &str, node: &Node, _: bool) {
        let (value, expires) = (node.value().cloned(), node.expires);
        let entry = Entry { value, expires, modified: node.modified, created: node.created };
        self.0.insert(path.into(), entry);
    }

    fn leave(&mut self) {}
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_store_does_as_the_model(commands in any_commands(60)) {
        let (mut store, mut model) = (Store::new(), Model::new());
        for command in &commands {
            let applied = store.apply(command);
            let (result, changes) = model.apply(command);
            prop_assert_eq!(&applied.result, &result, "{:?}", command);
            let events = applied.changes.iter().map(|change| change.event().clone());
            prop_assert_eq!(events.collect::<Vec<_>>(), changes, "{:?}", command);
            prop_assert_eq!(store.as_image().index(), model.index);
            store.as_image().state().tree.check();
            let mut flat = Flat(BTreeMap::new());
            store.as_image().state().tree.walk(&mut flat);
            prop_assert_eq!(&flat.0, &model.entries, "{:?}", command);
            let expires = model.entries.values().any(|entry| entry.expires.is_some());
            prop_assert_eq!(store.as_image().has_ttl(), expires);
        }
    }

    #[test]
    fn each_change_takes_one_index_and_each_refusal_none(commands in any_commands(60)) {
        let mut store = Store::new();
        for command in &commands {
            let before = store.as_image().index();
            let applied = store.apply(command);
            let indexes = applied.changes.iter().map(|change| change.event().index);
            let after = store.as_image().index();
            prop_assert!(indexes.eq(before + 1..=after), "{:?}", command);
            let changed = matches!(&applied.result, Some(Ok(event)) if event.action != Action::Get);
            if command.method != Method::Sync {
                prop_assert_eq!(after - before, u64::from(changed));
            }
            for index in before + 1..=after {
                let kept = store.as_image().history().event(index);
                prop_assert_eq!(kept.map(|event| event.index), Some(index));
            }
        }
    }
}
