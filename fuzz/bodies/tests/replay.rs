//! The corpus in the tree, and what is near it, without a fuzzer.

use std::fs;
use std::path::Path;

use fuzz_bodies::TARGETS;

/// Changed copies of each input; more, if `FUZZ_COPIES` says so.
const COPIES: u64 = 300;

/// One test for all, since what is allocated is counted for the process.
#[test]
fn the_corpus_and_what_is_near_it() {
    let copies = std::env::var("FUZZ_COPIES").map_or(COPIES, |n| n.parse().expect("a number"));
    for (name, run) in TARGETS {
        let inputs = corpus(name);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for (file, input) in inputs {
            eprintln!("{name}: {file}");
            run(&input);
            for copy in 0..copies {
                run(&changed(&input, copy));
            }
        }
    }
}

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let entries = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let read = |entry: Result<fs::DirEntry, _>| {
        let path = entry.expect("a directory can be listed").path();
        (path.display().to_string(), fs::read(&path).expect("an input can be read"))
    };
    let mut inputs: Vec<_> = entries.map(read).collect();
    inputs.sort();
    inputs
}

/// A copy with a few bytes changed, cut off, repeated or moved, the same each time.
fn changed(input: &[u8], copy: u64) -> Vec<u8> {
    let mut state = copy.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ input.len() as u64;
    let mut below = |limit: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % limit.max(1)
    };
    let mut bytes = input.to_vec();
    for _ in 0..=below(3) {
        let (at, to) = (below(bytes.len() + 1), below(bytes.len() + 1));
        match below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u8::try_from(below(256)).unwrap_or(0)),
            2 if at < to => bytes.extend_from_within(at..to),
            3 if at < bytes.len() && to < bytes.len() => bytes.swap(at, to),
            _ if at < bytes.len() => bytes[at] = u8::try_from(below(256)).unwrap_or(0),
            _ => {}
        }
    }
    bytes
}
