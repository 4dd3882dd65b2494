//! "A discovery token forms at most one cluster for ever": the members that have registered first,
//! as many as the size says. Whoever forms a cluster does so with these, and whoever is told that
//! there is no place for it is none of them.

use std::collections::BTreeSet;

use quorate_core::id::MemberId;

use super::Violation;

const NAME: &str = "one_token";

/// A member has made its first log durable, with the members that are `listed` in it.
///
/// # Errors
/// If these are not the `first` that have registered; nobody is, as long as some are missing.
pub(super) fn formed(
    node: usize,
    listed: &BTreeSet<MemberId>,
    first: &BTreeSet<MemberId>,
) -> Result<(), Violation> {
    if listed == first {
        return Ok(());
    }
    let detail =
        format!("it forms a cluster of {listed:?}, and the first to register are {first:?}");
    Err(Violation::safety(NAME, node, detail))
}

/// A member takes itself for one too many.
///
/// # Errors
/// If it is one of the `first` that have registered, or some are still missing.
pub(super) fn full(
    node: usize,
    own: MemberId,
    first: &BTreeSet<MemberId>,
) -> Result<(), Violation> {
    if !first.is_empty() && !first.contains(&own) {
        return Ok(());
    }
    let detail = format!("{own} gives up, and the first to register are {first:?}");
    Err(Violation::safety(NAME, node, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[u64]) -> BTreeSet<MemberId> {
        ids.iter().copied().map(MemberId).collect()
    }

    #[test]
    fn only_the_first_to_register_are_the_cluster() {
        let first = set(&[1, 2]);
        assert!(formed(0, &set(&[2, 1]), &first).is_ok());
        for listed in [&[1][..], &[1, 3], &[1, 2, 3], &[]] {
            assert!(formed(0, &set(listed), &first).is_err(), "{listed:?}");
        }
        assert!(formed(0, &set(&[1]), &set(&[])).is_err(), "not all have registered");
        assert!(full(0, MemberId(3), &first).is_ok());
        assert!(full(0, MemberId(1), &first).is_err());
        assert!(full(0, MemberId(3), &set(&[])).is_err());
    }
}
