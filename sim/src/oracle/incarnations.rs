//! A member knows each of its peers by one data directory, and does not forget which.
//!
//! Else one whose directory was lost could take part again under its old ID, where a start of its
//! peer fell between. So what a member has shown to know is there after each of its starts, unless
//! its own directory was lost or replaced, for as long as the peer is not removed. A member that has
//! not read yet what it knows shows nothing of it.

use std::collections::BTreeMap;

use quorate_core::id::MemberId;
use quorate_core::member::boots::Known;
use quorate_core::member::identity::Incarnation;

use super::Violation;
use super::configurations::Configurations;

const NAME: &str = "incarnations";

/// By which directory each member knows its peers.
#[derive(Debug)]
pub(super) struct Incarnations {
    members: Vec<BTreeMap<MemberId, Incarnation>>,
}

impl Incarnations {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (0..members).map(|_| BTreeMap::new()).collect() }
    }

    /// The directories of two members are exchanged.
    pub(super) fn swapped(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
    }

    /// The directory of a member holds other data than before, or none.
    pub(super) fn replaced(&mut self, node: usize) {
        self.members[node].clear();
    }

    /// A member shows by what it knows its peers.
    ///
    /// # Errors
    /// If it knew one of them by another directory before, or has forgotten it.
    pub(super) fn shown(
        &mut self,
        node: usize,
        peers: &BTreeMap<MemberId, Known>,
        known: &Configurations,
    ) -> Result<(), Violation> {
        if peers.is_empty() {
            return Ok(());
        }
        let before = &mut self.members[node];
        before.retain(|peer, _| !known.was_removed(*peer));
        for (peer, incarnation) in &*before {
            let now = peers.get(peer).map(|known| known.incarnation);
            if now != Some(*incarnation) {
                let detail = format!("knew {peer} by {incarnation}, and now by {now:?}");
                return Err(Violation::safety(NAME, node, detail));
            }
        }
        before.extend(peers.iter().map(|(peer, known)| (*peer, known.incarnation)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use quorate_core::member::boots::Evidence;

    use super::*;

    fn peers(known: &[(u64, u8)]) -> BTreeMap<MemberId, Known> {
        let known = known.iter().map(|(peer, byte)| {
            let incarnation = Incarnation::new(&[*byte; 32]);
            (MemberId(*peer), Known { incarnation, past: Evidence::default() })
        });
        known.collect()
    }

    #[test]
    fn a_peer_that_is_forgotten_or_taken_for_another_is_found() {
        let (mut oracle, known) = (Incarnations::new(2), Configurations::default());
        let mut shows = |node, list: &[(u64, u8)]| oracle.shown(node, &peers(list), &known);
        assert_eq!(shows(0, &[(2, 20)]), Ok(()));
        assert_eq!(shows(0, &[(2, 20), (3, 30)]), Ok(()));
        assert_eq!(shows(0, &[]), Ok(()), "it is started anew, and has read nothing yet");
        assert_eq!(shows(1, &[(3, 31)]), Ok(()), "one may be mistaken");
        assert!(shows(0, &[(2, 20)]).is_err(), "the third is forgotten");
        assert!(shows(0, &[(2, 20), (3, 31)]).is_err(), "the third is another one");
        oracle.swapped(0, 1);
        assert_eq!(oracle.shown(0, &peers(&[(3, 31)]), &known), Ok(()));
        assert!(oracle.shown(1, &peers(&[(3, 30)]), &known).is_err());
        oracle.replaced(1);
        assert_eq!(oracle.shown(1, &peers(&[(3, 32)]), &known), Ok(()));
    }
}
