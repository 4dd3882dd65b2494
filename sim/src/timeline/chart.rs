//! What the page draws. Times are microseconds of simulated time.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// Everything.
#[derive(Debug, Default, Serialize)]
pub(super) struct Chart {
    pub(super) seed: u64,
    pub(super) world: String,
    pub(super) options: String,
    pub(super) stats: String,
    pub(super) digest: String,
    /// When the run ended.
    pub(super) end: u64,
    /// When the liveness phase began.
    pub(super) calm: Option<u64>,
    pub(super) violation: Option<Violation>,
    pub(super) members: Vec<Member>,
    /// Cuts of the network.
    pub(super) cuts: Vec<Span>,
    pub(super) messages: Vec<Message>,
    pub(super) clients: Vec<Vec<Operation>>,
    /// Words that messages and operations refer to by number.
    pub(super) words: Words,
}

/// The broken promise.
#[derive(Debug, Serialize)]
pub(super) struct Violation {
    pub(super) at: u64,
    pub(super) member: Option<usize>,
    pub(super) text: String,
}

/// The lane of a member.
#[derive(Debug, Default, Serialize)]
pub(super) struct Member {
    /// `up`, `paused`, `full`, `isolated`.
    pub(super) spans: Vec<Span>,
    pub(super) leads: Vec<Lead>,
    pub(super) marks: Vec<Mark>,
    /// Times and indexes.
    pub(super) applied: Vec<(u64, u64)>,
    pub(super) committed: Vec<(u64, u64)>,
}

/// Something that lasts.
#[derive(Debug, Serialize)]
pub(super) struct Span {
    pub(super) kind: &'static str,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) text: String,
}

/// A leadership.
#[derive(Debug, Serialize)]
pub(super) struct Lead {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) term: u64,
}

/// Something that happens in a moment.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    pub(super) kind: &'static str,
    pub(super) at: u64,
    pub(super) text: String,
}

/// A message: group, sender, receiver, when sent, when arrived or lost, whether it was lost, words.
#[derive(Debug, Serialize)]
pub(super) struct Message(
    pub(super) &'static str,
    pub(super) usize,
    pub(super) usize,
    pub(super) u64,
    pub(super) u64,
    pub(super) bool,
    pub(super) usize,
);

/// A request of a client: asked, ended, which way, the member, words of the request and of the
/// answer.
#[derive(Debug, Serialize)]
pub(super) struct Operation(
    pub(super) u64,
    pub(super) u64,
    pub(super) &'static str,
    pub(super) usize,
    pub(super) usize,
    pub(super) usize,
);

/// Words, each kept once.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: BTreeMap<String, usize>,
}

impl Words {
    /// The number of these words.
    pub(super) fn number(&mut self, words: String) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(words).or_insert(next)
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<(&String, &usize)> = self.numbers.iter().collect();
        all.sort_unstable_by_key(|(_, number)| **number);
        serializer.collect_seq(all.into_iter().map(|(words, _)| words))
    }
}
