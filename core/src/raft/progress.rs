//! What the leader knows of one follower.

use alloc::collections::VecDeque;

/// How many appends may be on their way to a follower without an answer.
const MAX_INFLIGHT: usize = 512;

/// How many bytes of entries may be on their way to a follower without an answer.
const MAX_INFLIGHT_BYTES: usize = 16 << 20;

/// How far a follower has come, and what may be sent to it.
#[derive(Clone, Debug, Hash)]
pub(super) struct Progress {
    /// The last index that the follower is known to hold, durably.
    pub(super) matched: u64,
    /// The index that is sent next.
    pub(super) next: u64,
    /// How it is fed.
    pub(super) pace: Pace,
    /// Whether it was heard from since the last check of the quorum.
    pub(super) active: bool,
    /// Whether what it holds counts for a commit.
    pub(super) counts: bool,
}

/// How a follower is fed.
#[derive(Clone, Debug, Hash)]
pub(super) enum Pace {
    /// Where the logs agree is not known: one append, then wait for an answer.
    Probe {
        /// Whether that append is on its way.
        waiting: bool,
    },
    /// The logs agree: entries are sent as they come.
    Replicate(Inflight),
    /// The entries that it needs are compacted: nothing is sent until a snapshot has arrived.
    Snapshot {
        /// The index of the snapshot on its way; 0 while it is being made.
        pending: u64,
        /// Checks of the quorum since it was sent.
        checks: u32,
    },
}

impl Progress {
    /// A follower of which nothing is known but that `next` may be tried.
    pub(super) const fn new(next: u64) -> Self {
        Self { matched: 0, next, pace: Pace::Probe { waiting: false }, active: false, counts: true }
    }

    /// Whether an append may be sent now.
    pub(super) fn may_send(&self) -> bool {
        match &self.pace {
            Pace::Probe { waiting } => !waiting,
            Pace::Replicate(inflight) => !inflight.is_full(),
            Pace::Snapshot { .. } => false,
        }
    }

    /// An append with entries up to `last` (and so many bytes) was sent.
    pub(super) fn sent(&mut self, last: u64, bytes: usize) {
        match &mut self.pace {
            Pace::Probe { waiting } => *waiting = true,
            Pace::Replicate(inflight) => {
                if last >= self.next {
                    self.next = last + 1;
                    inflight.push(last, bytes);
                }
            }
            Pace::Snapshot { .. } => unreachable!("nothing is sent during a snapshot"),
        }
    }

    /// Whether it counts, and holds everything up to the end of the log.
    pub(super) const fn is_level(&self, last: u64) -> bool {
        self.counts && self.matched == last
    }

    /// The follower holds everything up to `index`. Says whether that was news.
    pub(super) fn accepted(&mut self, index: u64) -> bool {
        let news = index > self.matched;
        self.matched = self.matched.max(index);
        self.next = self.next.max(index + 1);
        match &mut self.pace {
            Pace::Replicate(inflight) => inflight.free_to(index),
            Pace::Probe { .. } => self.replicate(),
            Pace::Snapshot { pending, .. } => {
                if *pending > 0 && self.matched >= *pending {
                    self.replicate();
                }
            }
        }
        news
    }

    /// The follower refused an append behind `index`; the logs may agree up to `hint`. Says
    /// whether another append is due.
    pub(super) fn rejected(&mut self, index: u64, hint: u64) -> bool {
        let fed = !matches!(self.pace, Pace::Snapshot { .. });
        if fed && !self.counts && index <= self.matched {
            // Who does not count may have lost again what it held since.
            self.matched = 0;
            self.probe(index.min(hint + 1));
            return true;
        }
        match &mut self.pace {
            Pace::Replicate(_) => {
                if index <= self.matched {
                    return false;
                }
                self.probe(self.matched + 1);
                true
            }
            Pace::Probe { waiting } => {
                if self.next != index + 1 {
                    return false;
                }
                self.next = index.min(hint + 1).max(self.matched + 1);
                // What was acknowledged once is not there: to ask again at once would only go
                // round in circles until the follower has heard that it lacks something.
                *waiting = self.next == index + 1;
                !*waiting
            }
            Pace::Snapshot { .. } => false,
        }
    }

    /// Feeds one append at a time, from `next` on.
    pub(super) fn probe(&mut self, next: u64) {
        self.next = next.max(self.matched + 1);
        self.pace = Pace::Probe { waiting: false };
    }

    /// Feeds entries as they come.
    fn replicate(&mut self) {
        self.next = self.matched + 1;
        self.pace = Pace::Replicate(Inflight::default());
    }
}

/// The appends on their way to a follower.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Inflight {
    /// Last index and bytes of each.
    appends: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl Inflight {
    fn is_full(&self) -> bool {
        self.appends.len() >= MAX_INFLIGHT || self.bytes >= MAX_INFLIGHT_BYTES
    }

    fn push(&mut self, last: u64, bytes: usize) {
        self.appends.push_back((last, bytes));
        self.bytes += bytes;
    }

    fn free_to(&mut self, index: u64) {
        while let Some(&(_, bytes)) = self.appends.front().filter(|(last, _)| *last <= index) {
            self.appends.pop_front();
            self.bytes -= bytes;
        }
    }

    /// Frees the oldest if no other may be sent: it may be lost, and the follower has to be asked
    /// somehow.
    pub(super) fn free_one_if_full(&mut self) {
        if self.is_full()
            && let Some((_, bytes)) = self.appends.pop_front()
        {
            self.bytes -= bytes;
        }
    }
}
