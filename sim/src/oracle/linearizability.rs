//! Registers are linearizable: all operations on a key can be put into one order that respects
//! real time and explains every answer.
//!
//! The search is that of Wing and Gong with the memory of Lowe: pick an operation that may come
//! first, see whether the register explains its answer, go on with the rest, and never visit the
//! same set of picked operations with the same register twice. It is written here instead of taken
//! from stateright because a register that says its version prunes almost every branch: every
//! answer carries the store index at which it was true, and those indexes never go back along the
//! order. stateright's tester knows no such order, takes seconds for histories of this length
//! and brings 44 crates.
//!
//! An operation whose outcome is unknown may have happened at any time after its call, or never.

use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// What was asked of a register. Values are unique numbers, and 0 is absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Read with `quorum=true`.
    Read,
    /// Write, whatever was there.
    Set(u64),
    /// Write if absent (`prevExist=false`).
    Create(u64),
    /// Write the second if the first is there (`prevValue`).
    SwapValue(u64, u64),
    /// Write the second if the last change has the index given first (`prevIndex`).
    SwapIndex(u64, u64),
    /// Delete if present.
    Delete,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value and the index of its last change; 0 and 0 if absent. `at` is the store index of
    /// the read.
    Found {
        /// The value.
        value: u64,
        /// The index of its last change.
        modified: u64,
        /// The store index at which this was so.
        at: u64,
    },
    /// The change was made and has this index; the value before it, where that was said.
    Done {
        /// The index of the change.
        at: u64,
        /// The value before, 0 for absent.
        before: Option<u64>,
    },
    /// Refused because of what was there: the comparison failed, or a key is absent or present
    /// against the condition.
    Refused {
        /// The store index at which this was so.
        at: u64,
    },
}

/// One operation of a history.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// When the client asked.
    pub called: u64,
    /// When the client knew the answer, and what it was; `None` if it never learned it.
    pub returned: Option<(u64, Answer)>,
    /// What it asked.
    pub ask: Ask,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is such an order.
    Linearizable,
    /// There is none.
    Violated,
    /// The search was given up.
    Undecided,
}

/// The register at one point of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Register {
    value: u64,
    modified: Modified,
    /// The store index has come at least this far.
    reached: u64,
}

/// The index of the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Modified {
    Is(u64),
    /// The answer to the change is unknown; until a read shows its index, it is only known to lie
    /// behind this one.
    After(u64),
}

impl Modified {
    const fn may_be(self, index: u64) -> bool {
        match self {
            Self::Is(own) => own == index,
            Self::After(floor) => index > floor,
        }
    }
}

impl Register {
    pub(crate) const fn absent() -> Self {
        Self { value: 0, modified: Modified::Is(0), reached: 0 }
    }

    const fn changed(value: u64, modified: Modified, reached: u64) -> Self {
        Self { value, modified: if value == 0 { Modified::Is(0) } else { modified }, reached }
    }

    /// The register after an operation, or `None` if it does not explain the answer. An operation
    /// of unknown outcome that would change nothing is not worth a place in the order.
    pub(crate) fn step(self, operation: &Operation) -> Option<Self> {
        let Some((_, answer)) = operation.returned else {
            let modified = Modified::After(self.reached);
            return self.write(operation.ask).map(|v| Self::changed(v, modified, self.reached));
        };
        match answer {
            Answer::Found { value, modified, at } => {
                let explained = self.value == value
                    && self.modified.may_be(modified)
                    && at >= self.reached
                    && at >= modified;
                (operation.ask == Ask::Read && explained).then_some(Self {
                    value,
                    modified: Modified::Is(modified),
                    reached: at,
                })
            }
            Answer::Done { at, before } => {
                let value = self.write(operation.ask)?;
                let explained = at > self.reached && before.is_none_or(|b| b == self.value);
                explained.then_some(Self::changed(value, Modified::Is(at), at))
            }
            Answer::Refused { at } => {
                // A comparison with an unknown index may well fail.
                let unknown = matches!(operation.ask, Ask::SwapIndex(..))
                    && matches!(self.modified, Modified::After(_));
                let explained = self.write(operation.ask).is_none() || unknown;
                (explained && at >= self.reached).then_some(Self { reached: at, ..self })
            }
        }
    }

    /// The value after a write, if its condition holds.
    fn write(self, ask: Ask) -> Option<u64> {
        match ask {
            Ask::Read => None,
            Ask::Set(value) => Some(value),
            Ask::Create(value) => (self.value == 0).then_some(value),
            Ask::SwapValue(old, value) => (self.value == old && old != 0).then_some(value),
            Ask::SwapIndex(index, value) => {
                (self.value != 0 && self.modified.may_be(index)).then_some(value)
            }
            Ask::Delete => (self.value != 0).then_some(0),
        }
    }
}

/// Which operations were picked so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Picked(Vec<u64>);

impl Picked {
    fn contains(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    fn flip(&mut self, at: usize) {
        self.0[at / 64] ^= 1 << (at % 64);
    }
}

/// Judges the history of one key, visiting at most `budget` states.
pub fn check(history: &[Operation], budget: usize) -> Verdict {
    let mut operations: Vec<&Operation> = history.iter().collect();
    operations.sort_by_key(|o| o.called);
    let mut search = Search {
        left: operations.iter().filter(|o| o.returned.is_some()).count(),
        picked: Picked(vec![0; operations.len().div_ceil(64)]),
        visited: BTreeSet::new(),
        operations,
    };
    search.run(budget)
}

struct Search<'a> {
    operations: Vec<&'a Operation>,
    picked: Picked,
    /// Answered operations that are not picked yet.
    left: usize,
    visited: BTreeSet<(Picked, Register)>,
}

/// A point at which the search can go on: the register before the pick, and the candidates that
/// were not tried yet, the most promising one last.
struct Choice {
    register: Register,
    candidates: Vec<usize>,
    taken: Option<usize>,
}

impl Search<'_> {
    fn run(&mut self, budget: usize) -> Verdict {
        let mut register = Register::absent();
        let mut first = 0;
        let mut stack = vec![self.choice(register, &mut first)];
        while self.left > 0 {
            if self.visited.len() > budget {
                return Verdict::Undecided;
            }
            let Some(choice) = stack.last_mut() else { return Verdict::Violated };
            if let Some(taken) = choice.taken.take() {
                self.picked.flip(taken);
                self.left += usize::from(self.operations[taken].returned.is_some());
                first = first.min(taken);
            }
            let Some(candidate) = choice.candidates.pop() else {
                stack.pop();
                continue;
            };
            let Some(next) = choice.register.step(self.operations[candidate]) else { continue };
            self.picked.flip(candidate);
            if !self.visited.insert((self.picked.clone(), next)) {
                self.picked.flip(candidate);
                continue;
            }
            choice.taken = Some(candidate);
            self.left -= usize::from(self.operations[candidate].returned.is_some());
            register = next;
            stack.push(self.choice(register, &mut first));
        }
        Verdict::Linearizable
    }

    /// The operations that may come next: called before any operation that is not picked returned.
    /// `first` is a lower bound of the first one that is not picked.
    fn choice(&self, register: Register, first: &mut usize) -> Choice {
        while *first < self.operations.len() && self.picked.contains(*first) {
            *first += 1;
        }
        let mut horizon = u64::MAX;
        let mut candidates = Vec::new();
        for at in *first..self.operations.len() {
            let operation = self.operations[at];
            if operation.called > horizon {
                break;
            }
            if !self.picked.contains(at) {
                candidates.push(at);
                let returned = operation.returned.map_or(u64::MAX, |r| r.0);
                horizon = horizon.min(returned);
            }
        }
        candidates.retain(|at| self.operations[*at].called <= horizon);
        // The answered one with the lowest store index is the best guess, the unknown ones the last.
        candidates.sort_by_key(|at| std::cmp::Reverse(self.operations[*at].place()));
        Choice { register, candidates, taken: None }
    }
}

impl Operation {
    /// Where the answer's store index puts the operation; reads after the change that they show.
    const fn place(&self) -> (u64, bool) {
        match self.returned {
            None => (u64::MAX, true),
            Some((_, Answer::Done { at, .. })) => (at, false),
            Some((_, Answer::Found { at, .. } | Answer::Refused { at })) => (at, true),
        }
    }
}
