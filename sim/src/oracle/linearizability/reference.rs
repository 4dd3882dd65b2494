//! The same question, put to stateright's tester: it knows nothing of store indexes as an order,
//! and is given them as part of what the register answers.

use std::collections::BTreeSet;

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};

use super::{Answer, Ask, Operation};

/// What a register may be, after operations one behind the other.
#[derive(Clone)]
struct Reference {
    value: u64,
    /// The indexes that the last change may have. None can be beyond `LAST`: no history here has
    /// that many changes or so high an answer.
    modified: BTreeSet<u64>,
    /// The least index that the store may have come to.
    index: u64,
}

const LAST: u64 = 64;

impl Reference {
    fn absent() -> Self {
        Self { value: 0, modified: BTreeSet::from([0]), index: 0 }
    }

    /// What the operation would make of the value, were it to change it.
    const fn wanted(ask: Ask) -> u64 {
        match ask {
            Ask::Set(value)
            | Ask::Create(value)
            | Ask::SwapValue(_, value)
            | Ask::SwapIndex(_, value) => value,
            Ask::Read | Ask::Delete => 0,
        }
    }

    /// Whether it may change it. What that says about the last change is then known.
    fn changes(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Read => false,
            Ask::Set(_) => true,
            Ask::Create(_) => self.value == 0,
            Ask::SwapValue(old, _) => self.value != 0 && self.value == old,
            Ask::Delete => self.value != 0,
            Ask::SwapIndex(index, _) => self.value != 0 && self.keep(|own| own == index),
        }
    }

    /// Whether it may leave it. What that says about the last change is then known.
    fn leaves(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::SwapIndex(index, _) => self.value == 0 || self.keep(|own| own != index),
            _ => !self.changes(ask),
        }
    }

    /// Keeps the indexes that the last change may have, and says whether there are any.
    fn keep(&mut self, may: impl Fn(u64) -> bool) -> bool {
        self.modified.retain(|own| may(*own));
        self.index = self.index.max(self.modified.first().copied().unwrap_or(0));
        !self.modified.is_empty()
    }
}

impl SequentialSpec for Reference {
    type Op = Ask;
    type Ret = Answer;

    /// An operation of unknown outcome takes effect, if it can. Its answer is seen by nobody.
    fn invoke(&mut self, ask: &Ask) -> Answer {
        if self.clone().changes(*ask) {
            self.changes(*ask);
            self.value = Self::wanted(*ask);
            self.index += 1;
            let indexes = self.index..=LAST;
            self.modified = if self.value == 0 { BTreeSet::from([0]) } else { indexes.collect() };
        }
        Answer::Refused { at: self.index }
    }

    fn is_valid_step(&mut self, ask: &Ask, answer: &Answer) -> bool {
        match *answer {
            Answer::Found { value, modified, at } => {
                let fits = self.value == value && self.keep(|own| own == modified && own <= at);
                let valid = *ask == Ask::Read && fits && at >= self.index;
                self.index = at;
                valid
            }
            Answer::Done { at, before } => {
                let fits = before.is_none_or(|before| before == self.value);
                let valid = self.changes(*ask) && fits && at > self.index;
                self.value = Self::wanted(*ask);
                self.modified = BTreeSet::from([if self.value == 0 { 0 } else { at }]);
                self.index = at;
                valid
            }
            Answer::Refused { at } => {
                let valid = self.leaves(*ask) && self.keep(|own| own <= at) && at >= self.index;
                self.index = at;
                valid
            }
        }
    }
}

/// What stateright says of a history.
pub(super) fn is_linearizable(history: &[Operation]) -> bool {
    // At equal times calls come first, so that they overlap with what returns then.
    let calls = (0..history.len()).map(|at| (history[at].called, false, at));
    let returns =
        (0..history.len()).filter_map(|at| history[at].returned.map(|(when, _)| (when, true, at)));
    let mut events: Vec<(u64, bool, usize)> = calls.chain(returns).collect();
    events.sort_unstable();
    let mut tester = LinearizabilityTester::new(Reference::absent());
    for (_, returned, at) in events {
        // Each operation is a thread of its own: one that never returns blocks nobody.
        let result = match history[at].returned {
            Some((_, answer)) if returned => tester.on_return(at, answer),
            _ => tester.on_invoke(at, history[at].ask),
        };
        assert!(result.is_ok(), "each operation is called once, and returns once behind that");
    }
    tester.is_consistent()
}
