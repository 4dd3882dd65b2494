//! What etcd 3.4.23 answered to a client, replayed against the store.
//!
//! Each line of the recording is a request as it stands in the log, or a step of a watch, with the
//! body that etcd gave and the store index that it named.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::*;

const RECORDED: &str = include_str!("etcd-3.4.23.jsonl");

#[test]
fn etcd_answered_the_same() {
    let mut player = Player::new();
    let (mut scenario, mut steps) = (String::new(), 0);
    for line in RECORDED.lines() {
        let step: Value = serde_json::from_str(line).expect("a recorded step");
        if text(&step, "scenario") != scenario {
            scenario = text(&step, "scenario").into();
            player = Player::new();
        }
        player.play(&step);
        steps += 1;
    }
    assert!(steps > 400, "{steps} steps");
}

struct Player {
    store: Store,
    hub: WatchHub<u64>,
    watchers: BTreeMap<String, u64>,
    /// What each watcher was told and did not yet account for, and whether it has ended.
    told: BTreeMap<u64, (Vec<Value>, bool)>,
}

impl Player {
    /// A store as that of a member alone is when its first client comes: it was added, published
    /// its attributes, and decided the version.
    fn new() -> Self {
        let mut store = Store::new();
        let attributes = Some(&b"{}"[..]);
        store.create("/0/members/1/raftAttributes", attributes, None).expect("the member");
        store.set("/0/members/1/attributes", attributes, Ttl::default()).expect("its attributes");
        store.set("/0/version", Some(b"3.4.0"), Ttl::default()).expect("the version");
        let (hub, watchers, told) = (WatchHub::new(), BTreeMap::new(), BTreeMap::new());
        Self { store, hub, watchers, told }
    }

    fn play(&mut self, step: &Value) {
        match text(step, "op") {
            "watch" => self.watch(step),
            "await" => {
                let (lines, ended) = self.take(step);
                assert_eq!(Value::Array(lines), step["lines"], "{step}");
                assert_eq!(json!(ended), step["ends"], "{step}");
            }
            "silent" => assert_eq!(self.take(step), (Vec::new(), false), "{step}"),
            "close" => self.hub.cancel(self.watchers[text(step, "id")]),
            "SYNC" => {
                let time = BASE + 3 * SECOND;
                self.apply(&Command { time, ..Command::new(Method::Sync, "/") });
            }
            _ => self.request(step),
        }
    }

    fn request(&mut self, step: &Value) {
        let mut command = command(step);
        let mut result = None;
        let times = step["repeat"].as_u64().unwrap_or(1);
        for time in 1..=times {
            if times > 1 {
                command.value = time.to_string().into();
            }
            result = self.apply(&command);
        }
        let answer = answer(&result.expect("an answer"));
        if let Some(body) = step.get("expect") {
            assert_eq!(answer, in_order(body.clone()), "{step}");
        }
        assert_eq!(json!(self.store.as_image().index()), step["index"], "{step}");
    }

    fn apply(&mut self, command: &Command) -> Option<Result<Event, Error>> {
        let applied = self.store.apply(command);
        for change in &applied.changes {
            self.hub.notify(change, |id, event, last| {
                let told = self.told.entry(id).or_default();
                assert!(!told.1, "nothing follows the last event");
                told.0.push(shown(event));
                told.1 = last;
            });
        }
        applied.result
    }

    fn watch(&mut self, step: &Value) {
        let id = self.watchers.len() as u64;
        self.watchers.insert(text(step, "id").into(), id);
        let watch = Watch {
            path: text(step, "path").into(),
            recursive: flag(step, "recursive"),
            stream: flag(step, "stream"),
            since: step["since"].as_u64().unwrap_or(0),
        };
        assert_eq!(json!(self.store.as_image().index()), step["index"], "{step}");
        match self.hub.register(id, &watch, self.store.as_image().history()) {
            Ok(Begun::Waiting) => assert!(step.get("expect").is_none(), "{step}"),
            Ok(Begun::Found(event)) if step.get("expect").is_none() => {
                self.told.insert(id, ([shown(&event)].into(), !watch.stream));
            }
            Ok(Begun::Found(event)) => assert_eq!(shown(&event), step["expect"], "{step}"),
            Err(error) => assert_eq!(answer(&Err(error)), step["expect"], "{step}"),
        }
    }

    fn take(&mut self, step: &Value) -> (Vec<Value>, bool) {
        let told = self.told.entry(self.watchers[text(step, "id")]).or_default();
        (core::mem::take(&mut told.0), told.1)
    }
}

fn text<'a>(step: &'a Value, name: &str) -> &'a str {
    step[name].as_str().unwrap_or_default()
}

fn flag(step: &Value, name: &str) -> bool {
    step[name].as_bool().unwrap_or_default()
}

fn bytes_of(step: &Value, name: &str) -> Bytes {
    match step.get(format!("{name}Hex")).and_then(Value::as_str) {
        Some(hex) => {
            let pairs = hex.as_bytes().chunks(2);
            let pairs = pairs.map(|pair| core::str::from_utf8(pair).expect("text"));
            pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
        }
        None => text(step, name).to_string().into(),
    }
}

fn command(step: &Value) -> Command {
    let method = match text(step, "op") {
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "QGET" => Method::Qget,
        other => panic!("what is {other}?"),
    };
    let ttl = step["ttl"].as_i64();
    Command {
        value: bytes_of(step, "value"),
        dir: flag(step, "dir"),
        prev_value: bytes_of(step, "prevValue"),
        prev_index: step["prevIndex"].as_u64().unwrap_or(0),
        prev_exist: step["prevExist"].as_bool(),
        expiration: ttl.map_or(0, |ttl| BASE.wrapping_add(ttl.wrapping_mul(SECOND))),
        recursive: flag(step, "recursive"),
        refresh: step["refresh"].as_bool(),
        ..Command::new(method, text(step, "path"))
    }
}

/// The body of an answer as the API gives it.
fn answer(result: &Result<Event, Error>) -> Value {
    let error = match result {
        Ok(event) => return shown(event),
        Err(error) => error,
    };
    let (code, message) = match error.code {
        Code::KeyNotFound => (100, "Key not found"),
        Code::CompareFailed => (101, "Compare failed"),
        Code::NotAFile => (102, "Not a file"),
        Code::NotADirectory => (104, "Not a directory"),
        Code::KeyExists => (105, "Key already exists"),
        Code::RootReadOnly => (107, "Root is read only"),
        Code::DirectoryNotEmpty => (108, "Directory not empty"),
        Code::EventIndexCleared => (401, "The event in requested index is outdated and cleared"),
    };
    let mut body = json!({ "errorCode": code, "message": message, "index": error.index });
    let cause = error.cause.strip_prefix("/1").unwrap_or(&error.cause);
    if !cause.is_empty() {
        body["cause"] = cause.into();
    }
    body
}

fn shown(event: &Event) -> Value {
    let ttl = event.action != Action::Expire;
    let mut body = json!({ "action": event.action.name(), "node": node(&event.node, ttl) });
    if let Some(prev) = &event.prev {
        body["prevNode"] = node(prev, ttl);
    }
    body
}

fn node(view: &NodeView, ttl: bool) -> Value {
    let mut node = Map::new();
    let key = view.path.strip_prefix("/1").unwrap_or(&view.path);
    if !key.is_empty() {
        node.insert("key".into(), key.into());
    }
    if let Some(value) = &view.value {
        // As Go replaces what is not UTF-8: byte for byte.
        let mut lossy = String::new();
        for chunk in value.utf8_chunks() {
            lossy.push_str(chunk.valid());
            lossy.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
        }
        node.insert("value".into(), lossy.into());
    }
    if view.dir {
        node.insert("dir".into(), true.into());
    }
    if let Some(time) = view.expiration {
        node.insert("expiration".into(), "<expiration>".into());
        let seconds = (time - BASE) / SECOND;
        if ttl && seconds != 0 {
            node.insert("ttl".into(), seconds.into());
        }
    }
    if !view.nodes.is_empty() {
        let nodes = view.nodes.iter().map(|view| self::node(view, ttl)).collect::<Vec<_>>();
        node.insert("nodes".into(), nodes.into());
    }
    for (name, index) in
        [("modifiedIndex", view.modified_index), ("createdIndex", view.created_index)]
    {
        if index != 0 {
            node.insert(name.into(), index.into());
        }
    }
    node.into()
}

/// The same body with all children sorted by key: the recordings have some in random order.
fn in_order(mut body: Value) -> Value {
    fn sort(node: &mut Value) {
        if let Some(nodes) = node.get_mut("nodes").and_then(Value::as_array_mut) {
            nodes.sort_by_key(|node| text(node, "key").to_string());
            nodes.iter_mut().for_each(sort);
        }
    }
    if let Some(node) = body.get_mut("node") {
        sort(node);
    }
    body
}
