//! Members and messages by number.
//!
//! Most of the states of a cluster are made of the same few states of its members. Each of them is
//! kept once, and what an input makes of it is worked out once; a state of the cluster is then a
//! few numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use quorate_core::id::MemberId;
use quorate_core::raft::{Change, Message};

use crate::invariant::{Broken, NO_PANIC};
use crate::member::{Input, Member};
use crate::scope::Scope;
use crate::slots::Slots;

/// The number of a state of a member, of a message or of a transition.
pub(crate) type Key = u32;

/// An input by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stimulus {
    /// See [`Input::Deliver`].
    Deliver(Key),
    /// See [`Input::Tick`].
    Tick,
    /// See [`Input::Campaign`].
    Campaign,
    /// See [`Input::Propose`].
    Propose(u8),
    /// See [`Input::Change`].
    Change,
    /// See [`Input::Sync`].
    Sync,
    /// See [`Input::Crash`].
    Crash,
}

/// What an input makes of a member.
#[derive(Debug)]
pub(crate) struct Transition {
    /// The member after it.
    pub(crate) member: Key,
    /// The messages that left.
    pub(crate) sent: Vec<(MemberId, Key)>,
    /// See [`Outcome::commits`](crate::member::Outcome::commits).
    pub(crate) commits: Vec<(u64, BTreeSet<MemberId>)>,
    /// The invariant that the member broke by itself.
    pub(crate) broken: Option<Broken>,
}

/// Things that were met, each with a number.
#[derive(Debug)]
struct Numbered<T> {
    keys: Mutex<BTreeMap<u64, Key>>,
    items: Slots<T>,
}

impl<T: Hash> Numbered<T> {
    fn new() -> Self {
        Self { keys: Mutex::default(), items: Slots::new() }
    }

    /// The number of a thing. Things of equal digest count as equal: with 64 bits and a million
    /// things, the chance that any two of them are taken for one is one in ten million.
    fn key(&self, item: T) -> Key {
        let mut keys = lock(&self.keys);
        let next = Key::try_from(keys.len()).expect("the table is smaller");
        *keys.entry(digest(&item)).or_insert_with(|| {
            self.items.put(next, item);
            next
        })
    }
}

/// Nobody panics while holding a lock here; and if so, the map is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A digest, the same in every process.
pub(crate) fn digest(item: &impl Hash) -> u64 {
    let mut digest = DefaultHasher::new();
    item.hash(&mut digest);
    digest.finish()
}

/// All members, messages and transitions that were met.
#[derive(Debug)]
pub(crate) struct Table {
    members: Numbered<Member>,
    messages: Numbered<Message>,
    known: RwLock<BTreeMap<(Key, Stimulus), Key>>,
    transitions: Slots<Transition>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self {
            members: Numbered::new(),
            messages: Numbered::new(),
            known: RwLock::default(),
            transitions: Slots::new(),
        }
    }

    /// The number of a state of a member.
    pub(crate) fn add(&self, member: Member) -> Key {
        self.members.key(member)
    }

    /// The member with a number.
    pub(crate) fn member(&self, key: Key) -> &Member {
        self.members.items.get(key)
    }

    /// The message with a number.
    pub(crate) fn message(&self, key: Key) -> &Message {
        self.messages.items.get(key)
    }

    /// How many different states of members were met.
    pub(crate) fn members(&self) -> usize {
        lock(&self.members.keys).len()
    }

    /// What an input makes of a member.
    pub(crate) fn transition(&self, member: Key, input: Stimulus, scope: &Scope) -> &Transition {
        let at = (member, input);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&at).copied();
        let key = known.unwrap_or_else(|| {
            let transition = self.work_out(member, input, scope);
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let next = Key::try_from(known.len()).expect("the table is smaller");
            *known.entry(at).or_insert_with(|| {
                self.transitions.put(next, transition);
                next
            })
        });
        self.transitions.get(key)
    }

    fn work_out(&self, member: Key, input: Stimulus, scope: &Scope) -> Transition {
        let input = match input {
            Stimulus::Deliver(key) => Input::Deliver(self.message(key).clone()),
            Stimulus::Tick => Input::Tick,
            Stimulus::Campaign => Input::Campaign,
            Stimulus::Propose(number) => Input::Propose(number),
            Stimulus::Change => Input::Change(change(scope)),
            Stimulus::Sync => Input::Sync,
            Stimulus::Crash => Input::Crash,
        };
        let before = self.member(member);
        match catch_unwind(AssertUnwindSafe(|| before.after(input, scope))) {
            Ok(outcome) => Transition {
                member: self.add(outcome.member),
                sent: outcome.sent.into_iter().map(|m| (m.to, self.messages.key(m))).collect(),
                commits: outcome.commits,
                broken: outcome.broken,
            },
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
                let words = panic.downcast_ref::<String>().cloned().or(text);
                let broken = Some((NO_PANIC, words.unwrap_or_default()));
                Transition { member, sent: Vec::new(), commits: Vec::new(), broken }
            }
        }
    }
}

fn change(scope: &Scope) -> Change {
    scope.change.expect("a change is proposed only where the scope has one")
}
