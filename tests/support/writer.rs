//! Clients that write all the time and remember what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::client::{Answer, Client};

/// How long one write is waited for. What takes longer may or may not have happened.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a client rests when nobody answers.
const PAUSE: Duration = Duration::from_millis(20);
/// How many clients write at the same time.
const CLIENTS: usize = 4;

/// The directory that is written to.
pub(crate) const ACKED: &str = "/acked";

/// Clients that write, each with a number of its own: numbered keys below [`ACKED`], one after the
/// other, at one member after the other; and each number to one key that they all go to, too.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Acknowledged>>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// Keys that were written once: the value, and the `modifiedIndex` in the answer.
    keys: BTreeMap<String, (String, u64)>,
    /// Keys that were written again and again.
    registers: BTreeMap<String, Register>,
}

/// What can stand in a key that one client has overwritten.
#[derive(Debug, Default)]
struct Register {
    /// What was acknowledged last.
    last: Option<String>,
    /// What was sent and not acknowledged. Each may happen late, or never.
    unknown: BTreeSet<String>,
}

impl Writer {
    /// Begins to write at the members with these client URLs.
    pub(crate) fn start(urls: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..CLIENTS)
            .map(|client| {
                let (stop, mut urls) = (Arc::clone(&stop), urls.to_vec());
                let first = client % urls.len();
                urls.rotate_left(first);
                thread::spawn(move || write(client, &urls, &stop))
            })
            .collect();
        Self { stop, threads }
    }

    /// Ends, and says what was acknowledged.
    pub(crate) fn stop(self) -> Acknowledged {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Acknowledged::default();
        for thread in self.threads {
            let one = thread.join().expect("a client saw an answer that cannot be");
            all.keys.extend(one.keys);
            all.registers.extend(one.registers);
        }
        all
    }
}

fn write(client: usize, urls: &[String], stop: &AtomicBool) -> Acknowledged {
    let http = Client::with_patience(PATIENCE);
    let put = |url: &str, key: &str, value: &str| {
        let answer = http.put(&format!("{url}/v2/keys{key}"), &format!("value={value}")).ok()?;
        has_happened(&answer).then_some(answer)
    };
    let mut keys = BTreeMap::new();
    let mut register = Register::default();
    let last = format!("{ACKED}/last{client}");
    for (number, url) in (1..).zip(urls.iter().cycle()) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("{client}-{number:08}");
        let key = format!("{ACKED}/{value}");
        let Some(answer) = put(url, &key, &value) else {
            thread::sleep(PAUSE);
            continue;
        };
        let index = answer.at("/node/modifiedIndex").as_u64().expect("a write has an index");
        keys.insert(key, (value.clone(), index));
        if put(url, &last, &value).is_some() {
            register.last = Some(value);
        } else {
            register.unknown.insert(value);
        }
    }
    Acknowledged { keys, registers: BTreeMap::from([(last, register)]) }
}

/// Whether the write has happened for sure: every other answer is one for want of a quorum, since
/// the requests are in order.
fn has_happened(answer: &Answer) -> bool {
    assert!(matches!(answer.status, 200 | 201 | 500 | 503), "an unexpected answer: {answer:?}");
    answer.status < 500
}

impl Acknowledged {
    /// How many keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether all of it is in a recursive listing of [`ACKED`].
    ///
    /// # Panics
    /// If something was lost, or has another index than was said.
    pub(crate) fn assert_kept(&self, listing: &Answer) {
        let nodes = listing.at("/node/nodes");
        let nodes: BTreeMap<&str, &Value> = nodes
            .as_array()
            .expect("a directory")
            .iter()
            .filter_map(|node| Some((node["key"].as_str()?, node)))
            .collect();
        for (key, (value, index)) in &self.keys {
            let node = nodes.get(key.as_str());
            let node = node.unwrap_or_else(|| panic!("{key} was acknowledged and is lost"));
            assert_eq!(node["modifiedIndex"].as_u64(), Some(*index), "the index of {key}");
            assert_eq!(node["value"], *value, "the value of {key}");
        }
        for (key, register) in &self.registers {
            let value = nodes.get(key.as_str()).and_then(|node| node["value"].as_str());
            let can_be = value == register.last.as_deref()
                || value.is_some_and(|value| register.unknown.contains(value));
            assert!(can_be, "{key} is {value:?}, and cannot be after {register:?}");
        }
    }
}
