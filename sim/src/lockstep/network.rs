//! The network between members: which directions are cut, and how long messages take.

use crate::chance::Chance;
use crate::options::Options;

/// No message takes longer, in nanoseconds: whoever keeps a connection gives it up by then.
const LONGEST: u64 = 10_000_000_000;

/// Cuts in force, counted for each direction of each pair.
#[derive(Debug)]
pub(super) struct Network {
    members: usize,
    cuts: Vec<u32>,
    /// Cuts that will heal, by number.
    open: Vec<(u64, Vec<(usize, usize)>)>,
    made: u64,
    pub(super) delays: Delays,
}

/// How the network treats messages. All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delays {
    pub(super) least: u64,
    pub(super) mean: u64,
    pub(super) slow_ppm: u64,
    pub(super) loss_ppm: u64,
    pub(super) duplicate_ppm: u64,
    pub(super) in_order: bool,
}

impl Network {
    pub(super) fn new(members: usize, options: &Options) -> Self {
        let delays = Delays {
            least: options.delay_min_us * 1000,
            mean: options.delay_mean_us * 1000,
            slow_ppm: options.slow_ppm,
            loss_ppm: options.loss_ppm,
            duplicate_ppm: options.duplicate_ppm,
            in_order: options.in_order != 0,
        };
        Self { members, cuts: vec![0; members * members], open: Vec::new(), made: 0, delays }
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts[from * self.members + to] > 0
    }

    /// Cuts directions and gives the number under which they heal together.
    pub(super) fn cut(&mut self, pairs: Vec<(usize, usize)>) -> u64 {
        for (from, to) in &pairs {
            self.cuts[from * self.members + to] += 1;
        }
        self.made += 1;
        self.open.push((self.made, pairs));
        self.made
    }

    pub(super) fn heal(&mut self, number: u64) {
        if let Some(at) = self.open.iter().position(|(n, _)| *n == number) {
            for (from, to) in self.open.swap_remove(at).1 {
                self.cuts[from * self.members + to] -= 1;
            }
        }
    }

    pub(super) fn heal_all(&mut self) {
        self.open.clear();
        self.cuts.fill(0);
    }

    /// How long a message takes, and whether it is one of the slow ones.
    pub(super) fn delay(&self, chance: &mut Chance) -> (u64, bool) {
        let slow = chance.hit(self.delays.slow_ppm);
        let mean = if slow { self.delays.mean * 1000 } else { self.delays.mean };
        (self.delays.least + chance.wait(mean).min(LONGEST), slow)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;
    use crate::options::Options;

    #[test]
    fn cuts_of_one_direction_add_up_and_heal_one_by_one() {
        let mut network = Network::new(3, &Options::draw(1));
        let first = network.cut(vec![(0, 1), (1, 0)]);
        let second = network.cut(vec![(0, 1)]);
        assert!(network.is_cut(0, 1) && network.is_cut(1, 0) && !network.is_cut(0, 2));
        network.heal(first);
        assert!(network.is_cut(0, 1) && !network.is_cut(1, 0));
        network.heal(second);
        network.heal(second);
        assert!(!network.is_cut(0, 1));
        network.cut(vec![(2, 1)]);
        network.heal_all();
        assert!(!network.is_cut(2, 1));
    }
}
