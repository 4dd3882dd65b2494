//! Watch rules beyond those that the recordings of etcd show.

use alloc::collections::BTreeMap;

use super::super::path::{clean, is_below};
use super::*;

fn watch(path: &str, recursive: bool, stream: bool, since: u64) -> Watch {
    Watch { path: path.into(), recursive, stream, since }
}

/// A store with its hub, and what the watchers were told: the index, and whether it was the last.
struct World {
    store: Store,
    hub: WatchHub<u64>,
    told: Vec<(u64, u64, bool)>,
}

impl World {
    fn new() -> Self {
        Self { store: Store::new(), hub: WatchHub::new(), told: Vec::new() }
    }

    fn watch(&mut self, id: u64, watch: &Watch) -> Begun {
        self.hub.register(id, watch, self.store.as_image().history()).expect("a watch")
    }

    fn apply(&mut self, command: &Command) -> Vec<(u64, u64, bool)> {
        for change in self.store.apply(command).changes {
            self.hub.notify(&change, |id, event, last| self.told.push((id, event.index, last)));
        }
        core::mem::take(&mut self.told)
    }

    fn delete(&mut self, path: &str) -> Vec<(u64, u64, bool)> {
        self.apply(&Command { recursive: true, ..Command::new(Method::Delete, path) })
    }

    /// Replaces the store by a later one.
    fn replace(&mut self, store: Store) -> Vec<(u64, Result<u64, String>, bool)> {
        let told = self.store.as_image().index();
        let mut missed = Vec::new();
        self.hub.catch_up(told, store.as_image().history(), |id, result, last| {
            let result = result.map(|event| event.index).map_err(|error| error.cause.clone());
            missed.push((id, result, last));
        });
        self.store = store;
        missed
    }
}

#[test]
fn the_end_of_a_directory_is_told_to_who_watched_what_was_there() {
    let mut world = World::new();
    world.apply(&put("/1/d/sub/_h/k", ""));
    world.apply(&put("/1/dx/k", ""));
    for (id, path) in
        ["/1/d/sub/_h/k", "/1/d/none", "/1/dx/k", "/1/d/sub/_h/k/below"].iter().enumerate()
    {
        world.watch(id as u64, &watch(path, false, false, 0));
    }
    world.watch(9, &watch("/1/d/sub", false, true, 0));
    world.watch(10, &watch("/1/d", true, true, 0));
    assert_eq!(world.delete("/1/d"), [(10, 3, false), (9, 3, false), (0, 3, true)]);
    assert_eq!(world.hub.len(), 5);
}

#[test]
fn an_end_by_time_is_told_like_one_by_deletion() {
    let mut world = World::new();
    world.apply(&Command { dir: true, expiration: BASE, ..put("/1/d", "") });
    world.apply(&put("/1/d/k", ""));
    world.watch(1, &watch("/1/d/k", false, false, 0));
    world.watch(2, &watch("/1", true, false, 0));
    let sync = Command { time: BASE, ..Command::new(Method::Sync, "/") };
    assert_eq!(world.apply(&sync), [(2, 3, true), (1, 3, true)]);
    assert!(world.hub.is_empty());
}

#[test]
fn a_refresh_is_told_to_nobody_early_or_late() {
    let mut world = World::new();
    world.apply(&put("/1/k", ""));
    world.watch(1, &watch("/1/k", false, true, 0));
    let refresh = Command { refresh: Some(true), expiration: BASE, ..put("/1/k", "") };
    assert_eq!(world.apply(&refresh), []);
    assert_eq!(world.watch(2, &watch("/1/k", false, true, 2)), Begun::Waiting);
    assert_eq!(world.apply(&put("/1/k", "")), [(1, 3, false), (2, 3, false)]);
    let Begun::Found(event) = world.watch(3, &watch("/1/k", false, true, 2)) else {
        panic!("the third change is known");
    };
    assert_eq!(event.index, 3);
    let mut later = world.store.clone();
    later.apply(&refresh);
    assert_eq!(world.replace(later), []);
}

#[test]
fn a_watch_of_the_future_waits_for_it() {
    let mut world = World::new();
    assert_eq!(world.watch(1, &watch("/1/k/", false, true, 3)), Begun::Waiting);
    assert_eq!(world.watch(2, &watch("/1/k", false, true, u64::MAX)), Begun::Waiting);
    assert_eq!(world.apply(&put("/1/k", "")), []);
    assert_eq!(world.apply(&put("/1/k", "")), []);
    assert_eq!(world.apply(&put("/1/k", "")), [(1, 3, false)]);
}

#[test]
fn who_is_gone_is_told_nothing() {
    let mut world = World::new();
    for id in 1..=3 {
        world.watch(id, &watch("/1/k", false, false, 0));
    }
    world.hub.cancel(2);
    world.hub.cancel(2);
    world.hub.cancel(7);
    assert_eq!(world.apply(&put("/1/k", "")), [(1, 1, true), (3, 1, true)]);
    assert_eq!(world.apply(&put("/1/k", "")), []);
    world.watch(1, &watch("/1/k", false, false, 0));
    assert_eq!(world.hub.len(), 1);
}

#[test]
fn a_snapshot_is_made_up_for() {
    let mut world = World::new();
    world.apply(&put("/1/d/k", ""));
    world.watch(1, &watch("/1/d/k", false, false, 0));
    world.watch(2, &watch("/1", true, true, 0));
    world.watch(3, &watch("/1/other", false, false, 0));
    world.watch(4, &watch("/1/late", false, false, 6));
    let mut later = world.store.clone();
    later.apply(&put("/1/late", ""));
    later.apply(&put("/1/_hidden", ""));
    later.apply(&Command { recursive: true, ..Command::new(Method::Delete, "/1/d") });
    let missed = world.replace(later);
    assert_eq!(missed, [(2, Ok(2), false), (2, Ok(4), false), (1, Ok(4), true)]);
    assert_eq!(world.hub.len(), 3);
    assert_eq!(world.apply(&put("/1/other", "")), [(2, 5, false), (3, 5, true)]);
    assert_eq!(world.apply(&put("/1/late", "")), [(2, 6, false), (4, 6, true)]);
}

#[test]
fn who_missed_what_is_no_longer_kept_is_told_so() {
    let mut world = World::new();
    world.apply(&put("/1/k", ""));
    world.watch(1, &watch("/1/k", false, true, 0));
    world.watch(2, &watch("/1/k", false, false, 500));
    world.watch(3, &watch("/1/k", false, false, 1003));
    world.watch(4, &watch("/1/k", false, false, 5000));
    let mut later = world.store.clone();
    for _ in 0..1500 {
        later.apply(&put("/1/k", ""));
    }
    let cleared = |since| Err(format!("the requested history has been cleared [502/{since}]"));
    let missed = world.replace(later);
    assert_eq!(missed, [(1, cleared(2), true), (2, cleared(500), true), (3, Ok(1003), true)]);
    assert_eq!(world.hub.len(), 1);
}

#[test]
fn the_same_store_again_tells_nothing() {
    let mut world = World::new();
    world.apply(&put("/1/k", ""));
    world.watch(1, &watch("/1/k", false, false, 0));
    let same = world.store.clone();
    assert_eq!(world.replace(same), []);
    assert_eq!(world.hub.len(), 1);
}

/// The rules for live events, said the slow way.
fn concerns(watch: &Watch, event: &Event, before: &Image) -> bool {
    let (path, key) = (&*clean(&watch.path), &*event.node.path);
    if event.refresh || event.index < watch.since {
        return false;
    }
    if is_below(key, path) {
        let below = key[path.len()..].split('/').any(|name| name.starts_with('_'));
        return watch.recursive && !below;
    }
    let ended = matches!(event.action, Action::Delete | Action::Expire);
    path == key || ended && is_below(path, key) && before.read(path, false).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn everybody_is_told_what_concerns_them_and_once(
        commands in any_commands(40),
        watches in prop::collection::vec(
            (0..40_usize, any_path(), any::<bool>(), any::<bool>(), 0..12_u64), 0..30),
    ) {
        let mut world = World::new();
        let mut waiting = BTreeMap::new();
        for (at, command) in commands.iter().enumerate() {
            for (id, (_, path, recursive, stream, ahead)) in
                watches.iter().enumerate().filter(|(_, watch)| watch.0 == at)
            {
                let index = world.store.as_image().index();
                let since = if *ahead == 0 { 0 } else { index + ahead };
                let watch = watch(path, *recursive, *stream, since);
                prop_assert_eq!(world.watch(id as u64, &watch), Begun::Waiting);
                waiting.insert(id as u64, watch);
            }
            let mut before = world.store.image();
            let mut expected = Vec::new();
            for change in world.store.clone().apply(command).changes {
                // Of several that expire together, each is seen against what the others left.
                let event = change.event();
                waiting.retain(|id, watch| {
                    let told = concerns(watch, event, &before);
                    if told {
                        expected.push((*id, event.index, !watch.stream));
                    }
                    !told || watch.stream
                });
                before = without(&before, event);
            }
            let mut told = world.apply(command);
            told.sort_unstable_by_key(|(id, index, _)| (*index, *id));
            expected.sort_unstable_by_key(|(id, index, _)| (*index, *id));
            prop_assert_eq!(told, expected, "{:?}", command);
            prop_assert_eq!(world.hub.len(), waiting.len());
        }
    }

    /// Scans find the first event that etcd's rules for its history find.
    #[test]
    fn late_watchers_get_the_first_that_concerns_them(
        commands in any_commands(60),
        path in any_path(),
        recursive in any::<bool>(),
        since in 1..70_u64,
    ) {
        let mut store = Store::new();
        let changes = commands.iter().flat_map(|command| store.apply(command).changes);
        let events = changes.collect::<Vec<_>>();
        let path = clean(&path);
        let below = if path == "/" { String::from("/") } else { format!("{path}/") };
        let expected = events.iter().map(Change::event).find(|event| {
            let key = &*event.node.path;
            let ended = matches!(event.action, Action::Delete | Action::Expire) && event.node.dir;
            let matched = key == path
                || recursive && key.starts_with(&below)
                || ended && path.starts_with(key);
            event.index >= since && !event.refresh && matched
        });
        let found = store.as_image().history().scan(&path, recursive, since).expect("all is kept");
        prop_assert_eq!(found.as_deref(), expected);
    }
}

/// The image after an event that removed something.
fn without(image: &Image, event: &Event) -> Image {
    let mut store = Store::from_image(image.clone());
    if event.action == Action::Expire {
        let path = event.node.path.clone();
        store.apply(&Command { recursive: true, ..Command::new(Method::Delete, path) });
    }
    store.image()
}
