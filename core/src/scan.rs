//! Looking for bytes in text, eight at a time.
//!
//! A dump of the store is megabytes of JSON, nearly all of it text that stands for itself. Where the
//! next byte is that does not is what writing and reading it spend their time on.

const ONES: u64 = u64::MAX / 0xff;
const TOPS: u64 = ONES << 7;

/// How many bytes of `text` come before the first one that `marked` finds in a word of eight. It is
/// given bytes with the first one lowest, and sets the top bit of each byte that it looks for; what
/// it says of those behind the first one that it finds does not count.
pub(crate) fn before(text: &[u8], marked: impl Fn(u64) -> u64) -> usize {
    let first = |word| (marked(word).trailing_zeros() / 8) as usize;
    let (words, rest) = text.as_chunks::<8>();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let first = first(u64::from_le_bytes(*word));
        if first < 8 {
            return at + first;
        }
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    text.len() - rest.len() + first(u64::from_le_bytes(last)).min(rest.len())
}

/// Marks the bytes that are `byte`.
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * byte as u64), 1)
}

/// Marks the bytes that are less than `limit`, which is at most 128.
pub(crate) const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & TOPS
}

/// Marks the bytes that are not ASCII.
pub(crate) const fn beyond_ascii(word: u64) -> u64 {
    word & TOPS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_first(text in prop::collection::vec(any::<u8>(), 0..40), byte: u8, limit in 0..=128_u8) {
            let at = |found: &dyn Fn(u8) -> bool| text.iter().position(|b| found(*b)).unwrap_or(text.len());
            prop_assert_eq!(before(&text, |word| equal(word, byte)), at(&|b| b == byte));
            prop_assert_eq!(before(&text, |word| below(word, limit)), at(&|b| b < limit));
            prop_assert_eq!(before(&text, beyond_ascii), at(&|b| !b.is_ascii()));
            let both = |word| equal(word, byte) | below(word, limit);
            prop_assert_eq!(before(&text, both), at(&|b| b == byte || b < limit));
        }
    }
}
