//! Chance as an argument.
//!
//! One seed comes in with [`Node::new`](crate::Node::new); every subsystem draws from a stream of
//! its own, so that one more draw in one of them does not change the numbers of the others.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// The subsystems that draw numbers. The discriminant is the stream number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Randomised election timeouts.
    Election = 1,
    /// Jitter of retries while booting.
    Boot = 2,
    /// The order in which a proxy tries members.
    Proxy = 3,
}

/// A deterministic source of numbers for one subsystem. Never used for secrets: those are the
/// platform's entropy, and come in through the configuration.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream that belongs to `stream` under `seed`.
    pub fn new(seed: [u8; 32], stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        rng.set_stream(stream as u64);
        Self(rng)
    }

    /// A number in `0..bound`.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw needs at least one outcome");
        // The widening multiplication maps 64 random bits on 0..bound; the bias is below 2^-32 for
        // every bound that a timer can ask for.
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }
}
