//! The arithmetic of majorities, apart from everything that moves.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::id::MemberId;

/// How many of `n` voters decide.
pub fn majority(n: usize) -> usize {
    if planted!(ThirdIsMajority) { n.div_ceil(3) } else { n / 2 + 1 }
}

/// The highest index that a majority of `voters` has reached, where `reached` says how far each
/// has come. 0 if there are no voters.
pub fn committed(voters: &BTreeSet<MemberId>, reached: impl Fn(MemberId) -> u64) -> u64 {
    if voters.is_empty() {
        return 0;
    }
    let mut indexes: Vec<u64> = voters.iter().map(|&id| reached(id)).collect();
    indexes.sort_unstable();
    // With the indexes ascending, all from here on have reached this one.
    indexes[indexes.len() - majority(indexes.len())]
}

/// How a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A majority granted it.
    Won,
    /// So many refused it that no majority is left.
    Lost,
    /// Neither yet.
    Pending,
}

/// Counts the answers given so far; answers of others than `voters` do not count.
pub fn outcome(voters: &BTreeSet<MemberId>, answers: &BTreeMap<MemberId, bool>) -> Outcome {
    let needed = majority(voters.len());
    let count = |wanted| voters.iter().filter(|id| answers.get(id) == Some(&wanted)).count();
    if count(true) >= needed {
        Outcome::Won
    } else if voters.len() - count(false) < needed {
        Outcome::Lost
    } else {
        Outcome::Pending
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn voters(n: u64) -> BTreeSet<MemberId> {
        (1..=n).map(MemberId).collect()
    }

    #[test]
    fn majorities() {
        let table = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)];
        for (n, needed) in table {
            assert_eq!(majority(n), needed, "of {n}");
        }
    }

    #[test]
    fn nobody_commits_nothing() {
        assert_eq!(committed(&voters(0), |_| 7), 0);
    }

    proptest! {
        /// The definition itself: the index is held by a majority, and the next higher one that
        /// anybody holds is not.
        #[test]
        fn committed_is_the_highest_with_a_majority(reached in prop::collection::vec(0u64..9, 1..8)) {
            let voters = voters(reached.len() as u64);
            let at = |id: MemberId| reached[id.0 as usize - 1];
            let index = committed(&voters, at);
            let holders = |i| reached.iter().filter(|&&r| r >= i).count();
            prop_assert!(holders(index) >= majority(reached.len()));
            prop_assert!(holders(index + 1) < majority(reached.len()));
        }

        #[test]
        fn a_vote_is_never_both_won_and_lost(answers in prop::collection::vec(prop::option::of(any::<bool>()), 1..8)) {
            let voters = voters(answers.len() as u64);
            let given = answers.iter().enumerate()
                .filter_map(|(i, a)| a.map(|a| (MemberId(i as u64 + 1), a))).collect();
            let yes = answers.iter().filter(|a| **a == Some(true)).count();
            let open = answers.iter().filter(|a| a.is_none()).count();
            let needed = majority(answers.len());
            let expected = if yes >= needed { Outcome::Won }
                else if yes + open < needed { Outcome::Lost } else { Outcome::Pending };
            prop_assert_eq!(outcome(&voters, &given), expected);
        }
    }

    #[test]
    fn strangers_do_not_count() {
        let answers = vec![(MemberId(7), true), (MemberId(8), true)].into_iter().collect();
        assert_eq!(outcome(&voters(3), &answers), Outcome::Pending);
    }
}
