//! The store as a whole: against what etcd answered, against a naive model, and against itself.

mod dump;
mod model;
mod sharing;
mod transcript;
mod watching;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// A moment of 2023 in Unix nanoseconds, at which the tests take place.
const BASE: i64 = 1_700_000_000_000_000_000;

const SECOND: i64 = 1_000_000_000;

/// Few names on few levels, so that commands meet each other: some hidden, some the beginning of
/// others.
fn any_path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&["a", "a", "b", "ab", "_h", "ü"][..]);
    let below = prop::collection::vec(name, 0..3);
    let top =
        prop::sample::select(&["/1", "/1", "/1", "/1/a", "/1/a", "/1/a/a", "/0", "/2", "/"][..]);
    (top, below).prop_map(|(top, below)| format!("{top}/{}", below.join("/")))
}

fn any_value() -> impl Strategy<Value = bytes::Bytes> {
    const VALUES: &[&[u8]] = &[b"", b"x", b"<y>\n\"", b"\xffz", "é\u{2028}".as_bytes()];
    prop::sample::select(VALUES).prop_map(bytes::Bytes::from_static)
}

/// A command about any of those paths, with a bias for what succeeds.
fn any_command() -> impl Strategy<Value = Command> {
    use Method::{Delete, Post, Put, Qget, Sync};
    let method = prop::sample::select(&[Put, Put, Put, Put, Post, Delete, Delete, Qget, Sync][..]);
    let expiration = prop_oneof![
        3 => Just(0),
        3 => (1..20_i64).prop_map(|seconds| BASE + seconds * SECOND),
        1 => Just(-5 * SECOND),
        1 => Just(946_684_799 * SECOND),
        1 => Just(946_684_800 * SECOND),
    ];
    let conditions = (
        prop_oneof![3 => Just(bytes::Bytes::new()), 1 => any_value()],
        prop_oneof![3 => Just(0), 1 => 0..30_u64],
        prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => any::<bool>().prop_map(Some)],
    );
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (method, any_path(), any_value(), expiration, conditions, flags, 0..20_i64).prop_map(
        |(method, path, value, expiration, conditions, (dir, recursive, sorted), seconds)| {
            let (prev_value, prev_index, prev_exist, refresh) = conditions;
            Command {
                value,
                dir: dir && recursive,
                prev_value,
                prev_index,
                prev_exist,
                expiration,
                recursive,
                sorted,
                refresh,
                time: BASE + seconds * SECOND,
                ..Command::new(method, path)
            }
        },
    )
}

fn any_commands(most: usize) -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(any_command(), 0..most)
}

fn store_after(commands: &[Command]) -> Store {
    let mut store = Store::new();
    for command in commands {
        store.apply(command);
    }
    store
}

/// A PUT of a file.
fn put(path: &str, value: &str) -> Command {
    let value = bytes::Bytes::copy_from_slice(value.as_bytes());
    Command { value, ..Command::new(Method::Put, path) }
}
