//! A list that grows while others read it, without locks for the readers.

use std::sync::OnceLock;

const CHUNK: usize = 1 << 12;
const CHUNKS: usize = 1 << 13;

/// A piece of the list, made when its first place is taken.
type Chunk<T> = Box<[OnceLock<T>]>;

/// Things by number, from 0 on. Nothing is ever removed or changed.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    chunks: Box<[OnceLock<Chunk<T>>]>,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect() }
    }

    /// Puts a thing in its place, which must be free.
    pub(crate) fn put(&self, at: u32, item: T) {
        let at = at as usize;
        assert!(at < CHUNK * CHUNKS, "the scope is too large for the table");
        let fresh = || (0..CHUNK).map(|_| OnceLock::new()).collect();
        let chunk = self.chunks[at / CHUNK].get_or_init(fresh);
        assert!(chunk[at % CHUNK].set(item).is_ok(), "each place is taken once");
    }

    /// The thing with a number that was given out.
    pub(crate) fn get(&self, at: u32) -> &T {
        let at = at as usize;
        let chunk = self.chunks[at / CHUNK].get();
        chunk.and_then(|chunk| chunk[at % CHUNK].get()).expect("the number was given out")
    }
}
