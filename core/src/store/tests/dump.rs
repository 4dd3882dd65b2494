//! The dump: etcd's form, nothing lost, nothing believed.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

const ZERO: &str = "0001-01-01T00:00:00Z";

/// The dump as JSON.
fn dumped(store: &Store) -> Value {
    serde_json::from_slice(&store.image().encode()).expect("JSON")
}

fn decode(dump: &Value) -> Result<Image, String> {
    Image::decode(dump.to_string().as_bytes())
}

#[test]
fn the_form_is_that_of_etcd() {
    let mut store = Store::new();
    store.apply(&put("/1/a/b", "<1>"));
    store.apply(&Command { expiration: BASE + 1, refresh: Some(true), ..put("/1/a/b", "") });
    let node = |path: &str, index: u64, children: Value| {
        json!({
            "Path": path, "CreatedIndex": index, "ModifiedIndex": index, "ExpireTime": ZERO,
            "Value": "", "Children": children,
        })
    };
    let file = json!({
        "Path": "/1/a/b", "CreatedIndex": 2, "ModifiedIndex": 2,
        "ExpireTime": "2023-11-14T22:13:20.000000001Z", "Value": "<1>", "Children": null,
    });
    let keys = node("/1", 0, json!({ "a": node("/1/a", 1, json!({ "b": file })) }));
    let root = node("/", 0, json!({ "0": node("/0", 0, json!({})), "1": keys }));
    let before = json!({ "key": "/1/a/b", "value": "<1>", "modifiedIndex": 1, "createdIndex": 1 });
    let after = json!({
        "key": "/1/a/b", "value": "<1>", "expiration": "2023-11-14T22:13:20.000000001Z",
        "modifiedIndex": 2, "createdIndex": 2,
    });
    let mut events = alloc::vec![Value::Null; 1000];
    events[0] = json!({ "action": "set", "node": before });
    events[1] = json!({ "action": "set", "node": after, "prevNode": before, "refresh": true });
    let expected = json!({
        "Root": root,
        "WatcherHub": { "EventHistory": {
            "Queue": { "Events": events, "Size": 2, "Front": 0, "Back": 2, "Capacity": 1000 },
            "StartIndex": 1, "LastIndex": 2,
        } },
        "CurrentIndex": 2,
        "Stats": {
            "getsSuccess": 0, "getsFail": 0, "setsSuccess": 2, "setsFail": 0,
            "deleteSuccess": 0, "deleteFail": 0, "updateSuccess": 0, "updateFail": 0,
            "createSuccess": 0, "createFail": 0, "compareAndSwapSuccess": 0,
            "compareAndSwapFail": 0, "compareAndDeleteSuccess": 0, "compareAndDeleteFail": 0,
            "expireCount": 0, "watchers": 0,
        },
        "CurrentVersion": 2,
    });
    assert_eq!(dumped(&store), expected);
    let text = store.image().encode();
    let text = core::str::from_utf8(&text).expect("text");
    let start = r#"{"Root":{"Path":"/","CreatedIndex":0,"ModifiedIndex":0,"ExpireTime":""#;
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains(r#""Value":"\u003c1\u003e""#), "{text}");
}

#[test]
fn a_fresh_store_is_dumped_as_etcd_does() {
    let history = &dumped(&Store::new())["WatcherHub"]["EventHistory"];
    assert_eq!((&history["StartIndex"], &history["LastIndex"]), (&json!(0), &json!(0)));
    let queue = &history["Queue"];
    assert_eq!(queue["Events"], json!(alloc::vec![Value::Null; 1000]));
    for name in ["Size", "Front", "Back"] {
        assert_eq!(queue[name], json!(0), "{name}");
    }
}

#[test]
fn the_ring_turns_as_in_etcd() {
    let mut store = Store::new();
    for index in 1..=2345_u64 {
        store.apply(&put("/1/a", &index.to_string()));
    }
    let history = &dumped(&store)["WatcherHub"]["EventHistory"];
    assert_eq!((&history["StartIndex"], &history["LastIndex"]), (&json!(1346), &json!(2345)));
    let queue = &history["Queue"];
    for (name, value) in [("Size", 1000), ("Front", 345), ("Back", 345), ("Capacity", 1000)] {
        assert_eq!(queue[name], json!(value), "{name}");
    }
    let events = queue["Events"].as_array().expect("events");
    assert_eq!(events.len(), 1000);
    assert_eq!(events[344]["node"]["modifiedIndex"], json!(2345));
    assert_eq!(events[345]["node"]["modifiedIndex"], json!(1346));
}

/// What etcd does differently from us and what it leaves to chance: the order of members, the
/// remaining time to live in events, time zones, members that we do not know.
#[test]
fn a_dump_of_etcd_is_understood() {
    let dump = json!({
        "CurrentVersion": 2, "CurrentIndex": 5, "Extra": [{ "a": "}\"" }, -1.5e3, true, null, []],
        "Root": { "Path": "/", "Children": { "1": {
            "Children": { "k": {
                "Value": "\u{e9}", "Children": null, "ModifiedIndex": 5, "CreatedIndex": 4,
                "ExpireTime": "2023-11-14T23:13:20+01:00", "Path": "/1/k",
            } },
            "Path": "/1", "ExpireTime": ZERO,
        } } },
        "WatcherHub": { "EventHistory": { "LastIndex": 5, "StartIndex": 5, "Queue": {
            "Back": 1, "Front": 0, "Size": 1, "Capacity": 1000, "Events": [{
                "action": "update", "prevNode": null, "node": {
                    "key": "/1/k", "value": "\u{e9}", "expiration": "2023-11-14T22:13:20Z",
                    "ttl": -3, "nodes": [{ "key": "x" }], "modifiedIndex": 5, "createdIndex": 4,
                },
            }],
        } } },
        "Stats": { "setsSuccess": 3, "watchers": 7 },
    });
    let image = decode(&dump).expect("a dump");
    let event = image.read("/1/k", false).expect("the key");
    assert_eq!(event.node.expiration, Some(BASE));
    assert_eq!((event.node.modified_index, event.node.created_index), (5, 4));
    assert_eq!(image.history().event(5).expect("kept").node, event.node);
    assert_eq!(image.stats().sets, Tally { success: 3, fail: 0 });
    assert_eq!((image.index(), image.has_ttl()), (5, true));
    assert_eq!(Store::from_image(image).expire(BASE).len(), 1);
}

#[test]
fn behind_a_gap_the_history_counts_as_cleared() {
    let mut store = Store::new();
    for _ in 0..9 {
        store.apply(&put("/1/a", ""));
    }
    let mut dump = dumped(&store);
    let events = &mut dump["WatcherHub"]["EventHistory"]["Queue"]["Events"];
    events[4] = Value::Null;
    let image = decode(&dump).expect("a dump");
    assert_eq!((image.history().start(), image.history().last()), (6, 9));
    assert!(image.history().event(3).is_none());
    let error = image.history().scan("/1/a", false, 5).expect_err("cleared");
    assert_eq!(error.cause, "the requested history has been cleared [6/5]");

    dump["CurrentIndex"] = json!(20);
    let image = decode(&dump).expect("a dump");
    assert_eq!((image.history().start(), image.history().last()), (21, 20));
    let mut store = Store::from_image(decode(&dumped(&Store::from_image(image))).expect("again"));
    assert!(store.as_image().history().scan("/1/a", false, 20).is_err());
    store.apply(&put("/1/a", ""));
    assert!(store.as_image().history().scan("/1/a", false, 20).is_err());
    let found = store.as_image().history().scan("/1/a", false, 21).expect("kept");
    assert_eq!(found.map(|event| event.index), Some(21));
}

#[test]
fn bytes_that_are_no_text_survive() {
    let mut store = Store::new();
    let value = Bytes::from_static(b"\xff\xc3(\xe2\x82");
    store.apply(&Command { value: value.clone(), ..put("/1/a", "") });
    let dump = dumped(&store);
    let node = &dump["Root"]["Children"]["1"]["Children"]["a"];
    assert_eq!(node["Value"], json!("\u{fffd}\u{fffd}(\u{fffd}\u{fffd}"));
    assert_eq!(node["ValueHex"], json!("ffc328e282"));
    let image = decode(&dump).expect("a dump");
    assert_eq!(image.read("/1/a", false).expect("it").node.value, Some(value.clone()));
    assert_eq!(image.history().event(1).expect("kept").node.value, Some(value));
}

#[test]
fn the_identity_travels_along_and_is_no_key() {
    for identity in [&b"{\"nonce\":\"7\"}"[..], b"\xff"] {
        let mut store = store_after(&[put("/1/a", "")]);
        let plain = store.image();
        store.set_identity(Bytes::from_static(identity));
        assert_eq!(store.as_image().index(), plain.index());
        assert_ne!(store.image().digest(), plain.digest());
        let image = Image::decode(&store.image().encode()).expect("a dump");
        assert_eq!(image.identity(), identity);
        assert_eq!(image.digest(), store.image().digest());
        assert!(plain.identity().is_empty() && dumped(&Store::new()).get("Quorate").is_none());
    }
}

#[test]
fn of_two_children_of_one_name_the_last_counts() {
    let dump = br#"{"Root":{"Children":{
        "1":{"Children":{"a":{"Children":{"b":{"ExpireTime":"2023-11-14T22:13:20Z"}}}}},
        "1":{"Children":{"c":{}}}}},"CurrentIndex":1}"#;
    let image = Image::decode(dump).expect("a dump");
    assert!(!image.has_ttl());
    image.state().tree.check();
    let listed = image.read("/1", false).expect("a directory").node.nodes;
    assert_eq!(listed.iter().map(|node| &*node.path).collect::<Vec<_>>(), ["/1/c"]);
}

#[test]
fn what_is_no_dump_is_refused() {
    for dump in [
        "",
        "{",
        "{}",
        "null",
        r#"{"Root":{"Children":{}}}"#,
        r#"{"Root":{"Children":null},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{},"ExpireTime":"2023-11-14T22:13:20Z"},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{}},"CurrentIndex":18446744073709551615}"#,
        r#"{"Root":{"Children":{}},"CurrentIndex":-1}"#,
        r#"{"Root":{"Children":{}},"CurrentIndex":1}}"#,
        r#"{"Root":{"Children":{}},"CurrentIndex":1,}"#,
        r#"{"Root":{"Children":{"":{}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a/b":{}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"..":{}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{},"Children":{}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"ExpireTime":"soon"}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"ValueHex":"0"}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Value":"\u00"}}},"CurrentIndex":1}"#,
        concat!(
            r#"{"Root":{"Children":{}},"CurrentIndex":1,"#,
            r#""WatcherHub":{"EventHistory":{"Queue":{"Events":[{}]}}}}"#
        ),
        r#"{"Root":{"Children":{}},"CurrentIndex":1,"x":[}"#,
    ] {
        let error = Image::decode(dump.as_bytes()).expect_err(dump);
        assert!(error.starts_with("not a dump of the store: byte "), "{dump}: {error}");
    }
    assert!(Image::decode(br#"{"Root":{"Children":{}},"CurrentIndex":1}"#).is_ok());
}

/// Each of these differs from the others in one thing that members have to agree on.
#[test]
fn the_digest_sees_every_part() {
    let dumps = [
        r#"{"Root":{"Children":{"a":{"Children":{"b":{}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{}},"b":{}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"c":{}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{"Value":"x"}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{"CreatedIndex":1}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{"ModifiedIndex":1}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{"Children":{}}}}}},"CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{"ExpireTime":"2023-11-14T22:13:20Z"}}}}},
            "CurrentIndex":1}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{}}}}},"CurrentIndex":2}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{}}}}},"CurrentIndex":1,
            "Stats":{"getsFail":1}}"#,
        r#"{"Root":{"Children":{"a":{"Children":{"b":{}}}}},"CurrentIndex":1,"Quorate":"x"}"#,
    ];
    let mut digests = Vec::new();
    for dump in dumps {
        digests.push(Image::decode(dump.as_bytes()).expect(dump).digest());
    }
    let nodes = [
        r#"{"key":"/a","modifiedIndex":1}"#,
        r#"{"key":"/b","modifiedIndex":1}"#,
        r#"{"key":"/a","modifiedIndex":1,"createdIndex":1}"#,
        r#"{"key":"/a","modifiedIndex":1,"dir":true}"#,
        r#"{"key":"/a","modifiedIndex":1,"value":""}"#,
        r#"{"key":"/a","modifiedIndex":1,"expiration":"2023-11-14T22:13:20Z"}"#,
        r#"{"key":"/a","modifiedIndex":1},"prevNode":{"key":"/a"}"#,
        r#"{"key":"/a","modifiedIndex":1},"prevNode":{"key":"/a","modifiedIndex":1}"#,
        r#"{"key":"/a","modifiedIndex":1},"refresh":true"#,
    ];
    for (action, node) in nodes.map(|node| ("set", node)).into_iter().chain([("create", nodes[0])])
    {
        let event = format!(r#"{{"action":"{action}","node":{node}}}"#);
        let history = format!(r#"{{"EventHistory":{{"Queue":{{"Events":[{event}]}}}}}}"#);
        let dump =
            format!(r#"{{"Root":{{"Children":{{}}}},"CurrentIndex":1,"WatcherHub":{history}}}"#);
        digests.push(Image::decode(dump.as_bytes()).expect(&dump).digest());
    }
    let distinct = digests.iter().collect::<BTreeSet<_>>();
    assert_eq!(distinct.len(), digests.len());
}

/// Whatever escapes a string is written with, it is the same string.
#[test]
fn escapes_are_read_as_go_reads_them() {
    let value = |escaped: &str| {
        let dump = format!(
            r#"{{"Root":{{"Children":{{"a":{{"Value":"{escaped}"}}}}}},"CurrentIndex":1}}"#
        );
        Image::decode(dump.as_bytes()).map(|image| image.read("/a", false).expect("a").node.value)
    };
    for (escaped, plain) in [
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"\u003c\u2028\u00e9", "<\u{2028}\u{e9}"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\ud83dx", "\u{fffd}x"),
        (r"\ud83d\u0041", "\u{fffd}A"),
        (r"\ude00", "\u{fffd}"),
    ] {
        assert_eq!(value(escaped), Ok(Some(Bytes::from_static(plain.as_bytes()))), "{escaped}");
    }
    for escaped in [r"\x", r"\u12g4", "\n", r"\"] {
        assert!(value(escaped).is_err(), "{escaped}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_is_lost_in_a_dump(
        commands in any_commands(60),
        after in any_commands(20),
    ) {
        let mut store = store_after(&commands);
        let dump = store.image().encode();
        let image = Image::decode(&dump).expect("our own dump");
        prop_assert_eq!(image.encode(), dump);
        prop_assert_eq!(image.digest(), store.image().digest());
        let mut restored = Store::from_image(image);
        for command in &after {
            let (ours, theirs) = (store.apply(command), restored.apply(command));
            prop_assert_eq!(ours.result, theirs.result);
        }
        prop_assert_eq!(store.image().encode(), restored.image().encode());
    }

    /// The checksum tells apart what the dump tells apart.
    #[test]
    fn the_digest_is_that_of_the_content(a in any_commands(8), b in any_commands(8)) {
        let (a, b) = (store_after(&a).image(), store_after(&b).image());
        prop_assert_eq!(a.digest() == b.digest(), a.encode() == b.encode());
    }

    #[test]
    fn any_value_survives(value in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut store = Store::new();
        store.apply(&Command { value: value.clone().into(), ..put("/1/a", "") });
        let image = Image::decode(&store.image().encode()).expect("our own dump");
        let node = image.read("/1/a", false).expect("the key").node;
        prop_assert_eq!(node.value, Some(Bytes::from(value)));
    }

    #[test]
    fn a_damaged_dump_never_panics(
        commands in any_commands(20),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        // Without the thousand empty places, so that damage hits what matters.
        let dump = store_after(&commands).image().encode();
        let mut dump = core::str::from_utf8(&dump).expect("text").replace(",null", "").into_bytes();
        for (at, byte) in damage {
            let at = at.index(dump.len());
            dump[at] = byte;
        }
        if let Ok(image) = Image::decode(&dump) {
            image.state().tree.check();
            let again = Image::decode(&image.encode()).expect("what was read can be dumped");
            prop_assert_eq!(image.digest(), again.digest());
        }
        dump.truncate(cut.index(dump.len()));
        prop_assert!(Image::decode(&dump).is_err());
    }
}
