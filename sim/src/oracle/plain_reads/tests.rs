use bytes::Bytes;
use quorate_core::api::Stamp;
use quorate_core::store::{Command, Method, Store};

use super::*;

/// The key is written at index 1, another one at 2, the key again at 3 and removed at 4; the stores
/// after each.
fn history() -> (EventHistory, Vec<Store>) {
    let (mut store, mut history) = (Store::new(), EventHistory::new(1));
    let mut stores = vec![store.clone()];
    let writes = [
        (Method::Put, "/1/a", "x"),
        (Method::Put, "/1/b", "y"),
        (Method::Put, "/1/a", "z"),
        (Method::Delete, "/1/a", ""),
    ];
    for (method, path, value) in writes {
        let value = Bytes::from_static(value.as_bytes());
        store.apply(&Command { value, ..Command::new(method, path) });
        let image = store.as_image();
        history.applied(0, image.index(), image.history()).expect("one member agrees");
        stores.push(store.clone());
    }
    (history, stores)
}

/// What a member with this store shows of the key under an index.
fn shown(store: &Store, store_index: u64) -> Shown {
    let mut result = store.as_image().read("/1/a", false);
    match &mut result {
        Ok(event) => event.index = store_index,
        Err(error) => error.index = store_index,
    }
    Shown { result, stamp: Stamp { store_index, ..Stamp::default() } }
}

#[test]
fn the_key_as_it_was_is_right() {
    let (history, stores) = history();
    for (index, store) in (0..).zip(&stores) {
        assert_eq!(read(0, "/1/a", &shown(store, index), &history), Ok(()), "at {index}");
    }
}

#[test]
fn the_key_as_it_was_at_another_index_is_found() {
    let (history, stores) = history();
    for (index, other) in [(0, 1), (1, 0), (1, 3), (2, 3), (3, 1), (3, 4), (4, 3)] {
        let shown = shown(&stores[other], index as u64);
        assert!(read(0, "/1/a", &shown, &history).is_err(), "that of {other} at {index}");
    }
}

#[test]
fn an_index_that_nobody_has_come_to_is_found() {
    let (history, stores) = history();
    assert!(read(0, "/1/a", &shown(&stores[4], 5), &history).is_err());
}

#[test]
fn an_answer_of_one_index_under_another_is_found() {
    let (history, stores) = history();
    let mut shown = shown(&stores[1], 1);
    shown.stamp.store_index = 2;
    assert!(read(0, "/1/a", &shown, &history).is_err());
}
