//! The network between hosts: which directions are cut, and how long messages take.

use crate::chance::Chance;
use crate::options::Options;

/// No message takes longer, in nanoseconds: whoever keeps a connection gives it up by then.
const LONGEST: u64 = 10_000_000_000;

/// Cuts in force, counted for each direction of each pair.
#[derive(Debug)]
pub(crate) struct Network {
    hosts: usize,
    cuts: Vec<u32>,
    /// Cuts that will heal, by number.
    open: Vec<(u64, Vec<(usize, usize)>)>,
    made: u64,
    pub(crate) delays: Delays,
}

/// How the network treats messages. All times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delays {
    pub(crate) least: u64,
    pub(crate) mean: u64,
    pub(crate) slow_ppm: u64,
    pub(crate) loss_ppm: u64,
    pub(crate) duplicate_ppm: u64,
    pub(crate) in_order: bool,
}

impl Network {
    pub(crate) fn new(hosts: usize, options: &Options) -> Self {
        let delays = Delays {
            least: options.delay_min_us * 1000,
            mean: options.delay_mean_us * 1000,
            slow_ppm: options.slow_ppm,
            loss_ppm: options.loss_ppm,
            duplicate_ppm: options.duplicate_ppm,
            in_order: options.in_order != 0,
        };
        Self { hosts, cuts: vec![0; hosts * hosts], open: Vec::new(), made: 0, delays }
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts[from * self.hosts + to] > 0
    }

    /// Whether a host cannot reach some other one, or not be reached by it.
    pub(crate) fn is_apart(&self, host: usize) -> bool {
        (0..self.hosts).any(|other| self.is_cut(host, other) || self.is_cut(other, host))
    }

    /// Cuts directions and gives the number under which they heal together.
    pub(crate) fn cut(&mut self, pairs: Vec<(usize, usize)>) -> u64 {
        for (from, to) in &pairs {
            self.cuts[from * self.hosts + to] += 1;
        }
        self.made += 1;
        self.open.push((self.made, pairs));
        self.made
    }

    pub(crate) fn heal(&mut self, number: u64) {
        if let Some(at) = self.open.iter().position(|(n, _)| *n == number) {
            for (from, to) in self.open.swap_remove(at).1 {
                self.cuts[from * self.hosts + to] -= 1;
            }
        }
    }

    pub(crate) fn heal_all(&mut self) {
        self.open.clear();
        self.cuts.fill(0);
    }

    /// All faults end.
    pub(crate) fn calm(&mut self) {
        self.heal_all();
        self.delays.loss_ppm = 0;
        self.delays.slow_ppm = 0;
        self.delays.duplicate_ppm = 0;
    }

    /// How long a message takes, and whether it is one of the slow ones.
    pub(crate) fn delay(&self, chance: &mut Chance) -> (u64, bool) {
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
        assert!(network.is_apart(1) && !network.is_apart(2));
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
