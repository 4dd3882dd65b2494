//! Registers are linearizable: all operations on a key can be put into one order that respects
//! real time and explains every answer.
//!
//! An operation whose outcome is unknown may have happened at any time after its call, or never.
//!
//! In general this takes a search over all orders. Here every answer carries the store index at
//! which it was true, and an order must respect these indexes. So the answered operations have but
//! one order, up to those that saw the same state, and the search is only about where the unknown
//! ones go. An unknown write whose value was read has a known index too, since values are unique.
//! That is why the checker is written here: stateright's tester knows no such order, and takes
//! seconds for histories of this length. On short ones the tests hold the two to the same verdict.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod reference;
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Register {
    value: u64,
    modified: Modified,
    /// The store index has come at least this far.
    reached: u64,
}

/// The index of the last change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Modified {
    Is(u64),
    /// The answer to the change is unknown; until a read shows its index, only this is known.
    Within {
        /// It lies behind this one,
        floor: u64,
        /// and not behind this one,
        ceiling: u64,
        /// and is none of these, because a comparison with them has failed.
        not: BTreeSet<u64>,
    },
}

impl Modified {
    fn may_be(&self, index: u64) -> bool {
        match self {
            Self::Is(own) => *own == index,
            Self::Within { floor, ceiling, not } => {
                index > *floor && index <= *ceiling && !not.contains(&index)
            }
        }
    }

    /// What is known once `asked` was refused at the store index `at`. `None` if no index is left.
    fn refused(mut self, asked: Ask, at: u64) -> Option<Self> {
        if let Self::Within { floor, ceiling, not } = &mut self {
            *ceiling = at.min(*ceiling);
            if let Ask::SwapIndex(index, _) = asked {
                not.insert(index);
            }
            (*floor + 1..=*ceiling).find(|index| !not.contains(index))?;
        }
        Some(self)
    }
}

impl Register {
    pub(crate) const fn absent() -> Self {
        Self { value: 0, modified: Modified::Is(0), reached: 0 }
    }

    fn changed(value: u64, modified: Modified, reached: u64) -> Self {
        Self { value, modified: if value == 0 { Modified::Is(0) } else { modified }, reached }
    }

    /// The register after an operation, or `None` if it does not explain the answer. An operation
    /// of unknown outcome that would change nothing is not worth a place in the order.
    pub(crate) fn step(&self, operation: &Operation) -> Option<Self> {
        // A change comes behind the one that it is said to replace.
        let reached = match operation.ask {
            Ask::SwapIndex(index, _) => self.reached.max(index),
            _ => self.reached,
        };
        let Some((_, answer)) = operation.returned else {
            let not = BTreeSet::new();
            let modified = Modified::Within { floor: reached, ceiling: u64::MAX, not };
            // Whatever its index is, it took one.
            let value = self.write(operation.ask)?;
            return Some(Self::changed(value, modified, reached + 1));
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
                let explained = at > reached && before.is_none_or(|b| b == self.value);
                explained.then_some(Self::changed(value, Modified::Is(at), at))
            }
            Answer::Refused { at } => {
                // A comparison with an unknown index may well fail.
                let unknown = matches!(operation.ask, Ask::SwapIndex(..))
                    && matches!(self.modified, Modified::Within { .. });
                if at < self.reached || self.write(operation.ask).is_some() && !unknown {
                    return None;
                }
                let modified = self.modified.clone().refused(operation.ask, at)?;
                Some(Self { reached: at, modified, ..*self })
            }
        }
    }

    /// The value after a write, if its condition holds.
    fn write(&self, ask: Ask) -> Option<u64> {
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

impl Operation {
    /// Where the answer puts the operation: by store index, changes before what saw them.
    const fn place(&self) -> (u64, bool, u64) {
        match self.returned {
            None => (u64::MAX, true, self.called),
            Some((_, Answer::Done { at, .. })) => (at, false, self.called),
            Some((_, Answer::Found { at, .. } | Answer::Refused { at })) => (at, true, self.called),
        }
    }

    const fn value(&self) -> Option<u64> {
        match self.ask {
            Ask::Set(value)
            | Ask::Create(value)
            | Ask::SwapValue(_, value)
            | Ask::SwapIndex(_, value) => Some(value),
            Ask::Read | Ask::Delete => None,
        }
    }
}

/// Judges the history of one key, visiting at most `budget` states. Values must be unique.
pub fn check(history: &[Operation], budget: usize) -> Verdict {
    let shown: BTreeMap<u64, u64> = history
        .iter()
        .filter_map(|o| match o.returned {
            Some((_, Answer::Found { value, modified, .. })) => Some((value, modified)),
            _ => None,
        })
        .collect();
    let (mut answered, mut unknown) = (Vec::new(), Vec::new());
    for operation in history {
        let index = operation.value().and_then(|value| shown.get(&value));
        match (operation.returned, index) {
            (Some(_), _) => answered.push(*operation),
            (None, Some(at)) => {
                let answer = Answer::Done { at: *at, before: None };
                answered.push(Operation { returned: Some((u64::MAX, answer)), ..*operation });
            }
            (None, None) if operation.ask == Ask::Read => {}
            (None, None) => unknown.push(*operation),
        }
    }
    answered.sort_by_key(Operation::place);
    let returned = |o: &Operation| o.returned.map_or(u64::MAX, |r| r.0);
    let mut called = 0;
    for operation in &answered {
        called = called.max(operation.called);
        if returned(operation) < called {
            return Verdict::Violated;
        }
    }
    let mut horizons: Vec<u64> = answered.iter().map(returned).collect();
    for at in (1..horizons.len()).rev() {
        horizons[at - 1] = horizons[at - 1].min(horizons[at]);
    }
    let used = vec![false; unknown.len()];
    let mut search = Search { answered, unknown, horizons, used, visited: BTreeSet::new(), budget };
    search.run(Register::absent())
}

struct Search {
    /// In their one order.
    answered: Vec<Operation>,
    /// For each answered operation the first moment at which it or a later one had returned: what
    /// goes before it must have been called by then.
    horizons: Vec<u64>,
    unknown: Vec<Operation>,
    used: Vec<bool>,
    visited: BTreeSet<(usize, Vec<bool>, Register)>,
    budget: usize,
}

/// A point of the search: the register before the answered operation `next`, the unknown one that
/// led here, and the first unknown one that was not tried here; 0 stands for going on without.
struct Point {
    register: Register,
    next: usize,
    by: Option<usize>,
    tried: usize,
}

impl Search {
    fn run(&mut self, register: Register) -> Verdict {
        let mut path = vec![Point { register, next: 0, by: None, tried: 0 }];
        while let Some(point) = path.last_mut() {
            if point.next == self.answered.len() {
                return Verdict::Linearizable;
            }
            if self.visited.len() > self.budget {
                return Verdict::Undecided;
            }
            let tried = point.tried;
            point.tried += 1;
            if tried > self.unknown.len() {
                if let Some(Point { by: Some(by), .. }) = path.pop() {
                    self.used[by] = false;
                }
                continue;
            }
            if let Some(new) = self.follow(point, tried.checked_sub(1)) {
                path.push(new);
            }
        }
        Verdict::Violated
    }

    /// The point behind the next answered operation, or behind an unknown one before it; `None` if
    /// it is not explained or leads where the search has been.
    fn follow(&mut self, point: &Point, unknown: Option<usize>) -> Option<Point> {
        let (operation, next) = match unknown {
            None => (&self.answered[point.next], point.next + 1),
            Some(at) => {
                let operation = &self.unknown[at];
                // What hides another unknown write might as well come without it.
                let hides = matches!(operation.ask, Ask::Set(_) | Ask::Delete);
                let late = operation.called > self.horizons[point.next];
                if self.used[at] || late || hides && point.by.is_some() {
                    return None;
                }
                (operation, point.next)
            }
        };
        let register = point.register.step(operation)?;
        if let Some(at) = unknown {
            self.used[at] = true;
        }
        if self.visited.insert((next, self.used.clone(), register.clone())) {
            return Some(Point { register, next, by: unknown, tried: 0 });
        }
        if let Some(at) = unknown {
            self.used[at] = false;
        }
        None
    }
}
