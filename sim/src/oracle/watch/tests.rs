use bytes::Bytes;
use quorate_core::store::{Command, Method, Store};

use super::*;

/// A history of `count` writes to the keys a, b and c in turn, and the events.
fn history(count: u64) -> (EventHistory, Vec<Event>) {
    let mut store = Store::new();
    let mut history = EventHistory::new(1);
    let mut events = Vec::new();
    for index in 1..=count {
        let path = ["/1/a", "/1/b", "/1/c"][(index % 3) as usize];
        let value = Bytes::from(index.to_string());
        store.apply(&Command { value, ..Command::new(Method::Put, path) });
        history.applied(0, index, store.as_image().history()).expect("one member agrees");
        events.push((**store.as_image().history().event(index).expect("just made")).clone());
    }
    (history, events)
}

fn watch(path: &str, stream: bool, since: u64, began: u64) -> Watches {
    let mut watches = Watches::default();
    let request = WatchRequest { path: path.to_owned(), recursive: true, stream, since };
    watches.asked(0, &request);
    watches.began(0, began);
    watches
}

#[test]
fn every_event_in_order_is_right() {
    let (history, events) = history(9);
    let mut watches = watch("/1", true, 4, 3);
    for event in &events[3..] {
        assert_eq!(watches.told(0, event, &history), Ok(()));
    }
    let mut watches = watch("/1/a", true, 0, 0);
    for event in [&events[2], &events[5], &events[8]] {
        assert_eq!(watches.told(0, event, &history), Ok(()));
    }
}

#[test]
fn an_event_that_is_left_out_is_found() {
    let (history, events) = history(9);
    let mut watches = watch("/1", true, 0, 3);
    assert_eq!(watches.told(0, &events[3], &history), Ok(()));
    assert!(watches.told(0, &events[5], &history).is_err());
    let mut watches = watch("/1/a", false, 1, 9);
    assert!(watches.told(0, &events[5], &history).is_err(), "index 3 comes first");
    let mut watches = watch("/1", false, 0, 3);
    assert!(watches.told(0, &events[4], &history).is_err(), "the first after the start is 4");
}

#[test]
fn an_event_that_is_told_again_is_found() {
    let (history, events) = history(9);
    let mut watches = watch("/1", true, 0, 3);
    assert_eq!(watches.told(0, &events[3], &history), Ok(()));
    assert!(watches.told(0, &events[3], &history).is_err());
    let mut watches = watch("/1", false, 4, 3);
    assert_eq!(watches.told(0, &events[3], &history), Ok(()));
    assert!(watches.told(0, &events[4], &history).is_err(), "it asked for one");
    let mut watches = watch("/1", true, 5, 6);
    assert!(watches.told(0, &events[3], &history).is_err(), "before the index asked for");
}

#[test]
fn an_event_that_did_not_happen_is_found() {
    let (history, events) = history(9);
    let mut wrong = events[3].clone();
    wrong.node.value = Some(Bytes::from_static(b"other"));
    assert!(watch("/1", true, 4, 3).told(0, &wrong, &history).is_err());
    assert!(watch("/1/a", true, 4, 3).told(0, &events[3], &history).is_err(), "of another key");
}

#[test]
fn error_401_is_right_for_what_is_not_kept() {
    let (history, _) = history(3);
    let cleared = |index| Error { code: Code::EventIndexCleared, cause: String::new(), index };
    assert_eq!(watch("/1", true, 5, 0).refused(0, &cleared(1005)), Ok(()));
    assert!(watch("/1", true, 5, 0).refused(0, &cleared(1004)).is_err(), "5 is kept still");
    assert!(watch("/1", true, 0, 2000).refused(0, &cleared(2000)).is_err());
    assert_eq!(watch("/1", true, 2, 0).due(0, 3, &history), Some(2));
    assert_eq!(watch("/1", true, 4, 0).due(0, 3, &history), None);
}
