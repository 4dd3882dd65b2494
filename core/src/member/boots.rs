//! The starts of a data directory, and what others remember of them.
//!
//! An incarnation tells one directory from another, but not a directory from an older copy of
//! itself. So each start draws a random boot ID and keeps those before it; peers remember the last
//! one that they met, and how far that member had gone along with them. A directory that does not
//! know of such a start, or holds less than it acknowledged, has lost some of its past: promises
//! that it gave are not in it any more.

use alloc::format;
use alloc::string::String;
use core::fmt;

use sha1::{Digest as _, Sha1};

use super::identity::Incarnation;
use crate::raft::LogId;

/// Starts that a directory keeps and says. Of what is older nothing can be told.
const KEPT: usize = 8;

/// One start of a data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// Counts the starts from 1.
    pub number: u64,
    /// Drawn at that start.
    pub id: u64,
}

/// The last starts of a data directory, the present one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boots {
    number: u64,
    /// 0 where there was none.
    ids: [u64; KEPT],
}

/// How far a member has gone along with a leader or a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acked {
    /// The term of the leader that it acknowledged, or of the candidate that it voted for.
    pub term: u64,
    /// The highest index of an entry of that term that it acknowledged: with the first of them it has
    /// everything of that leader that comes before.
    pub index: u64,
}

impl Acked {
    /// How far a member in `term` has gone by its log, which ends with `last`: what is at its end of an
    /// earlier term may be what no leader of this one has, and was to be overwritten.
    pub(crate) const fn by_log(term: u64, last: LogId) -> Self {
        let index = if last.term == term { last.index } else { 0 };
        Self { term, index }
    }
}

/// What a member remembers of the past of another, and tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Its last start.
    pub boot: Boot,
    /// How far it had gone.
    pub acked: Acked,
}

/// By what a peer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its data directory.
    pub incarnation: Incarnation,
    /// Its past, as far as this member was part of it.
    pub past: Evidence,
}

impl Boots {
    /// The length of [`Boots::bytes`].
    pub(crate) const LEN: usize = 8 + 8 * KEPT;

    /// The first start of a directory, drawn from the platform's entropy.
    pub fn first(entropy: &[u8; 32]) -> Self {
        Self { number: 0, ids: [0; KEPT] }.next(entropy)
    }

    /// The start behind these.
    #[must_use]
    pub fn next(self, entropy: &[u8; 32]) -> Self {
        let mut hash = Sha1::new();
        hash.update(entropy);
        hash.update(b"boot");
        let digest = hash.finalize();
        let id = digest.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes));
        let mut ids = [id.max(1); KEPT];
        ids[1..].copy_from_slice(&self.ids[..KEPT - 1]);
        Self { number: self.number.saturating_add(1), ids }
    }

    /// The present start.
    pub const fn last(&self) -> Boot {
        Boot { number: self.number, id: self.ids[0] }
    }

    /// Whether this past has that start in it, or is so long that nothing can be told.
    pub fn holds(&self, boot: Boot) -> bool {
        boot.id == 0
            || self.ids.contains(&boot.id)
            || boot.number.saturating_add(KEPT as u64) <= self.number
    }

    /// Takes a start of which others have told into the past, and so counts beyond it.
    #[must_use]
    pub fn with(self, boot: Boot) -> Self {
        let mut ids = self.ids;
        ids.copy_within(1..KEPT - 1, 2);
        ids[1] = boot.id;
        Self { number: self.number.max(boot.number).saturating_add(1), ids }
    }

    /// What was promised in any start so far is kept, whatever others remember of it: those starts
    /// become so long ago that nothing can be told of them, but for the last few.
    #[must_use]
    pub const fn settled(self) -> Self {
        Self { number: self.number.saturating_add(KEPT as u64), ids: self.ids }
    }

    pub(crate) fn bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let numbers = core::iter::once(self.number).chain(self.ids);
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let (numbers, _) = bytes.as_chunks::<8>();
        let mut ids = [0; KEPT];
        for (id, number) in ids.iter_mut().zip(&numbers[1..]) {
            *id = u64::from_le_bytes(*number);
        }
        Self { number: u64::from_le_bytes(numbers[0]), ids }
    }

    /// Reads the text form: the number of the last start, a colon, and the IDs with commas.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, rest) = text.split_once(':')?;
        let mut ids = [0; KEPT];
        let mut slots = ids.iter_mut();
        for id in rest.split(',') {
            *slots.next()? = hex(id)?;
        }
        (ids[0] != 0).then_some(Self { number: number.parse().ok()?, ids })
    }
}

impl fmt::Display for Boots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}", self.number, self.ids[0])?;
        self.ids[1..].iter().filter(|id| **id != 0).try_for_each(|id| write!(f, ",{id:016x}"))
    }
}

impl Evidence {
    /// Reads the text form: number and ID of the start, term and index, with colons.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut part = || parts.next();
        let boot = Boot { number: part()?.parse().ok()?, id: hex(part()?)? };
        let acked = Acked { term: part()?.parse().ok()?, index: part()?.parse().ok()? };
        parts.next().is_none().then_some(Self { boot, acked })
    }

    /// The text form.
    pub fn text(self) -> String {
        let Self { boot: Boot { number, id }, acked: Acked { term, index } } = self;
        format!("{number}:{id:016x}:{term}:{index}")
    }
}

impl Known {
    /// Reads the text form: the incarnation, a colon, and what is remembered of the past.
    pub fn parse(text: &str) -> Option<Self> {
        let (incarnation, past) = text.split_once(':')?;
        let incarnation = Incarnation::parse(incarnation)?;
        Some(Self { incarnation, past: Evidence::parse(past)? })
    }

    /// The text form.
    pub fn text(self) -> String {
        format!("{}:{}", self.incarnation, self.past.text())
    }
}

fn hex(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;

    fn starts(count: u8) -> Vec<Boots> {
        let mut all = Vec::from([Boots::first(&[0; 32])]);
        all.extend((1..count).scan(all[0], |boots, byte| {
            *boots = boots.next(&[byte; 32]);
            Some(*boots)
        }));
        all
    }

    #[test]
    fn a_copy_does_not_know_of_what_came_after_it() {
        let starts = starts(20);
        let last = starts[4].last();
        assert!(starts[4..].iter().all(|later| later.holds(last)));
        assert!(!starts[3].holds(last));
        // The copy was started again.
        let copy = starts[3].next(&[99; 32]);
        assert_eq!(copy.last().number, last.number);
        assert!(!copy.holds(last) && !starts[4].holds(copy.last()));
        assert!(copy.holds(Boot::default()), "of nothing there is no evidence");
    }

    #[test]
    fn what_others_told_becomes_part_of_the_past() {
        let starts = starts(6);
        let (copy, lost) = (starts[1].next(&[99; 32]), starts[5].last());
        let told = copy.with(lost);
        assert!(told.holds(lost) && told.holds(copy.last()) && told.holds(starts[1].last()));
        assert_eq!(told.last().id, copy.last().id, "it is the same start");
        assert!(told.last().number > lost.number);
    }

    #[test]
    fn what_is_settled_is_asked_no_more_and_what_comes_after_it_is() {
        let starts = starts(6);
        let copy = starts[1].next(&[99; 32]).with(starts[5].last());
        assert!(!copy.holds(starts[3].last()), "of that one nobody has told yet");
        let settled = copy.settled();
        assert!(starts.iter().all(|start| settled.holds(start.last())));
        assert_eq!(settled.last().id, copy.last().id, "it is the same start");
        let lost = settled.next(&[98; 32]);
        let later = settled.next(&[97; 32]);
        assert!(!settled.holds(lost.last()) && !later.holds(lost.last()));
        assert!(!copy.holds(lost.last()) && !copy.next(&[96; 32]).holds(lost.last()));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for boots in starts(12) {
            assert_eq!(Boots::from_bytes(&boots.bytes()), boots);
            assert_eq!(Boots::parse(&boots.to_string()), Some(boots));
            let evidence = Evidence { boot: boots.last(), acked: Acked { term: 3, index: 14 } };
            assert_eq!(Evidence::parse(&evidence.text()), Some(evidence));
        }
        for bad in ["", "1", "1:", "1:0000000000000000", "x:00000000000000aa", "1:00aa", "1:00,"] {
            assert_eq!(Boots::parse(bad), None, "{bad}");
            assert_eq!(Evidence::parse(bad), None, "{bad}");
        }
        let nine = alloc::format!("9:{}", ["00000000000000aa"; 9].join(","));
        assert_eq!(Boots::parse(&nine), None);
        assert_eq!(Evidence::parse("1:00000000000000aa:1:2:3"), None);
    }
}
