//! What is done with an input of the fuzzer.
//!
//! Each module has one `run`, which takes any bytes and panics if a promise is broken: not only that
//! nothing panics, but that what was read is read the same once it is printed, that refusals say
//! what to do, and that nobody allocates more than the input is worth. The targets of cargo-fuzz
//! are shims over it, and ordinary tests run it over the corpus in the tree.

pub mod backup;
pub mod cluster;
pub mod discovery;
pub mod flags;
pub mod http;
pub mod image;
pub mod log;
mod memory;
pub mod peer;
mod seal;
pub mod urls;

use quorate_core::error::Refusal;

/// A name, and what is done with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. Each has a corpus of its name.
pub const TARGETS: [Target; 9] = [
    ("flags", flags::run),
    ("urls", urls::run),
    ("discovery", discovery::run),
    ("http", http::run),
    ("peer", peer::run),
    ("log", log::run),
    ("image", image::run),
    ("backup", backup::run),
    ("cluster", cluster::run),
];

/// Every refusal names its cause and a remedy.
fn explained(refusal: &Refusal) {
    assert!(!refusal.message.is_empty() && !refusal.hints.is_empty(), "{refusal:?}");
    assert!(refusal.hints.iter().all(|hint| !hint.is_empty()), "{refusal:?}");
}
