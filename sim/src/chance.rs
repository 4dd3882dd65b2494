//! Chance: every draw of a run comes from one seed.
//!
//! Only integers are drawn, so that no platform's floating-point library can change a run. Each
//! subsystem has a stream of its own: one more draw in one of them leaves the others alone.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Who draws. The discriminant is the stream number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The options of the run.
    Options = 1,
    /// When which fault strikes whom.
    Faults = 2,
    /// The fate of messages.
    Network = 3,
    /// Latencies of the disks, and what a crash leaves of them.
    Disk = 4,
    /// What clients do.
    Clients = 5,
    /// Seeds and entropy of nodes, clocks, the batching of inputs.
    Hosts = 6,
}

/// A deterministic source of numbers.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The numbers that `stream` draws under `seed`.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream as u64);
        Self(rng)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// A number in `low..=high`.
    ///
    /// # Panics
    /// If `high` is below `low`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// An index of something that has `len` elements.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True in `ppm` of a million cases.
    pub fn hit(&mut self, ppm: u64) -> bool {
        ppm > 0 && self.below(1_000_000) < ppm
    }

    /// True in half of the cases.
    pub fn coin(&mut self) -> bool {
        self.bits() & 1 == 1
    }

    /// A waiting time with the given mean, nearly exponentially distributed: the position of the
    /// highest set bit of a random word is geometric, and between two powers of two the curve is
    /// taken as straight.
    pub fn wait(&mut self, mean: u64) -> u64 {
        let bits = self.bits() | 1;
        let zeros = bits.leading_zeros();
        let fraction = (bits << zeros << 1) >> 48;
        // In 1/65536 halvings: an exponential variable is ln 2 times the number of halvings. The
        // fraction runs from 1 to 2 where the word falls from the top of its octave.
        let halvings = (u128::from(zeros) << 16) + u128::from(0xFFFF - fraction);
        let ln2 = 45_426; // ln 2 in 1/65536
        ((u128::from(mean) * halvings * ln2) >> 32) as u64
    }

    /// 32 random bytes.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes());
        }
        seed
    }

    /// Brings `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }
}

/// Reads a seed: a number, or the 40 hexadecimal digits of a commit, so that a build can vary with
/// each commit and still be repeated.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_seed(text: &str) -> Result<u64, String> {
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return u64::from_str_radix(&text[..16], 16).map_err(|e| e.to_string());
    }
    text.parse().map_err(|_| format!("{text:?} is neither a number nor a commit hash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_have_their_mean() {
        let mut chance = Chance::new(7, Stream::Network);
        let sum: u64 = (0..100_000).map(|_| chance.wait(1000)).sum();
        let mean = sum / 100_000;
        assert!((960..1060).contains(&mean), "mean {mean}");
    }

    #[test]
    fn hits_have_their_rate() {
        let mut chance = Chance::new(7, Stream::Network);
        let hits = (0..100_000).filter(|_| chance.hit(250_000)).count();
        assert!((24_000..26_000).contains(&hits), "{hits} hits");
        assert!(!(0..1000).any(|_| chance.hit(0)));
        assert!((0..1000).all(|_| chance.hit(1_000_000)));
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| Chance::new(seed, stream).bits();
        assert_eq!(draw(1, Stream::Disk), draw(1, Stream::Disk));
        assert_ne!(draw(1, Stream::Disk), draw(1, Stream::Network));
        assert_ne!(draw(1, Stream::Disk), draw(2, Stream::Disk));
    }

    #[test]
    fn seeds_are_numbers_or_commits() {
        assert_eq!(parse_seed("42"), Ok(42));
        assert_eq!(parse_seed("00000000000000ff000000000000000000000000"), Ok(255));
        assert!(parse_seed("12ab").is_err());
    }
}
